"""The base class of losses, built in or written in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._arrays import as_float32, as_rows
from ._configurable import Configurable
from ._targets import Targets

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_DEFAULT_REDUCTION = "sum_over_batch_size"


class Loss(Configurable):
    """What training makes small.

    A loss of your own is a subclass with `value_and_gradient(self, y_true, y_pred)` in NumPy. It gets y_true
    in the shape given to `fit` (integers stay integers, floats become float32), and y_pred as float32
    `(batch, ...)`. It returns either the loss of the batch, one number, and its gradient by y_pred; or the
    loss of each row, `(batch,)`, and the gradient of their sum. Sample weights need the second. An attribute
    `reduction` says how the losses of the rows become one: "sum_over_batch_size" (their mean; the default),
    "sum" or "mean_with_sample_weight".

    Examples
    --------
    >>> class Cubic(lm.losses.Loss):
    ...     def value_and_gradient(self, y_true, y_pred):
    ...         error = np.abs(y_pred - y_true)
    ...         return (error**3).mean(axis=1), 3 * error**2 * np.sign(y_pred - y_true) / error.shape[1]
    >>> Cubic()([[0.0]], [[2.0]])
    8.0
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "adam", Cubic())
    """

    _kind = "loss"
    _handle: _core.Loss
    reduction: str | None

    def __call__(
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float | NDArray[np.float32]:
        """Return the loss of predictions (n, ...): one number; with `reduction=None` one for each row."""
        weights = None if sample_weight is None else as_float32(sample_weight, "sample_weight")
        value, _, rows = self._evaluate(y_true, y_pred, weights)
        if self.reduction not in (None, "none"):
            return value
        rows = rows.reshape(np.shape(y_pred)[:-1]) if np.ndim(y_pred) > 1 else rows
        return rows if weights is None else rows * weights.reshape(-1, *[1] * (rows.ndim - 1))

    def value_and_gradient(self, y_true: Any, y_pred: Any) -> tuple[Any, NDArray[Any]]:
        """Return the loss, reduced to one number, and its gradient by y_pred, float32 of y_pred's shape.

        Parameters
        ----------
        y_true : array of shape (n, ...)
            Targets, as the loss wants them.
        y_pred : array of shape (n, ...)
            Predictions.

        Examples
        --------
        >>> lm.losses.MeanSquaredError().value_and_gradient([[0, 0]], [[1, 3]])
        (5.0, array([[1., 3.]], dtype=float32))
        """
        if type(self)._schema is None:
            raise NotImplementedError(
                f"{type(self).__name__}: expected a method value_and_gradient(self, y_true, y_pred)."
            )
        value, gradient, _ = self._evaluate(y_true, y_pred, None)
        return value, gradient

    def __getattr__(self, name: str) -> Any:
        if name == "reduction" and type(self)._schema is None:
            return _DEFAULT_REDUCTION
        return super().__getattr__(name)

    def _is_custom(self) -> bool:
        return type(self).value_and_gradient is not Loss.value_and_gradient or type(self)._schema is None

    def _core_loss(self, targets: Targets) -> _core.Loss:
        """Return the loss as the core takes it."""
        if self._is_custom():
            name = type(self).__name__
            function = targets.loss(self.value_and_gradient, name)
            return _core.Loss.from_callable(function, name, self.reduction or "none")
        return self._handle

    def _evaluate(
        self, y_true: ArrayLike, y_pred: ArrayLike, weights: NDArray[np.float32] | None
    ) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
        target = as_rows(y_true, "y_true")
        return self._core_loss(Targets(target.dtype)).evaluate(target, as_float32(y_pred, "y_pred"), weights)
