"""The errors of lamina.

Every error derives from `LaminaError` and from the built-in exception that a user would catch. A message is
one sentence: the thing, what was expected, what came.
"""

from ._core import (
    ArgumentError,
    DataError,
    DTypeError,
    FileError,
    FormatError,
    LaminaError,
    ShapeError,
    StateError,
)


class NumericalWarning(RuntimeWarning):
    """The loss became NaN or infinite while training."""


__all__ = [
    "LaminaError",
    "ShapeError",
    "ArgumentError",
    "DTypeError",
    "DataError",
    "StateError",
    "FormatError",
    "FileError",
    "NumericalWarning",
]
