"""`python -m lamina_bench.sweep`: a network of two square layers at many widths and batches.

Each cell is lamina's share of the multiply-add peak on one thread, of a training step and of a prediction.
Listed are the cells below 60 % of the mean of their neighbours: of the shares, which fall towards
small widths and batches whatever the library, as a call costs something and lanes stay empty; and of what a
cell attains of its own bound (bound.py), where a cliff is lamina's. With `--numpy` the cells where NumPy is
faster are listed, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from lamina._bench import trainer_of
from lamina._workload import NumpyNetwork, Workload

from .bound import bandwidth, least_seconds
from .environment import cpus, worker_environment
from .machine import FmaPeak, vector_lanes

WIDTHS = [8, 16, 17, 32, 64, 127, 128, 129, 256, 512, 1000, 1024, 2048, 4096]
BATCHES = [1, 2, 4, 8, 16, 17, 32, 64, 127, 128, 129, 256, 512, 1000, 1024, 2048, 4096]
CLIFF = 0.6
_MOST_ELEMENTS = 1 << 23  # of the inputs of one pass
_STEPS = 64  # a pass at most
_INSIDE = "LAMINA_BENCH_SWEEP"  # set in the process that measures


@dataclass
class Cell:
    """Seconds of a step and of a call of predict, the best of some windows; NumPy's are None without it."""

    width: int
    batch: int
    step: float
    predict: float
    step_share: float
    predict_share: float
    step_least: float  # seconds of arithmetic or memory, without what a call costs
    predict_least: float
    numpy_step: float | None = None
    numpy_predict: float | None = None


@dataclass
class Limits:
    """GFLOP/s, lanes of a vector, and bytes per second of memory as large as the kernels."""

    peak: float
    lanes: int
    bytes_per_second: float


