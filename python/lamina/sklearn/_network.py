"""The lamina model that an estimator's parameters describe, and what it is trained to make small."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from .._layer import Layer
from .._loss import Loss
from ..layers import Activation, BatchNormalization, Dense, Dropout, Input
from ..losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    Hinge,
    Huber,
    KLDivergence,
    NegativeLogLikelihood,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from ..losses import get as loss_named
from ..model import Sequential
from ..regularizers import L1L2

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHTED = "mean_with_sample_weight"  # sum of w * loss over sum of w, scikit-learn's mean
_LARGE = 1 << 16  # weights of models of which no template is kept
_FAR = 1e18  # Huber's loss is error^2 / 2 up to here; the square of this is still a float32
_OUTPUTS = {"softmax": "softmax", "logistic": "sigmoid", "exp": "exponential", "identity": None}


@dataclass(frozen=True)
class Architecture:
    """Everything that the layers are made of."""

    n_features: int
    hidden: tuple[int, ...]
    activations: tuple[Any, ...]
    n_outputs: int
    output: str
    alpha: float
    l1: float
    dropout: tuple[float, ...]
    batch_norm: bool

    def build(self) -> Sequential:
        """Return a model with weights yet to be drawn."""
        sizes = [self.n_features, *self.hidden, self.n_outputs]
        if sum(inputs * outputs for inputs, outputs in pairwise(sizes)) > _LARGE:
            return Sequential(self.layers())
        return _template(self).clone()

    def layers(self) -> list[Layer]:
        """Return its layers."""
        penalised = self.alpha > 0 or self.l1 > 0
        dense = partial(Dense, kernel_regularizer=L1L2(self.l1, self.alpha / 2) if penalised else None)
        layers: list[Layer] = [Input((self.n_features,))]
        for size, activation, rate in zip(self.hidden, self.activations, self.dropout, strict=True):
            layers.append(dense(size, None if self.batch_norm else activation))
            if self.batch_norm:
                layers += [BatchNormalization(), Activation(activation)]
            if rate > 0:
                layers.append(Dropout(rate))
        layers.append(dense(self.n_outputs, _OUTPUTS[self.output]))
        return layers

    def draw(self, model: Sequential, random: np.random.RandomState) -> None:
        """Draw the weights as scikit-learn does (Glorot and Bengio, biases too), from the same numbers."""
        parameters = model.flat_parameters
        sizes = [self.n_features, *self.hidden, self.n_outputs]
        begin = 0
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            own = self.activations[min(index, len(self.activations) - 1)] if self.activations else None
            bound = math.sqrt((2.0 if own == "sigmoid" else 6.0) / (inputs + outputs))
            end = begin + (inputs + 1) * outputs  # the kernel, and then the bias
            parameters[begin:end] = random.uniform(-bound, bound, end - begin)
            begin = end + (2 * outputs if self.batch_norm else 0)  # which has gamma and beta

    @property
    def by_rows(self) -> bool:
        """Whether training treats every row by itself and without chance."""
        return not self.batch_norm and not any(self.dropout)


@lru_cache(maxsize=64)
def _template(architecture: Architecture) -> Sequential:
    """Return a model to clone, which takes a third of the time that making its layers takes."""
    return Sequential(architecture.layers())


_logits: WeakKeyDictionary[Sequential, Sequential] = WeakKeyDictionary()


def logits_of(model: Sequential, architecture: Architecture) -> Sequential:
    """Return the model without its last activation, with the weights that it has now."""
    twin = _logits.get(model)
    if twin is None:
        twin = _logits[model] = replace(architecture, output="identity").build()
    twin.set_weights(model.get_weights())
    return twin


def dense_layers(model: Sequential) -> list[Layer]:
    """Return the layers that have coefficients."""
    return [layer for layer in model.layers if isinstance(layer, Dense)]


@dataclass(frozen=True)
class Objective:
    """A loss of lamina, and how it stands to the figures that scikit-learn reports."""

    loss: Loss
    output: str  # activation of the output layer, by scikit-learn's name
    link: str | None  # what makes probabilities of outputs, where the output layer does not
    labels: bool = False  # targets are class numbers, not columns
    weight: float = 1.0  # factor of lamina's loss, a mean over outputs, in what is made small
    averages: int = (
        1  # scikit-learn reports the mean over so many outputs, but follows the gradient of their sum
    )
    own: bool = False  # one of scikit-learn's losses
    deviance: bool = False  # what is reported includes the terms that make it a deviance

    @property
    def weighs_rows(self) -> bool:
        """Whether a row of weight 2 is the same as that row twice."""
        reduction = self.loss.reduction
        return reduction == _WEIGHTED or reduction == "sum"


def squared_error(outputs: int) -> Objective:
    """Return half the squared error."""
    loss = Huber(_FAR, reduction=_WEIGHTED)
    return Objective(loss, "identity", None, weight=float(outputs), averages=outputs, own=True)


def poisson(outputs: int) -> Objective:
    """Return half the Poisson deviance, of rates exp(...)."""
    loss = Poisson(reduction=_WEIGHTED)
    return Objective(loss, "exp", None, weight=float(outputs), own=True, deviance=True)


@cache  # losses are fixed once they are made, and two networks can have the same
def log_loss(kind: str, outputs: int) -> Objective:
    """Return the cross-entropy of classes, or of labels that are there or not."""
    if kind == "multiclass":
        return Objective(
            SparseCategoricalCrossentropy(reduction=_WEIGHTED), "softmax", None, labels=True, own=True
        )
    loss = BinaryCrossentropy(reduction=_WEIGHTED)
    return Objective(loss, "logistic", None, weight=float(outputs), own=True)


def regression(loss: Any) -> Objective:
    """Return one of lamina's losses, for numbers."""
    loss = loss_named(loss)
    return Objective(loss, "exp" if isinstance(loss, Poisson) else "identity", None)


def classification(loss: Any, kind: str) -> Objective:
    """Return one of lamina's losses, for classes."""
    loss = loss_named(loss)
    if isinstance(loss, (Hinge, SquaredHinge)):
        return Objective(loss, "identity", None)
    several = kind == "multiclass" or (kind == "binary" and needs_columns(loss))
    probabilities = "softmax" if several else "logistic"
    logits = bool(getattr(loss, "from_logits", False))
    return Objective(
        loss,
        "identity" if logits else probabilities,
        probabilities if logits else None,
        labels=isinstance(loss, SparseCategoricalCrossentropy),
    )


def needs_columns(loss: Loss) -> bool:
    """Whether a loss compares distributions over classes, so that two classes take two outputs."""
    kinds = (CategoricalCrossentropy, SparseCategoricalCrossentropy, NegativeLogLikelihood, KLDivergence)
    return isinstance(loss, kinds)


def penalty(model: Sequential, architecture: Architecture) -> float:
    """Return the penalty of the weights, before it is divided by the number of rows."""
    total = 0.0
    if architecture.alpha > 0 or architecture.l1 > 0:
        for layer in dense_layers(model):
            kernel: NDArray[np.float64] = layer.kernel.astype(np.float64).ravel()
            total += architecture.alpha / 2 * float(kernel @ kernel)
            total += architecture.l1 * float(np.abs(kernel).sum())
    return total
