# Written by `python -m lamina._stubs` from the declarations in C++.
"""Layers: the steps of a model.

Shapes are batch first, channels last. `trainable` and `name` are keywords of every layer.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from ._kinds import Constraint, Initializer, Regularizer
from ._layer import Layer

__all__ = [
    "Layer",
    "Input",
    "Dense",
    "Activation",
    "Dropout",
    "BatchNormalization",
    "LayerNormalization",
    "Flatten",
    "Reshape",
    "Rescaling",
    "ActivityRegularization",
    "GaussianNoise",
    "LeakyReLU",
    "ELU",
    "Softmax",
]

class Input(Layer):
    """Says what shape the inputs of a model have."""

    shape: Final[tuple[int, ...]]
    def __init__(
        self,
        shape: Sequence[int],
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class Dense(Layer):
    """Fully connected: activation(x kernel + bias)."""

    units: Final[int]
    activation: Final[Callable[..., Any]]
    use_bias: Final[bool]
    kernel_initializer: Final[Initializer | None]
    bias_initializer: Final[Initializer | None]
    kernel_regularizer: Final[Regularizer | None]
    bias_regularizer: Final[Regularizer | None]
    activity_regularizer: Final[Regularizer | None]
    kernel_constraint: Final[Constraint | None]
    bias_constraint: Final[Constraint | None]
    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = True,
        kernel_initializer: Initializer | str | None = "glorot_uniform",
        bias_initializer: Initializer | str | None = "zeros",
        kernel_regularizer: Regularizer | str | None = None,
        bias_regularizer: Regularizer | str | None = None,
        activity_regularizer: Regularizer | str | None = None,
        kernel_constraint: Constraint | str | None = None,
        bias_constraint: Constraint | str | None = None,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class Activation(Layer):
    """Applies an activation function."""

    activation: Final[Callable[..., Any]]
    def __init__(
        self,
        activation: str | Callable[..., Any] | None,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class Dropout(Layer):
    """Sets each input to zero with probability `rate` while training."""

    rate: Final[float]
    seed: Final[int | None]
    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class BatchNormalization(Layer):
    """Gives each channel mean 0 and variance 1 over the batch."""

    axis: Final[int]
    momentum: Final[float]
    epsilon: Final[float]
    center: Final[bool]
    scale: Final[bool]
    beta_initializer: Final[Initializer | None]
    gamma_initializer: Final[Initializer | None]
    moving_mean_initializer: Final[Initializer | None]
    moving_variance_initializer: Final[Initializer | None]
    beta_regularizer: Final[Regularizer | None]
    gamma_regularizer: Final[Regularizer | None]
    beta_constraint: Final[Constraint | None]
    gamma_constraint: Final[Constraint | None]
    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Initializer | str | None = "zeros",
        gamma_initializer: Initializer | str | None = "ones",
        moving_mean_initializer: Initializer | str | None = "zeros",
        moving_variance_initializer: Initializer | str | None = "ones",
        beta_regularizer: Regularizer | str | None = None,
        gamma_regularizer: Regularizer | str | None = None,
        beta_constraint: Constraint | str | None = None,
        gamma_constraint: Constraint | str | None = None,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class LayerNormalization(Layer):
    """Gives each row mean 0 and variance 1 over its last axes."""

    axis: Final[int | list[int]]
    epsilon: Final[float]
    center: Final[bool]
    scale: Final[bool]
    beta_initializer: Final[Initializer | None]
    gamma_initializer: Final[Initializer | None]
    beta_regularizer: Final[Regularizer | None]
    gamma_regularizer: Final[Regularizer | None]
    beta_constraint: Final[Constraint | None]
    gamma_constraint: Final[Constraint | None]
    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Initializer | str | None = "zeros",
        gamma_initializer: Initializer | str | None = "ones",
        beta_regularizer: Regularizer | str | None = None,
        gamma_regularizer: Regularizer | str | None = None,
        beta_constraint: Constraint | str | None = None,
        gamma_constraint: Constraint | str | None = None,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class Flatten(Layer):
    """Makes each row one vector."""

    def __init__(
        self,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class Reshape(Layer):
    """Gives each row another shape."""

    target_shape: Final[list[int]]
    def __init__(
        self,
        target_shape: Sequence[int],
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class Rescaling(Layer):
    """Multiplies each input by `scale` and adds `offset`."""

    scale: Final[float]
    offset: Final[float]
    def __init__(
        self,
        scale: float,
        offset: float = 0.0,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class ActivityRegularization(Layer):
    """Passes its inputs on and adds a penalty on their size to the loss."""

    l1: Final[float]
    l2: Final[float]
    def __init__(
        self,
        l1: float = 0.0,
        l2: float = 0.0,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class GaussianNoise(Layer):
    """Adds normal noise of mean zero while training."""

    stddev: Final[float]
    seed: Final[int | None]
    def __init__(
        self,
        stddev: float,
        seed: int | None = None,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class LeakyReLU(Layer):
    """A rectified linear unit that lets a small gradient through below zero."""

    negative_slope: Final[float]
    def __init__(
        self,
        negative_slope: float = 0.3,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class ELU(Layer):
    """The exponential linear unit."""

    alpha: Final[float]
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...

class Softmax(Layer):
    """Turns the last axis into probabilities."""

    axis: Final[int]
    def __init__(
        self,
        axis: int = -1,
        *,
        trainable: bool = True,
        name: str | None = None,
    ) -> None: ...