def measure_cell(width: int, batch: int, limits: Limits, window: float, with_numpy: bool) -> Cell:
    """Measure a width and a batch."""
    steps = max(1, min(_STEPS, _MOST_ELEMENTS // (width * batch)))
    workload = Workload("sweep", (width, width, width), "mse", batch, "sgd", steps)
    x, y = workload.data()
    trainer = trainer_of(workload)
    model, rows = trainer.model, x[:batch]

    def train(times: int) -> None:
        trainer.fit(x, y, epochs=times, batch_size=batch, shuffle=False, verbose=0)

    def predict(times: int) -> None:
        for _ in range(times):
            model.predict(rows)

    step, prediction = best(train, window) / steps, best(predict, window)
    floor = 1e-9 / limits.peak
    shares = workload.step_flops * floor / step, workload.predict_flops(batch) * floor / prediction
    least = [
        least_seconds(kind, width, batch, limits.lanes, limits.peak, limits.bytes_per_second)
        for kind in ("step", "predict")
    ]
    cell = Cell(width, batch, step, prediction, *shares, *least)
    if with_numpy:
        network = NumpyNetwork(workload, workload.weights())

        def numpy_train(times: int) -> None:
            for _ in range(times):
                for i in range(0, len(x), batch):
                    network.step(x[i : i + batch], y[i : i + batch])

        def numpy_predict(times: int) -> None:
            for _ in range(times):
                network.predict(rows)

        cell.numpy_step = best(numpy_train, window) / steps
        cell.numpy_predict = best(numpy_predict, window)
    return cell


def best(work: Any, window: float, windows: int = 3) -> float:
    """Seconds of one go, in the best of some windows."""
    start = perf_counter()
    work(1)
    taken = perf_counter() - start
    if taken < window:  # the first go warmed up
        start = perf_counter()
        work(1)
        taken = perf_counter() - start
    count = max(1, round(window / max(taken, 1e-7)))
    times = []
    for _ in range(windows):
        start = perf_counter()
        work(count)
        times.append((perf_counter() - start) / count)
    return min(times)


def cliffs(shares: np.ndarray) -> list[tuple[int, int, float, float]]:
    """Row, column and ratio of the cells below CLIFF times the mean of their (up to 8) neighbours.

    The last number is the ratio to the geometric mean, which a steady slope of the logarithm leaves at 1.
    """
    found = []
    for i, j in np.ndindex(shares.shape):
        around = shares[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2]
        if around.size == 1:
            continue
        mean = (around.sum() - shares[i, j]) / (around.size - 1)
        if shares[i, j] < CLIFF * mean:
            logarithm = (np.log(around).sum() - np.log(shares[i, j])) / (around.size - 1)
            found.append((i, j, float(shares[i, j] / mean), float(shares[i, j] / np.exp(logarithm))))
    return found


def attained(cells: list[Cell], kind: str) -> list[float]:
    """The share of its bound that each cell attains."""
    fixed = min(getattr(cell, kind) for cell in cells)
    return [(fixed + getattr(cell, f"{kind}_least")) / getattr(cell, kind) for cell in cells]


def report(cells: list[Cell], widths: list[int], batches: list[int], folder: Path) -> str:
    """Write sweep.json, sweep.png and sweep.md; returns the text of the last."""
    rows = [vars(cell) for cell in cells]
    (folder / "sweep.json").write_text(json.dumps(rows, indent=1) + "\n")
    grids = {
        kind: np.array([row[f"{kind}_share"] for row in rows]).reshape(len(widths), len(batches))
        for kind in ("step", "predict")
    }
    _draw(grids, widths, batches, folder / "sweep.png")
    lines = ["# Sweep of widths and batches", ""]
    for kind, grid in grids.items():
        of_bound = np.array(attained(cells, kind)).reshape(grid.shape)
        for name, values in ((f"{kind}, of the peak", grid), (f"{kind}, of the cell's own bound", of_bound)):
            lines += [
                f"{name}: {values.min():.1%} to {values.max():.1%}; below {CLIFF:.0%} of neighbours:",
                "",
            ]
            lines += [
                f"- width {widths[i]}, batch {batches[j]}: {values[i, j]:.1%}, {ratio:.0%} of the mean, "
                f"{geometric:.0%} of the geometric mean"
                for i, j, ratio, geometric in cliffs(values)
            ] or ["- none"]
            lines.append("")
        if rows[0][f"numpy_{kind}"] is not None:
            slower = [row for row in rows if row[kind] > row[f"numpy_{kind}"]]
            lines += [f"{kind}: cells in which NumPy is faster:", ""]
            lines += [
                f"- width {row['width']}, batch {row['batch']}: {row[f'numpy_{kind}'] / row[kind]:.2f}"
                for row in slower
            ] or ["- none"]
            lines.append("")
    text = "\n".join(lines)
    (folder / "sweep.md").write_text(text)
    return text


def _draw(grids: dict[str, np.ndarray], widths: list[int], batches: list[int], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(16, 6.5))
    for axes, (kind, grid) in zip(panels, grids.items(), strict=True):
        image = axes.imshow(100 * grid, vmin=0, vmax=100, origin="lower", aspect="auto")
        for i, j in np.ndindex(grid.shape):
            axes.text(j, i, f"{100 * grid[i, j]:.0f}", ha="center", va="center", fontsize=7, color="white")
        for i, j, _, _ in cliffs(grid):
            axes.add_patch(plt.Rectangle((j - 0.5, i - 0.5), 1, 1, fill=False, color="red", linewidth=2))
        axes.set_xticks(range(len(batches)), map(str, batches), rotation=60)
        axes.set_yticks(range(len(widths)), map(str, widths))
        axes.set_xlabel("batch")
        axes.set_ylabel("width")
        axes.set_title(f"{kind}: % of the multiply-add peak")
        figure.colorbar(image, ax=axes)
    figure.savefig(path, dpi=130, bbox_inches="tight")
    plt.close(figure)


def measure(arguments: argparse.Namespace) -> None:
    """Measure all cells, one after another, in this process."""
    os.sched_setaffinity(0, cpus(1))
    folder = Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    fma = FmaPeak(arguments.isa)
    cells = []
    for width in arguments.widths:
        peak = max(fma.window(1, 0.1) for _ in range(3))
        limits = Limits(peak, vector_lanes(arguments.isa), bandwidth(2 * width * width))
        for batch in arguments.batches:
            cells.append(measure_cell(width, batch, limits, arguments.window, arguments.numpy))
        shares = " ".join(f"{100 * cell.step_share:.0f}" for cell in cells[-len(arguments.batches) :])
        print(f"width {width}: {shares} % of {peak:.0f} GFLOP/s", file=sys.stderr, flush=True)
    print(report(cells, arguments.widths, arguments.batches, folder))


def main() -> None:
    """Start a process with one thread for every library, which measures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--widths", type=_numbers, default=WIDTHS)
    parser.add_argument("--batches", type=_numbers, default=BATCHES)
    parser.add_argument("--window", type=float, default=0.03, help="seconds of a window")
    parser.add_argument("--numpy", action="store_true", help="measure NumPy, too")
    parser.add_argument("--isa", choices=["avx2"], help="limit both to AVX2")
    parser.add_argument("--out", default="bench-results", help="folder to write to")
    arguments = parser.parse_args()
    if _INSIDE in os.environ:
        measure(arguments)
        return
    environment = {**worker_environment(1, arguments.isa), _INSIDE: "1"}
    command = [sys.executable, "-m", "lamina_bench.sweep", *sys.argv[1:]]
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


if __name__ == "__main__":
    main()
