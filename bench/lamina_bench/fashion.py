"""Fashion-MNIST: time and test accuracy of whole trainings, from the same initial weights, shuffled."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import lamina as lm

from .crew import Member, crew
from .environment import cpus
from .machine import FmaPeak
from .measure import Options, checked, labels
from .workloads import FASHION, FASHION_EPOCHS, FASHION_SEEDS

# Where Debian's package dataset-fashion-mnist has put its files.
FOLDERS = ["/usr/share/datasets/fashion-mnist", "/usr/share/dataset-fashion-mnist"]


@dataclass
class Training:
    """What one peer needed: seconds and test accuracy for each seed."""

    name: str
    seconds: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def mean_accuracy(self) -> float:
        return statistics.mean(self.accuracy)


@dataclass
class FashionResult:
    """All peers' trainings; flops and peak (GFLOP/s) of one training."""

    epochs: int
    threads: int
    flops: float
    peak: float
    trainings: list[Training]

    @property
    def peak_seconds(self) -> float:
        return self.flops / (self.peak * 1e9)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def data_folder() -> Path | None:
    """Where the IDX files are, or None."""
    return next((Path(folder) for folder in FOLDERS if Path(folder).is_dir()), None)


def write_arrays(source: Path, folder: Path, as_float: bool) -> None:
    """Write x, y, x_test, y_test as .npy: flat rows, uint8 or float32 in [0, 1]."""
    (x, y), (x_test, y_test) = lm.datasets.fashion_mnist(source)
    for name, images in (("x", x), ("x_test", x_test)):
        rows = images.reshape(len(images), -1)
        np.save(folder / f"{name}.npy", rows.astype(np.float32) / np.float32(255) if as_float else rows)
    for name, classes in (("y", y), ("y_test", y_test)):
        np.save(folder / f"{name}.npy", classes.astype(np.int64))


def measure_fashion(
    options: Options, peak: FmaPeak, source: Path, epochs: int = FASHION_EPOCHS
) -> FashionResult:
    """Check that all compute the same first losses, then train with every peer and seed, in turn."""
    threads = len(cpus(FASHION.threads))
    names = labels(options.peers, "fashion")
    entries = [(label, label, threads) for label in names]
    if threads > 1:
        entries.append(("lamina, 1 thread", "lamina", 1))
    trainings = [Training(name) for name, _, _ in entries]
    peaks = []
    with tempfile.TemporaryDirectory(prefix="lamina-bench-") as folder:
        write_arrays(source, Path(folder), as_float=True)
        rows = len(np.load(Path(folder, "y.npy"), mmap_mode="r"))
        with crew(entries, "fashion", options.isa) as members:
            for member, (_, label, its_threads) in zip(members, entries, strict=True):
                checked(member, label, "fashion", its_threads)
            for seed in FASHION_SEEDS:
                peaks.append(peak.window(threads, options.window))
                for member, training in zip(members, trainings, strict=True):
                    _train(member, training, folder, epochs, seed)
    flops = FASHION.step_flops / FASHION.batch * rows * epochs
    return FashionResult(epochs, threads, flops, max(peaks), trainings)


def _train(member: Member, training: Training, folder: str, epochs: int, seed: int) -> None:
    seconds, accuracy = member.ask("fit", folder, epochs, seed)
    training.seconds.append(seconds)
    training.accuracy.append(accuracy)
