# Written by `python -m lamina._stubs` from the declarations in C++.
# ruff: noqa: D205
"""Losses: what training makes small. Formulas, epsilons and defaults are those of Keras 3.

Each is callable on arrays, `MeanSquaredError()(y_true, y_pred)`, and has `value_and_gradient`. A loss of your
own is a subclass of `Loss`.
"""

from collections.abc import Mapping
from typing import Any, Final

from ._loss import Loss

__all__ = [
    "Loss",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "BinaryCrossentropy",
    "NegativeLogLikelihood",
    "MeanSquaredError",
    "MeanAbsoluteError",
    "Huber",
    "LogCosh",
    "Hinge",
    "SquaredHinge",
    "KLDivergence",
    "Poisson",
    "CosineSimilarity",
    "BinaryFocalCrossentropy",
    "get",
]

class CategoricalCrossentropy(Loss):
    """Cross-entropy over classes of one-hot targets: -sum(y_true * log(y_pred))."""

    from_logits: Final[bool]
    label_smoothing: Final[float]
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy over classes of integer labels: -log(y_pred[label])."""

    from_logits: Final[bool]
    ignore_class: Final[int | None]
    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class BinaryCrossentropy(Loss):
    """Cross-entropy of yes/no answers, one a column: mean(-(y_true * log(y_pred) + (1 - y_true) * log(1 -
    y_pred))).
    """

    from_logits: Final[bool]
    label_smoothing: Final[float]
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class NegativeLogLikelihood(Loss):
    """Negative log-likelihood of one-hot targets: categorical cross-entropy under its statistical name."""

    from_logits: Final[bool]
    label_smoothing: Final[float]
    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class MeanSquaredError(Loss):
    """Mean of the squared errors: mean((y_pred - y_true)^2)."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class MeanAbsoluteError(Loss):
    """Mean of the absolute errors: `mean(|y_pred - y_true|)`."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class Huber(Loss):
    """Squared error / 2 where `|y_pred - y_true| <= delta`, and a line from there on: outliers pull less."""

    delta: Final[float]
    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class LogCosh(Loss):
    """Logarithm of the hyperbolic cosine of the error: mean(log(cosh(error)))."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class Hinge(Loss):
    """Hinge loss: mean(max(1 - y_true * y_pred, 0)). Targets are -1 and 1; a batch of only 0 and 1 is
    converted.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class SquaredHinge(Loss):
    """Squared hinge loss: mean(max(1 - y_true * y_pred, 0)^2). Targets are -1 and 1; a batch of only 0 and
    1 is converted.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class KLDivergence(Loss):
    """Kullback-Leibler divergence: sum(y_true * log(y_true / y_pred)), both clipped to [1e-7, 1]."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class Poisson(Loss):
    """Poisson loss of counts: mean(y_pred - y_true * log(y_pred + 1e-7))."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class CosineSimilarity(Loss):
    """Negative cosine similarity: -sum(l2_norm(y_true) * l2_norm(y_pred)), between -1 and 1."""

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

class BinaryFocalCrossentropy(Loss):
    """Binary cross-entropy times (1 - p_t)^gamma, where p_t is the probability given to the truth: easy
    examples count less.
    """

    apply_class_balancing: Final[bool]
    alpha: Final[float]
    gamma: Final[float]
    from_logits: Final[bool]
    label_smoothing: Final[float]
    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
    ) -> None: ...

def get(identifier: Loss | type[Loss] | str | Mapping[str, Any]) -> Loss:
    """Return the loss that a name, a class, a config or an object stands for."""
