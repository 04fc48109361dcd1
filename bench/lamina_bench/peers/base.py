"""What every peer offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from lamina._workload import Workload


class Peer(ABC):
    """A library that trains and predicts. Its constructor compiles and allocates what lasts."""

    what: ClassVar[str]  # what is measured, one line for the report

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload = workload
        self.threads = threads

    @abstractmethod
    def start(self, weights: list[np.ndarray], seed: int) -> None:
        """Begin anew: these weights (kernel and bias in turn), a fresh optimizer, `seed` for shuffling."""

    def bind(self, x: np.ndarray, y: np.ndarray) -> None:
        """Take the data that `run` passes over; conversions happen here."""
        self.x, self.y = x, y

    def losses(self, batches: list[tuple[np.ndarray, np.ndarray]]) -> list[float]:
        """Take a step on each batch by the very code that is measured; their losses from before the step."""
        raise NotImplementedError  # by a peer that only predicts

    def run(self, epochs: int, shuffle: bool) -> None:
        """Pass over the data, batch by batch; returns when the last step is complete."""
        raise NotImplementedError  # by a peer that only predicts

    @abstractmethod
    def predict(self, x: np.ndarray) -> np.ndarray:
        """NumPy array to NumPy array; with a softmax, probabilities."""

    def batches(self) -> list[slice]:
        """The rows of each batch of the data; the last may be smaller."""
        size = self.workload.batch
        return [slice(i, min(i + size, len(self.x))) for i in range(0, len(self.x), size)]
