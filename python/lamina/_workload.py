"""What the benchmarks train: a few networks of fixed shapes, and a NumPy network to compare with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    Weights = list[NDArray[np.float32]]

EPSILON = 1e-8  # of Adam
BETA_1, BETA_2 = 0.9, 0.999


@dataclass(frozen=True)
class Workload:
    """A chain of dense layers with relu between them, and how it is trained.

    `widths` begins with the inputs and ends with the outputs; `loss` is "mse" or "softmax" (with its
    cross-entropy of labels); `optimizer` is "adam" or "sgd"; `steps` is the number of batches of the data.
    """

    name: str
    widths: tuple[int, ...]
    loss: str
    batch: int
    optimizer: str
    steps: int
    learning_rate: float = 1e-3
    threads: int = 1

    @property
    def products(self) -> list[int]:
        """Weights of each layer's kernel."""
        return [a * b for a, b in zip(self.widths, self.widths[1:], strict=False)]

    @property
    def step_flops(self) -> float:
        """Operations of the matrix products of one step; the inputs of the first layer need no gradient."""
        return 2.0 * self.batch * (3 * sum(self.products) - self.products[0])

    def predict_flops(self, rows: int) -> float:
        """Operations of the matrix products that predict so many rows."""
        return 2.0 * rows * sum(self.products)

    @property
    def network(self) -> str:
        """The widths, a run of equal ones in short: '64-(16x64)-10'."""
        parts: list[list[int]] = []
        for width in self.widths:
            if parts and parts[-1][0] == width:
                parts[-1][1] += 1
            else:
                parts.append([width, 1])
        return "-".join(
            f"({count}x{width})" if count > 2 else "-".join([str(width)] * count) for width, count in parts
        )

    def data(self, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Draw rows for `steps` batches: normal inputs, and targets that can't be learnt by heart quickly."""
        generator = np.random.default_rng(seed)
        rows = self.batch * self.steps
        x = generator.standard_normal((rows, self.widths[0]), dtype=np.float32) * np.float32(0.5)
        if self.loss == "softmax":
            return x, generator.integers(0, self.widths[-1], rows)
        return x, generator.standard_normal((rows, self.widths[-1]), dtype=np.float32)

    def weights(self, seed: int = 0) -> Weights:
        """Draw initial weights, kernel and bias in turn: Glorot uniform, and zero."""
        generator = np.random.default_rng([seed, 1])
        weights: Weights = []
        for rows, columns in zip(self.widths, self.widths[1:], strict=False):
            limit = math.sqrt(6 / (rows + columns))
            weights.append(generator.uniform(-limit, limit, (rows, columns)).astype(np.float32))
            weights.append(np.zeros(columns, np.float32))
        return weights


ROWS = {
    row.name: row
    for row in [
        Workload("tiny", (20, 64, 64, 1), "mse", 32, "adam", steps=256),
        Workload("mnist", (784, 128, 10), "softmax", 32, "adam", steps=200),
        Workload("mnist1", (784, 128, 10), "softmax", 1, "sgd", steps=2048),
        Workload("deep", (64, *[64] * 16, 10), "softmax", 64, "adam", steps=128),
        Workload("wide", (784, 512, 512, 10), "softmax", 128, "adam", steps=16),
    ]
}


class NumpyNetwork:
    """A training step as one would write it in NumPy for speed.

    All memory is allocated beforehand and every operation writes in place. The optimizer goes over flat
    buffers in pieces that fit the L2 cache. float64 serves as a reference.
    """

    PIECE = 1 << 15  # parameters that the optimizer moves at a time

    def __init__(self, workload: Workload, weights: Weights, dtype: DTypeLike = np.float32) -> None:
        self.workload = workload
        self.dtype = np.dtype(dtype)
        shapes = [weight.shape for weight in weights]
        self.parameters = np.concatenate([weight.ravel() for weight in weights]).astype(self.dtype)
        self.gradient = np.zeros_like(self.parameters)
        self.slots = (
            [np.zeros_like(self.parameters) for _ in range(2)] if workload.optimizer == "adam" else []
        )
        self.scratch = np.empty(min(self.PIECE, len(self.parameters)), self.dtype)
        views, gradients = _split(self.parameters, shapes), _split(self.gradient, shapes)
        self.kernels, self.biases = views[::2], views[1::2]
        self.d_kernels, self.d_biases = gradients[::2], gradients[1::2]
        self.updates = 0
        self._reserve(workload.batch)

    def _reserve(self, rows: int) -> None:
        widths = self.workload.widths[1:]
        self.outputs = [np.empty((rows, width), self.dtype) for width in widths]
        self.deltas = [np.empty((rows, width), self.dtype) for width in widths[:-1]]
        self.masks = [np.empty((rows, width), bool) for width in widths[:-1]]
        self.row_index = np.arange(rows)

    def step(self, x: NDArray[Any], y: NDArray[Any]) -> float:
        """Train on one batch; returns its loss from before the step."""
        outputs = self._forward(x, [output[: len(x)] for output in self.outputs])
        loss = self._loss(outputs[-1], y)
        self._backward(x, outputs)
        self._update()
        return loss

    def predict(self, x: NDArray[Any]) -> NDArray[Any]:
        """Predict rows; with a softmax, their probabilities."""
        outputs = self._forward(
            x, [np.empty((len(x), width), self.dtype) for width in self.workload.widths[1:]]
        )
        return _softmax(outputs[-1]) if self.workload.loss == "softmax" else outputs[-1]

    def _forward(self, x: NDArray[Any], outputs: list[NDArray[Any]]) -> list[NDArray[Any]]:
        last = len(outputs) - 1
        for i, (kernel, bias, output) in enumerate(zip(self.kernels, self.biases, outputs, strict=True)):
            np.matmul(x, kernel, out=output)
            output += bias
            if i < last:
                np.maximum(output, 0, out=output)
            x = output
        return outputs

    def _loss(self, output: NDArray[Any], y: NDArray[Any]) -> float:
        """Return the mean loss; `output` becomes its gradient."""
        rows = len(output)
        if self.workload.loss == "softmax":
            _softmax(output)
            picked = self.row_index[:rows], y
            loss = -float(np.log(output[picked]).mean())
            output[picked] -= 1
            output *= 1 / rows
        else:
            output -= y
            flat = output.ravel()
            loss = float(flat @ flat) / output.size
            output *= 2 / output.size
        return loss

    def _backward(self, x: NDArray[Any], outputs: list[NDArray[Any]]) -> None:
        delta, rows = outputs[-1], len(x)
        for i in reversed(range(len(outputs))):
            source = outputs[i - 1] if i > 0 else x
            np.matmul(source.T, delta, out=self.d_kernels[i])
            np.sum(delta, axis=0, out=self.d_biases[i])
            if i > 0:
                below, mask = self.deltas[i - 1][:rows], self.masks[i - 1][:rows]
                np.matmul(delta, self.kernels[i].T, out=below)
                np.greater(source, 0, out=mask)
                delta = np.multiply(below, mask, out=below)

    def _update(self) -> None:
        self.updates += 1
        rate = self.workload.learning_rate
        if self.workload.optimizer == "sgd":
            self.gradient *= rate
            self.parameters -= self.gradient
            return
        rate *= math.sqrt(1 - BETA_2**self.updates) / (1 - BETA_1**self.updates)
        m, v = self.slots
        for begin in range(0, len(self.parameters), self.PIECE):
            piece = slice(begin, begin + self.PIECE)
            self._adam(self.parameters[piece], self.gradient[piece], m[piece], v[piece], rate)

    def _adam(self, w: NDArray[Any], g: NDArray[Any], m: NDArray[Any], v: NDArray[Any], rate: float) -> None:
        scratch = self.scratch[: len(w)]
        m *= BETA_1
        np.multiply(g, 1 - BETA_1, out=scratch)
        m += scratch
        v *= BETA_2
        np.multiply(g, g, out=scratch)
        scratch *= 1 - BETA_2
        v += scratch
        np.sqrt(v, out=scratch)
        scratch += EPSILON
        np.divide(m, scratch, out=scratch)
        scratch *= rate
        w -= scratch


def _split(flat: NDArray[Any], shapes: list[tuple[int, ...]]) -> list[NDArray[Any]]:
    ends = np.cumsum([math.prod(shape) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]


def _softmax(z: NDArray[Any]) -> NDArray[Any]:
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z
