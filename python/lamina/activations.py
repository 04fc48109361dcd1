"""Activations: functions from arrays of any shape to float32 arrays of that shape, as in Keras.

Each is right over the whole float32 range. As an argument (`Dense(64, activation=...)`) its name serves as
well as the function itself. `leaky_relu` and `elu` stand there with their default slopes; the layers
`LeakyReLU` and `ELU` take others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._arrays import as_float32
from .errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Function = Callable[..., NDArray[np.float32]]


def _apply(name: str, x: ArrayLike, alpha: float | None = None) -> NDArray[np.float32]:
    array = as_float32(x, "x")
    return _core.activation(name, np.atleast_1d(array), alpha).reshape(array.shape)


def _apply_along(name: str, x: ArrayLike, axis: int) -> NDArray[np.float32]:
    array = np.atleast_1d(as_float32(x, "x"))
    if not -array.ndim <= axis < array.ndim:
        raise ArgumentError(f"{name}: expected an axis of the {array.ndim} dimensions of x, got {axis}.")
    rows = np.ascontiguousarray(np.moveaxis(array, axis, -1))
    return np.moveaxis(_core.activation(name, rows, None), -1, axis)


def linear(x: ArrayLike) -> NDArray[np.float32]:
    """`x`.

    Examples
    --------
    >>> lm.activations.linear([-1, 0, 2])
    array([-1.,  0.,  2.], dtype=float32)
    """
    return _apply("linear", x)


def relu(x: ArrayLike) -> NDArray[np.float32]:
    """`max(x, 0)`.

    Examples
    --------
    >>> lm.activations.relu([-1, 0, 2])
    array([0., 0., 2.], dtype=float32)
    """
    return _apply("relu", x)


def relu6(x: ArrayLike) -> NDArray[np.float32]:
    """`min(max(x, 0), 6)`.

    Examples
    --------
    >>> lm.activations.relu6([-1, 2, 9])
    array([0., 2., 6.], dtype=float32)
    """
    return _apply("relu6", x)


def leaky_relu(x: ArrayLike, negative_slope: float = 0.2) -> NDArray[np.float32]:
    """`x` above 0, `negative_slope * x` below.

    Examples
    --------
    >>> lm.activations.leaky_relu([-1, 0, 2])
    array([-0.2,  0. ,  2. ], dtype=float32)
    """
    return _apply("leaky_relu", x, negative_slope)


def elu(x: ArrayLike, alpha: float = 1.0) -> NDArray[np.float32]:
    """`x` above 0, `alpha * (exp(x) - 1)` below (Clevert et al., 2015).

    Examples
    --------
    >>> lm.activations.elu([-1, 0, 2]).round(4)
    array([-0.6321,  0.    ,  2.    ], dtype=float32)
    """
    return _apply("elu", x, alpha)


def selu(x: ArrayLike) -> NDArray[np.float32]:
    """`1.0507 * elu(x, 1.6733)` (Klambauer et al., 2017).

    Examples
    --------
    >>> lm.activations.selu([-1, 0, 2]).round(4)
    array([-1.1113,  0.    ,  2.1014], dtype=float32)
    """
    return _apply("selu", x)


def gelu(x: ArrayLike) -> NDArray[np.float32]:
    """`x * P(X <= x)` for a standard normal X, by the error function (Hendrycks and Gimpel, 2016).

    Examples
    --------
    >>> lm.activations.gelu([-1, 0, 2]).round(4)
    array([-0.1587,  0.    ,  1.9545], dtype=float32)
    """
    return _apply("gelu", x)


def silu(x: ArrayLike) -> NDArray[np.float32]:
    """`x * sigmoid(x)`, also known as swish.

    Examples
    --------
    >>> lm.activations.silu([-1, 0, 2]).round(4)
    array([-0.2689,  0.    ,  1.7616], dtype=float32)
    """
    return _apply("silu", x)


def sigmoid(x: ArrayLike) -> NDArray[np.float32]:
    """`1 / (1 + exp(-x))`.

    Examples
    --------
    >>> lm.activations.sigmoid([-1, 0, 2]).round(4)
    array([0.2689, 0.5   , 0.8808], dtype=float32)
    """
    return _apply("sigmoid", x)


def hard_sigmoid(x: ArrayLike) -> NDArray[np.float32]:
    """`min(max(x / 6 + 1 / 2, 0), 1)`.

    Examples
    --------
    >>> lm.activations.hard_sigmoid([-1, 0, 2]).round(4)
    array([0.3333, 0.5   , 0.8333], dtype=float32)
    """
    return _apply("hard_sigmoid", x)


def tanh(x: ArrayLike) -> NDArray[np.float32]:
    """`(exp(x) - exp(-x)) / (exp(x) + exp(-x))`.

    Examples
    --------
    >>> lm.activations.tanh([-1, 0, 2]).round(4)
    array([-0.7616,  0.    ,  0.964 ], dtype=float32)
    """
    return _apply("tanh", x)


def softplus(x: ArrayLike) -> NDArray[np.float32]:
    """`log(1 + exp(x))`.

    Examples
    --------
    >>> lm.activations.softplus([-1, 0, 2]).round(4)
    array([0.3133, 0.6931, 2.1269], dtype=float32)
    """
    return _apply("softplus", x)


def softsign(x: ArrayLike) -> NDArray[np.float32]:
    """`x / (1 + |x|)`.

    Examples
    --------
    >>> lm.activations.softsign([-1, 0, 2]).round(4)
    array([-0.5   ,  0.    ,  0.6667], dtype=float32)
    """
    return _apply("softsign", x)


def exponential(x: ArrayLike) -> NDArray[np.float32]:
    """`exp(x)`.

    Examples
    --------
    >>> lm.activations.exponential([-1, 0, 2]).round(4)
    array([0.3679, 1.    , 7.3891], dtype=float32)
    """
    return _apply("exponential", x)


def mish(x: ArrayLike) -> NDArray[np.float32]:
    """`x * tanh(softplus(x))` (Misra, 2019).

    Examples
    --------
    >>> lm.activations.mish([-1, 0, 2]).round(4)
    array([-0.3034,  0.    ,  1.944 ], dtype=float32)
    """
    return _apply("mish", x)


def softmax(x: ArrayLike, axis: int = -1) -> NDArray[np.float32]:
    """`exp(x) / sum(exp(x))` along an axis.

    Raises
    ------
    ArgumentError
        For an axis that x does not have.

    Examples
    --------
    >>> lm.activations.softmax([[0, 0], [0, 1]]).round(4)
    array([[0.5   , 0.5   ],
           [0.2689, 0.7311]], dtype=float32)
    """
    return _apply_along("softmax", x, axis)


def log_softmax(x: ArrayLike, axis: int = -1) -> NDArray[np.float32]:
    """`x - log(sum(exp(x)))` along an axis.

    Raises
    ------
    ArgumentError
        For an axis that x does not have.

    Examples
    --------
    >>> lm.activations.log_softmax([[0, 1000]])  # no probability is too small for it
    array([[-1000.,     0.]], dtype=float32)
    """
    return _apply_along("log_softmax", x, axis)


_functions: dict[str, Function] = {
    function.__name__: function
    for function in (
        linear,
        relu,
        relu6,
        leaky_relu,
        elu,
        selu,
        gelu,
        silu,
        sigmoid,
        hard_sigmoid,
        tanh,
        softplus,
        softsign,
        exponential,
        mish,
        softmax,
        log_softmax,
    )
}

__all__ = [*_functions, "get"]


def name_of(function: Any) -> str | None:
    """Return the name of one of the functions above, None for anything else."""
    name = getattr(function, "__name__", "")
    return name if _functions.get(name) is function else None


def get(identifier: str | Function | None) -> Function:
    """Return the function of a name; a function of this module is returned as it is, None is `linear`.

    `ArgumentError` for an unknown name, with the nearest known one, and for other functions.

    Parameters
    ----------
    identifier : str, function or None
        A name such as 'relu', or a function of this module.

    Examples
    --------
    >>> lm.activations.get("relu") is lm.activations.relu
    True
    """
    if identifier is None:
        return linear
    if name_of(identifier) is not None:
        return identifier  # type: ignore[return-value]
    if isinstance(identifier, str) and identifier in _functions:
        return _functions[identifier]
    near = _core.nearest_name(identifier, list(_functions)) if isinstance(identifier, str) else ""
    hint = f"did you mean '{near}'?" if near else f"expected one of {', '.join(map(repr, _functions))}."
    raise ArgumentError(f"Unknown activation {identifier!r}; {hint}")
