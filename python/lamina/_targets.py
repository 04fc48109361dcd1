"""The type of targets that Python-written losses and metrics are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrays import as_array
from .errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Targets:
    """Remembers what type the user's y has: the core hands targets on as float32.

    Integers and truth values come back as they were, exactly up to 2^24; float64 and float16 stay float32.
    """

    def __init__(self, dtype: np.dtype[Any] | None = None) -> None:
        self.dtype = dtype

    def loss(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Return a user's `value_and_gradient` with y_true in the user's type and its result checked."""

        def call(y_true: NDArray[Any], y_pred: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
            result = function(self._restored(y_true), y_pred)
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise ArgumentError(
                    f"{name}: expected value_and_gradient to return (value, gradient), "
                    f"got {_describe(result)}."
                )
            value, gradient = result
            return as_array(value, f"{name}: value"), as_array(gradient, f"{name}: gradient")

        return call

    def metric(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Return a user's metric with y_true in the user's type and its result checked."""

        def call(y_true: NDArray[Any], y_pred: NDArray[Any]) -> NDArray[Any]:
            result = as_array(function(self._restored(y_true), y_pred), f"Metric '{name}'")
            if result.ndim > 0 and len(result) != len(y_pred):
                raise ShapeError(
                    f"Metric '{name}': expected a number, or one for each of {len(y_pred)} rows, "
                    f"got an array of shape {result.shape}."
                )
            return result

        return call

    def _restored(self, y_true: NDArray[Any]) -> NDArray[Any]:
        if self.dtype is not None and self.dtype.kind in "biu":
            return y_true.astype(self.dtype)
        return y_true


def _describe(value: Any) -> str:
    return f"{len(value)} values" if isinstance(value, (tuple, list)) else f"a {type(value).__name__}"
