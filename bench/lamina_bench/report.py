"""The results as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .fashion import FashionResult
from .measure import Entry, Result
from .workloads import CROSSOVER, PREDICTION


@dataclass
class Report:
    """Everything that a run found."""

    date: str
    machine: dict[str, str]
    isa: str | None
    results: list[Result] = field(default_factory=list)
    fashion: FashionResult | None = None
    imports: dict[str, float] = field(default_factory=dict)
    memory: int | None = None
    wheel: int | None = None
    skipped: list[str] = field(default_factory=list)

    def training(self) -> list[Result]:
        return [r for r in self.results if r.row not in PREDICTION and r.row not in CROSSOVER]

    def prediction(self) -> list[Result]:
        return [r for r in self.results if r.row in PREDICTION]

    def crossover(self) -> list[Result]:
        return [r for r in self.results if r.row in CROSSOVER]


def write_json(report: Report, path: Path) -> None:
    """Every window, with the medians and bests."""
    whole = {
        "date": report.date,
        "machine": report.machine,
        "isa": report.isa or "best",
        "rows": [result.as_json() for result in report.results],
        "fashion_mnist": report.fashion.as_json() if report.fashion else None,
        "import_seconds": report.imports,
        "memory_bytes": report.memory,
        "wheel_bytes": report.wheel,
        "skipped": report.skipped,
    }
    path.write_text(json.dumps(whole, indent=1) + "\n")


def write_markdown(report: Report, path: Path) -> None:
    """The tables."""
    machine = report.machine
    head = [
        "# lamina beside its peers",
        "",
        f"{report.date}, {machine['cpu']} ({machine['isa']}), {machine['cpus']} CPUs, {machine['system']}, "
        f"Python {machine['python']}; kernels: {report.isa or 'the best of the CPU'}.",
        "",
        "Times are microseconds: the median of windows taken in turn, and in brackets the best window.",
        "The ratio is the fastest peer's median over lamina's; above 1 lamina is ahead. The peak is that of",
        "multiply-adds from registers, measured in the same run; the share is that of the matrix products.",
    ]
    parts = ["\n".join(head)]
    parts += _section("Training, one step", report.training(), "batch")
    parts += _section("Prediction, one call from NumPy array to NumPy array", report.prediction(), "rows")
    parts += _section("By model size", report.crossover(), "batch")
    parts += _fashion(report.fashion)
    parts += _footprint(report)
    parts += _notes(report)
    path.write_text("\n\n".join(parts) + "\n")


def _section(title: str, results: Sequence[Result], rows: str) -> list[str]:
    if not results:
        return []
    names = list(dict.fromkeys(entry.name for result in results for entry in result.entries))
    header = ["row", "network", rows, "trained with", "threads", *names, "at peak", "share of peak", "ratio"]
    lines = [_line(result, names) for result in results]
    return [f"## {title}", _table(header, lines)]


def _line(result: Result, names: Sequence[str]) -> list[str]:
    fastest = result.fastest_peer
    ratio = "" if fastest is None else f"**{fastest.median / result.lamina.median:.2f}** ({fastest.name})"
    return [
        result.row,
        result.network,
        str(result.rows),
        result.optimizer,
        str(result.threads),
        *(_times(result.entry(name)) for name in names),
        microseconds(result.peak_seconds),
        f"{result.peak_seconds / result.lamina.median:.0%}",
        ratio,
    ]


def _times(entry: Entry | None) -> str:
    return "" if entry is None else f"{microseconds(entry.median)} ({microseconds(entry.best)})"


def microseconds(seconds: float) -> str:
    """Three figures or more."""
    value = seconds * 1e6
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _fashion(result: FashionResult | None) -> list[str]:
    if result is None:
        return []
    ours = result.trainings[0].median
    lines = [
        [
            training.name,
            f"{training.median:.2f}",
            f"{min(training.seconds):.2f}",
            f"{training.median / ours:.2f}",
            f"{training.mean_accuracy:.4f}",
        ]
        for training in result.trainings
    ]
    header = ["", "seconds, median", "best", "over lamina's", "test accuracy, mean"]
    return [
        f"## Fashion-MNIST, {result.epochs} epochs, {result.threads} threads",
        f"784-256-128-10, Adam, batch 128, {len(result.trainings[0].seconds)} seeds; "
        f"{result.peak_seconds:.2f} s at the peak.",
        _table(header, lines),
    ]


def _footprint(report: Report) -> list[str]:
    if not report.imports:
        return []
    lines = [[label, f"{seconds * 1e3:.0f} ms"] for label, seconds in report.imports.items()]
    if {"lamina", "NumPy"} <= report.imports.keys():
        beyond = report.imports["lamina"] - report.imports["NumPy"]
        lines.append(["lamina beyond NumPy", f"{beyond * 1e3:.0f} ms"])
    parts = ["## Footprint", _table(["import", "time"], lines)]
    if report.wheel is not None:
        parts.append(f"The wheel has {report.wheel / 1e6:.2f} MB.")
    if report.memory is not None:
        parts.append(
            "Training on Fashion-MNIST kept as uint8 peaks at the interpreter with NumPy, the arrays, and "
            f"{report.memory / 1e6:.0f} MB."
        )
    return parts


def _notes(report: Report) -> list[str]:
    entries = {entry.label: entry for result in report.results for entry in result.entries}
    if not entries and not report.skipped:
        return []
    worst = {
        label: max(e.deviation for result in report.results for e in result.entries if e.label == label)
        for label in entries
    }
    lines = [[e.label, e.version, e.what, f"{worst[e.label]:.0e}"] for e in entries.values()]
    header = ["", "version", "what is measured", "largest deviation"]
    parts = ["## What is measured", _table(header, lines)] if lines else []
    if lines:
        parts.append(
            "The deviation is that from a float64 reference: of the losses of the first steps, and of "
            "predictions. Steps pass over the rows in their order; all peers but lamina, scikit-learn and "
            "Keras were given the batches beforehand. Fashion-MNIST is shuffled every epoch."
        )
    return parts + [f"Skipped: {what}" for what in report.skipped]


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
