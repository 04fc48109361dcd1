"""The results as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from .report import Report
from .workloads import CROSSOVER

_DPI = 130


def write_plots(report: Report, folder: Path) -> list[Path]:
    """Draw what there is; returns the files."""
    written = []
    rows = report.training() + report.prediction()
    for name, draw, wanted in (
        ("ratios.png", _ratios, rows),
        ("peak.png", _peak, rows),
        ("crossover.png", _crossover, report.crossover()),
        ("fashion.png", _fashion, report.fashion),
    ):
        if wanted:
            written.append(folder / name)
            figure = draw(wanted)
            figure.savefig(written[-1], dpi=_DPI, bbox_inches="tight")
            plt.close(figure)
    return written


def _ratios(results: Any) -> Any:
    """Each peer's median over lamina's, a group of bars for each row."""
    labels = list(dict.fromkeys(e.label for r in results for e in r.entries if e.label != "lamina"))
    figure, axes = plt.subplots(figsize=(1.5 + 1.3 * len(results), 4))
    width = 0.8 / max(1, len(labels))
    for i, label in enumerate(labels):
        found = [(at, r.entry(label)) for at, r in enumerate(results) if r.entry(label) is not None]
        places = [at + (i - (len(labels) - 1) / 2) * width for at, _ in found]
        axes.bar(places, [e.median / results[at].lamina.median for at, e in found], width, label=label)
    axes.axhline(1, color="black", linewidth=1)
    axes.set_yscale("log")
    axes.set_xticks(range(len(results)), [r.row for r in results])
    axes.set_ylabel("time over lamina's time")
    axes.legend(fontsize=8)
    return figure


def _peak(results: Any) -> Any:
    """Share of the multiply-add peak, lamina and the fastest peer."""
    figure, axes = plt.subplots(figsize=(1.5 + 0.9 * len(results), 4))
    for shift, name in ((-0.2, "lamina"), (0.2, "fastest peer")):
        entries = [r.lamina if name == "lamina" else r.fastest_peer for r in results]
        shares = [100 * r.peak_seconds / e.median if e else 0 for r, e in zip(results, entries, strict=True)]
        axes.bar([at + shift for at in range(len(results))], shares, 0.4, label=name)
    axes.set_xticks(range(len(results)), [r.row for r in results])
    axes.set_ylabel("share of the multiply-add peak, %")
    axes.legend()
    return figure


def _crossover(results: Any) -> Any:
    """Each peer's median over lamina's by the number of weights."""
    labels = list(dict.fromkeys(e.label for r in results for e in r.entries if e.label != "lamina"))
    figure, axes = plt.subplots(figsize=(7, 4))
    for label in labels:
        found = [(sum(CROSSOVER[r.row].products), r, r.entry(label)) for r in results]
        points = [(weights, e.median / r.lamina.median) for weights, r, e in found if e is not None]
        axes.plot(*zip(*points, strict=True), marker="o", label=label)
    axes.axhline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("weights of the model (64-n-n-10, batch 64, Adam)")
    axes.set_ylabel("time over lamina's time")
    axes.legend(fontsize=8)
    return figure


def _fashion(result: Any) -> Any:
    """Time against accuracy, a point for each seed."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for training in result.trainings:
        axes.plot(training.seconds, training.accuracy, "o", label=training.name)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"seconds of {result.epochs} epochs")
    axes.set_ylabel("test accuracy")
    axes.legend(fontsize=8)
    return figure
