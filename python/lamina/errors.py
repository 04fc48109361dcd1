"""The errors of lamina.

Every error derives from `LaminaError` and from the built-in exception that a user would catch. A message is
one sentence: the thing, what was expected, what came.
"""

from inspect import cleandoc as _cleandoc

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
    """The loss became NaN or infinite while training.

    Examples
    --------
    >>> import warnings
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.SGD(1e30), "mse", seed=0)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = trainer.fit(np.eye(4), np.ones(4), epochs=9, verbose=0)
    >>> [warning.category.__name__ for warning in caught]
    ['NumericalWarning']
    """


# The classes and their first lines are made in C++.
for _error, _example in {
    LaminaError: """
        >>> try:
        ...     lm.Dense(-1)
        ... except lm.LaminaError as error:
        ...     print(type(error).__name__)
        ArgumentError
        """,
    ShapeError: """
        >>> lm.Sequential([lm.Input((3,)), lm.Dense(1)]).predict([[1, 2]])
        Traceback (most recent call last):
            ...
        lamina.ShapeError: Model: expected x of shape (batch, 3), got (1, 2).
        """,
    ArgumentError: """
        >>> lm.Dropout(2.0)
        Traceback (most recent call last):
            ...
        lamina.ArgumentError: Dropout: expected rate to be a number in [0, 1], got 2.0.
        """,
    DTypeError: """
        >>> lm.Sequential([lm.Input((1,)), lm.Dense(1)]).predict([["one"]])
        Traceback (most recent call last):
            ...
        lamina.DTypeError: x: expected an array of numbers, got dtype <U3; ...
        """,
    DataError: """
        >>> lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse").evaluate([[float("nan")]], [1])
        Traceback (most recent call last):
            ...
        lamina.DataError: Data: expected finite float32 numbers in x, got NaN or infinity in row 0.
        """,
    StateError: """
        >>> lm.Sequential([lm.Dense(1)]).get_weights()
        Traceback (most recent call last):
            ...
        lamina.StateError: Sequential: expected a built model to give its weights, got one ...
        """,
    FormatError: """
        >>> with open("broken.safetensors", "wb") as file:
        ...     _ = file.write(b"not a model")
        >>> lm.load_model("broken.safetensors")
        Traceback (most recent call last):
            ...
        lamina.FormatError: File 'broken.safetensors': expected a safetensors header ...
        """,
    FileError: """
        >>> lm.load_model("absent.safetensors")
        Traceback (most recent call last):
            ...
        lamina.FileError: File 'absent.safetensors': can't be read: No such file or directory.
        """,
}.items():
    _error.__doc__ = f"{_error.__doc__}\n\nExamples\n--------\n{_cleandoc(_example)}"

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
