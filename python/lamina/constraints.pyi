# Written by `python -m lamina._stubs` from the declarations in C++.
# ruff: noqa: D205
"""Constraints: what weights must satisfy after every update."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ._kinds import Constraint

__all__ = [
    "Constraint",
    "MaxNorm",
    "NonNeg",
    "UnitNorm",
    "MinMaxNorm",
    "get",
]

class MaxNorm(Constraint):
    """Scales weights down whose norm along `axis` is above `max_value`: `w * min(norm, max_value) / (1e-7
    + norm)`.
    """

    max_value: Final[float]
    axis: Final[int | list[int]]
    def __init__(
        self,
        max_value: float = 2.0,
        axis: int | Sequence[int] = 0,
    ) -> None: ...

class NonNeg(Constraint):
    """Sets negative weights to 0."""

    def __init__(self) -> None: ...

class UnitNorm(Constraint):
    """Scales weights to norm 1 along `axis`: `w / (1e-7 + norm)`."""

    axis: Final[int | list[int]]
    def __init__(
        self,
        axis: int | Sequence[int] = 0,
    ) -> None: ...

class MinMaxNorm(Constraint):
    """Scales weights to a norm along `axis` of `rate * clip(norm, min_value, max_value) + (1 - rate) *
    norm`.
    """

    min_value: Final[float]
    max_value: Final[float]
    rate: Final[float]
    axis: Final[int | list[int]]
    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ) -> None: ...

def get(identifier: Constraint | type[Constraint] | str | Mapping[str, Any] | None) -> Constraint | None:
    """Return the constraint that a name, a class, a config or an object stands for; None stays None."""
