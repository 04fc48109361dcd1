"""The type of targets that Python-written losses and metrics are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Targets:
    """Remembers what type the user's y has: the core hands targets on as float32.

    Integers and truth values come back as they were, exactly up to 2^24; float64 and float16 stay float32.
    """

    def __init__(self, dtype: np.dtype[Any] | None = None) -> None:
        self.dtype = dtype

    def restored(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of y_true and y_pred that gets y_true in the user's type."""

        def call(y_true: NDArray[Any], y_pred: NDArray[Any]) -> Any:
            if self.dtype is not None and self.dtype.kind in "biu":
                y_true = y_true.astype(self.dtype)
            return function(y_true, y_pred)

        return call
