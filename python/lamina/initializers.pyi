# Written by `python -m lamina._stubs` from the declarations in C++.
# ruff: noqa: D205
"""Initializers: where weights start. `HeNormal()((64, 10), seed=1)` draws an array."""

from collections.abc import Mapping
from typing import Any, Final

from ._kinds import Initializer

__all__ = [
    "Initializer",
    "GlorotUniform",
    "GlorotNormal",
    "HeUniform",
    "HeNormal",
    "LecunUniform",
    "LecunNormal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "Orthogonal",
    "Zeros",
    "Ones",
    "Constant",
    "Identity",
    "get",
]

class GlorotUniform(Initializer):
    """Uniform within `+-sqrt(6 / (fan_in + fan_out))` (Glorot and Bengio, 2010); suits tanh and softmax."""

    seed: Final[int | None]
    def __init__(
        self,
        seed: int | None = None,
    ) -> None: ...

class GlorotNormal(Initializer):
    """Truncated normal of deviation `sqrt(2 / (fan_in + fan_out))` (Glorot and Bengio, 2010)."""

    seed: Final[int | None]
    def __init__(
        self,
        seed: int | None = None,
    ) -> None: ...

class HeUniform(Initializer):
    """Uniform within `+-sqrt(6 / fan_in)` (He et al., 2015); suits relu."""

    seed: Final[int | None]
    def __init__(
        self,
        seed: int | None = None,
    ) -> None: ...

class HeNormal(Initializer):
    """Truncated normal of deviation `sqrt(2 / fan_in)` (He et al., 2015); suits relu."""

    seed: Final[int | None]
    def __init__(
        self,
        seed: int | None = None,
    ) -> None: ...

class LecunUniform(Initializer):
    """Uniform within `+-sqrt(3 / fan_in)` (LeCun et al., 1998)."""

    seed: Final[int | None]
    def __init__(
        self,
        seed: int | None = None,
    ) -> None: ...

class LecunNormal(Initializer):
    """Truncated normal of deviation `sqrt(1 / fan_in)` (LeCun et al., 1998); suits selu."""

    seed: Final[int | None]
    def __init__(
        self,
        seed: int | None = None,
    ) -> None: ...

class RandomNormal(Initializer):
    """Normal of the given mean and deviation."""

    mean: Final[float]
    stddev: Final[float]
    seed: Final[int | None]
    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.05,
        seed: int | None = None,
    ) -> None: ...

class RandomUniform(Initializer):
    """Uniform between `minval` and `maxval`."""

    minval: Final[float]
    maxval: Final[float]
    seed: Final[int | None]
    def __init__(
        self,
        minval: float = -0.05,
        maxval: float = 0.05,
        seed: int | None = None,
    ) -> None: ...

class TruncatedNormal(Initializer):
    """Normal of the given mean and deviation; values further than two deviations from the mean are
    redrawn.
    """

    mean: Final[float]
    stddev: Final[float]
    seed: Final[int | None]
    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.05,
        seed: int | None = None,
    ) -> None: ...

class Orthogonal(Initializer):
    """`gain` times a random matrix whose columns, or rows where there are fewer of them, are orthonormal
    (Saxe et al., 2014). Leading dimensions beyond two count as rows.
    """

    gain: Final[float]
    seed: Final[int | None]
    def __init__(
        self,
        gain: float = 1.0,
        seed: int | None = None,
    ) -> None: ...

class Zeros(Initializer):
    """All 0."""

    def __init__(self) -> None: ...

class Ones(Initializer):
    """All 1."""

    def __init__(self) -> None: ...

class Constant(Initializer):
    """All `value`."""

    value: Final[float]
    def __init__(
        self,
        value: float = 0.0,
    ) -> None: ...

class Identity(Initializer):
    """`gain` on the diagonal of a matrix, 0 elsewhere."""

    gain: Final[float]
    def __init__(
        self,
        gain: float = 1.0,
    ) -> None: ...

def get(identifier: Initializer | type[Initializer] | str | Mapping[str, Any] | None) -> Initializer | None:
    """Return the initializer that a name, a class, a config or an object stands for; None stays None."""
