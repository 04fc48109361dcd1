"""Checks that everybody computes the same, then measures in windows taken in turn."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .crew import Member, crew
from .environment import cpus
from .machine import FmaPeak
from .peers import PEERS
from .workloads import PREDICTION, reference_losses, reference_prediction, workload_named

CHECKED_STEPS = 5
CHECKED_ROWS = 8
# Of losses, relative; of predictions, against the largest. A wrong formula is wrong by several per cent after
# five steps.
TOLERANCE = 2e-5


class DisagreementError(RuntimeError):
    """A peer computes something else."""


@dataclass
class Options:
    """How to measure."""

    peers: list[str]
    isa: str | None = None
    window: float = 0.3
    rounds: int = 7


@dataclass
class Entry:
    """What one peer needed for a row: seconds of a step, or of a call of predict."""

    name: str
    label: str
    threads: int
    deviation: float  # from the float64 reference, relative
    version: str
    what: str
    windows: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)  # seconds of all threads together

    @property
    def median(self) -> float:
        return statistics.median(self.windows)

    @property
    def best(self) -> float:
        return min(self.windows)


@dataclass
class Result:
    """A row of the table."""

    row: str
    network: str
    rows: int  # of a batch
    optimizer: str  # "" for a prediction
    threads: int
    flops: float
    peak: float  # GFLOP/s of multiply-adds on `threads` threads, in the same run
    entries: list[Entry]

    def entry(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.name == name), None)

    @property
    def lamina(self) -> Entry:
        found = self.entry("lamina")
        assert found is not None
        return found

    @property
    def fastest_peer(self) -> Entry | None:
        peers = [entry for entry in self.entries if entry.label != "lamina"]
        return min(peers, key=lambda entry: entry.median, default=None)

    @property
    def peak_seconds(self) -> float:
        return self.flops / (self.peak * 1e9)

    def as_json(self) -> dict[str, Any]:
        entries = [{**asdict(entry), "median": entry.median, "best": entry.best} for entry in self.entries]
        return {**asdict(self), "entries": entries, "share_of_peak": self.peak_seconds / self.lamina.median}


def measure_row(row: str, options: Options, peak: FmaPeak) -> Result:
    """Measure one row: training steps of a workload, or its predictions."""
    workload = workload_named(row)
    predicts = row in PREDICTION
    threads = min(workload.threads, len(cpus(workload.threads))) if not predicts else 1
    entries = [(label, label, threads) for label in labels(options.peers, row)]
    other = 1 if threads > 1 else 2
    if not predicts and len(cpus(other)) == other:
        entries.append((f"lamina, {other} thread{'s' if other > 1 else ''}", "lamina", other))
    with crew(entries, row, options.isa) as members:
        measured = [
            checked(member, label, row, its_threads)
            for member, (_, label, its_threads) in zip(members, entries, strict=True)
        ]
        for member in members:
            member.ask("calibrate", options.window)
        peaks = []
        for turn in range(options.rounds):
            peaks.append(peak.window(threads, options.window / 2))
            order = range(len(members)) if turn % 2 == 0 else reversed(range(len(members)))
            for i in order:
                wall, processor = members[i].ask("window")
                measured[i].windows.append(wall)
                measured[i].processor.append(processor)
        _check_finite(members)
    rows = PREDICTION[row][1] if predicts else workload.batch
    return Result(
        row,
        workload.network,
        rows,
        "" if predicts else f"{workload.loss}, {workload.optimizer}",
        threads,
        workload.predict_flops(rows) if predicts else workload.step_flops,
        max(peaks),
        measured,
    )


def labels(peers: Sequence[str], row: str) -> list[str]:
    """The peers that take part in a row."""
    chosen = {label: listing for label, listing in PEERS.items() if listing.name in ("lamina", *peers)}
    if row in PREDICTION:
        return [label for label, listing in chosen.items() if listing.predicts]
    return [label for label, listing in chosen.items() if listing.trains(workload_named(row))]


def checked(member: Member, label: str, row: str, threads: int) -> Entry:
    """An entry for a worker whose losses, or predictions, are those of the float64 reference."""
    workload = workload_named(row)
    if row in PREDICTION:
        expected = reference_prediction(workload, workload.data()[0][:CHECKED_ROWS])
        got = np.array(member.ask("predict", CHECKED_ROWS))
        deviation = float(np.abs(got - expected).max() / np.abs(expected).max())
    else:
        losses = np.array(reference_losses(workload, CHECKED_STEPS, PEERS[label].corrects_epsilon))
        deviation = float(np.abs(np.array(member.ask("losses", CHECKED_STEPS)) / losses - 1).max())
    if not deviation <= TOLERANCE:
        raise DisagreementError(
            f"{row}: {member.name} deviates by {deviation:.1e} from the float64 reference, expected at most "
            f"{TOLERANCE:.0e}."
        )
    about = member.ask("about")
    return Entry(member.name, label, threads, deviation, about["version"], about["what"])


def _check_finite(members: Sequence[Member]) -> None:
    """Raise DisagreementError where training has left the finite numbers: times would mean nothing."""
    for member in members:
        if not all(math.isfinite(value) for row in member.ask("predict", CHECKED_ROWS) for value in row):
            raise DisagreementError(f"{member.name}: predictions are not finite after the last window.")
