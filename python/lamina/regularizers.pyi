# Written by `python -m lamina._stubs` from the declarations in C++.
"""Regularizers: penalties on weights, `l1 * sum|w| + l2 * sum(w^2)`, in the loss and in its gradient."""

from collections.abc import Mapping
from typing import Any, Final

from ._kinds import Regularizer

__all__ = [
    "Regularizer",
    "L1",
    "L2",
    "L1L2",
    "ElasticNet",
    "get",
]

class L1(Regularizer):
    """Penalty `l1 * sum(|w|)`: draws weights to exactly 0, so that few remain."""

    l1: Final[float]
    def __init__(
        self,
        l1: float = 0.01,
    ) -> None: ...

class L2(Regularizer):
    """Penalty `l2 * sum(w^2)`: keeps weights small. Its gradient is `2 * l2 * w`."""

    l2: Final[float]
    def __init__(
        self,
        l2: float = 0.01,
    ) -> None: ...

class L1L2(Regularizer):
    """Penalty `l1 * sum(|w|) + l2 * sum(w^2)`, the elastic net."""

    l1: Final[float]
    l2: Final[float]
    def __init__(
        self,
        l1: float = 0.0,
        l2: float = 0.0,
    ) -> None: ...

ElasticNet = L1L2

def get(identifier: Regularizer | type[Regularizer] | str | Mapping[str, Any] | None) -> Regularizer | None:
    """Return the regularizer that a name, a class, a config or an object stands for; None stays None."""
