"""The rows of the benchmark: those of `lamina bench`, larger ones, and Fashion-MNIST."""

from __future__ import annotations

import math

import numpy as np

from lamina._workload import BETA_1, BETA_2, EPSILON, NumpyNetwork, Workload
from lamina._workload import ROWS as SMALL_ROWS

TRAINING = {
    **SMALL_ROWS,
    "large": Workload("large", (1024, 4096, 4096, 1024), "mse", 256, "sgd", steps=2, threads=2),
}
# Models of growing size, for the curve of lamina's lead: width 8 takes 600 weights, width 2048 eight million.
CROSSOVER = {
    f"width{width}": Workload(
        f"width{width}", (64, width, width, 10), "softmax", 64, "adam", steps=max(2, 128 * 64 // (width + 64))
    )
    for width in (8, 16, 32, 64, 128, 256, 512, 1024, 2048)
}
FASHION = Workload("fashion", (784, 256, 128, 10), "softmax", 128, "adam", steps=8, threads=2)
FASHION_EPOCHS = 10
FASHION_SEEDS = (0, 1, 2)
# Name -> (workload, rows in a call of predict).
PREDICTION = {
    "predict-tiny": (TRAINING["tiny"], 1),
    "predict-mnist": (TRAINING["mnist"], 1),
    "predict-wide": (TRAINING["wide"], 4096),
}

DEFAULT_ROWS = [*TRAINING, *PREDICTION, "fashion", "footprint"]
ALL_ROWS = [*DEFAULT_ROWS, "crossover"]
AVX2_ROWS = ["tiny", "mnist", "wide"]


def workload_named(name: str) -> Workload:
    """The workload that a row trains or predicts with."""
    if name in PREDICTION:
        return PREDICTION[name][0]
    return {**TRAINING, **CROSSOVER, "fashion": FASHION}[name]


class _CorrectedEpsilonNetwork(NumpyNetwork):
    """Adam as PyTorch writes it: epsilon is added to the root of the corrected v, not of v itself."""

    def _adam(self, w: np.ndarray, g: np.ndarray, m: np.ndarray, v: np.ndarray, rate: float) -> None:
        m += (1 - BETA_1) * (g - m)
        v += (1 - BETA_2) * (g * g - v)
        w -= rate * m / (np.sqrt(v) + EPSILON * math.sqrt(1 - BETA_2**self.updates))


def reference_losses(workload: Workload, steps: int, corrects_epsilon: bool = False) -> list[float]:
    """Losses of the first steps in float64, by the formula of Adam that a peer has."""
    kind = _CorrectedEpsilonNetwork if corrects_epsilon else NumpyNetwork
    network = kind(workload, workload.weights(), np.float64)
    x, y = workload.data()
    return [network.step(*batch_of(workload, x, y, i)) for i in range(steps)]


def reference_prediction(workload: Workload, x: np.ndarray) -> np.ndarray:
    """What the initial weights predict, in float64."""
    return NumpyNetwork(workload, workload.weights(), np.float64).predict(x)


def batch_of(workload: Workload, x: np.ndarray, y: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Batch `index` of the data, which begins anew where it ends."""
    begin = index % workload.steps * workload.batch
    return x[begin : begin + workload.batch], y[begin : begin + workload.batch]
