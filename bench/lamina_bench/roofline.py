"""`python -m lamina_bench.roofline`: what bounds each row, and how near lamina comes to it.

For each row, the least that a training step can take on this machine:

- arithmetic: the multiply-adds of the products at the measured peak, and the optimizer's vector operations,
  which use the same units;
- the bytes that must come into the L1 cache, into L2, and from memory, each at the bandwidth measured there.
  An array must come from beyond a cache where more than the cache holds was touched since its last use:
  caches keep what was used last, and blocking can't do better than to move each operand of a pass once.

Arithmetic and the three streams can go on at the same time, so the bound is the longest of them. Weights,
their slots and the columns of outputs are shared by the threads; the inputs of a layer are read by each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lamina._workload import Workload

from .bound import bandwidth
from .machine import FmaPeak, cache_bytes
from .measure import Options, measure_row
from .workloads import TRAINING, workload_named

# Vector operations of an update that take a slot of a multiply-add, for each vector of parameters.
UPDATE_OPERATIONS = {"adam": 12, "sgd": 1}
SLOTS = {"adam": ("m", "v"), "sgd": ()}
ROWS = [*TRAINING]


@dataclass(frozen=True)
class Touch:
    """An array that a pass reads, writes or both, as one thread sees it."""

    array: str
    bytes: int
    times: int = 1  # 2 where it is read and written
    every: int = 1  # the same bytes come again after so many steps: of the data, a step reads one batch


def touches(workload: Workload, threads: int) -> list[Touch]:
    """What one thread touches in a step, in order."""
    widths, batch = workload.widths, workload.batch
    layers = range(1, len(widths))
    shared = {layer: 4 * widths[layer - 1] * widths[layer] // threads for layer in layers}

    def rows(name: str, layer: int, times: int = 1, own: bool = False) -> Touch:
        return Touch(f"{name}{layer}", 4 * batch * widths[layer] // (threads if own else 1), times)

    batch_bytes = 4 * batch * widths[0] // threads
    step = [Touch("data", batch_bytes, every=workload.steps), rows("a", 0, own=True)]
    for layer in layers:
        step += [rows("a", layer - 1), Touch(f"w{layer}", shared[layer]), rows("a", layer, own=True)]
    step += [rows("a", len(widths) - 1, own=True), rows("d", len(widths) - 1, own=True)]
    for layer in reversed(layers):
        if layer > 1:
            step += [
                rows("d", layer),
                Touch(f"w{layer}", shared[layer]),
                rows("a", layer - 1, own=True),
                rows("d", layer - 1, own=True),
            ]
        step += [rows("a", layer - 1), rows("d", layer, own=True), Touch(f"w{layer}", shared[layer], 2)]
        step += [Touch(f"{slot}{layer}", shared[layer], 2) for slot in SLOTS[workload.optimizer]]
    return step


def bytes_beyond(step: Sequence[Touch], cache: int) -> int:
    """Bytes of a step, repeated for ever, that come from beyond a cache which keeps what was used last."""
    everything = sum({touch.array: touch.bytes * touch.every for touch in step}.values())
    moved, recent = 0, dict[str, int]()  # the arrays used, the last one last
    for turn in range(2):
        for touch in step:
            name = touch.array if touch.every == 1 else f"{touch.array} of step {turn}"
            names = list(recent)
            used = everything
            if name in recent:
                used = sum(recent[other] for other in names[names.index(name) :])
                del recent[name]
            recent[name] = touch.bytes
            if turn == 1 and used > cache:
                moved += touch.times * touch.bytes
    return moved


@dataclass
class Roofline:
    """Seconds."""

    multiply_adds: float
    optimizer: float
    into_l1: float
    into_l2: float
    memory: float
    megabytes: tuple[float, float, float]

    @property
    def bound(self) -> float:
        """The longest of arithmetic and the three streams."""
        return max(self.multiply_adds + self.optimizer, self.into_l1, self.into_l2, self.memory)


def roofline(
    workload: Workload, threads: int, peak: float, caches: Sequence[int], bytes_per_second: Sequence[float]
) -> Roofline:
    """The least seconds of a step; peak in GFLOP/s of all threads, caches and bandwidths of L1, L2, L3."""
    updates = UPDATE_OPERATIONS[workload.optimizer] * 2.0 * sum(workload.products)
    step = touches(workload, threads)
    moved = [bytes_beyond(step, cache) for cache in caches]
    seconds = [count / speed for count, speed in zip(moved, bytes_per_second, strict=True)]
    megabytes = (moved[0] / 1e6, moved[1] / 1e6, moved[2] / 1e6)
    return Roofline(workload.step_flops / peak / 1e9, updates / peak / 1e9, *seconds, megabytes)


def bandwidths(caches: Sequence[int], threads: int) -> list[float]:
    """Bytes per second of each thread, of reading and writing what lies in L2, in L3 and in memory."""
    sizes = [caches[1] // 2, min(4 * caches[1], caches[2] // 2), 4 * caches[2]]
    with ThreadPoolExecutor(threads) as pool:
        return [min(pool.map(bandwidth, [size // 4] * threads, [0.3] * threads)) for size in sizes]


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="bench/run.sh roofline", description=__doc__)
    parser.add_argument("--rows", default=",".join(ROWS), help="comma-separated")
    parser.add_argument("--isa", choices=["avx2"], help="limit lamina to AVX2")
    parser.add_argument("--out", type=Path, help="a file for the table, beside the terminal")
    arguments = parser.parse_args()
    lines = [*header(), *(line(row, arguments.isa) for row in arguments.rows.split(","))]
    print("\n".join(lines))
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n")


def header() -> list[str]:
    """The first lines of the table."""
    names = (
        "row | threads | multiply-adds | optimizer | into L1 | into L2 | memory | bound | step | of the bound"
    )
    return [f"| {names} |", "|" + "---|" * (names.count("|") + 1)]


def line(row: str, isa: str | None) -> str:
    """Measure a row."""
    print(f"{row} ...", file=sys.stderr, flush=True)
    workload = workload_named(row)
    result = measure_row(row, Options([], isa, window=0.3, rounds=5), FmaPeak(isa))
    caches = cache_bytes()
    least = roofline(workload, result.threads, result.peak, caches, bandwidths(caches, result.threads))
    streams = zip((least.into_l1, least.into_l2, least.memory), least.megabytes, strict=True)
    cells = [
        row,
        str(result.threads),
        us(least.multiply_adds),
        us(least.optimizer),
        *(f"{us(seconds)} ({megabytes:.3g} MB)" for seconds, megabytes in streams),
        us(least.bound),
        us(result.lamina.median),
        f"{least.bound / result.lamina.median:.0%}",
    ]
    return "| " + " | ".join(cells) + " |"


def us(seconds: float) -> str:
    """Microseconds, three figures or more."""
    value = seconds * 1e6
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
