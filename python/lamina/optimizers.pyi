# Written by `python -m lamina._stubs` from the declarations in C++.
# ruff: noqa: D205
"""Optimizers: rules that move the weights along their gradient, as in Keras 3.

Momentum of `SGD` is `v = momentum * v + (1 - dampening) * g; w -= learning_rate * v`, where `dampening=None`
means `dampening = momentum`; `dampening=0.0` is the classical form of Keras and PyTorch.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from ._kinds import Optimizer, Schedule

__all__ = [
    "Optimizer",
    "SGD",
    "RMSprop",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Adagrad",
    "Lion",
    "get",
]

class SGD(Optimizer):
    """Gradient descent. With `momentum` it steps by a running mean of the gradients: `v = momentum * v +
    (1 - momentum) * g; w -= learning_rate * v`. That is `dampening=None`, which means `dampening =
    momentum`; `dampening=0.0` gives the classical form of Keras and PyTorch, `v = momentum * v + g`,
    whose steps are `1 / (1 - momentum)` times as long. In general `v = momentum * v + (1 - dampening) *
    g`, and `nesterov` steps by `momentum * v + (1 - dampening) * g` after that. Without momentum, `w -=
    learning_rate * g`.
    """

    momentum: Final[float]
    nesterov: Final[bool]
    weight_decay: Final[float | None]
    clipnorm: Final[float | None]
    clipvalue: Final[float | None]
    global_clipnorm: Final[float | None]
    use_ema: Final[bool]
    ema_momentum: Final[float]
    gradient_accumulation_steps: Final[int | None]
    dampening: Final[float | None]
    def __init__(
        self,
        learning_rate: float | Schedule | Callable[[int], float] = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        gradient_accumulation_steps: int | None = None,
        dampening: float | None = None,
    ) -> None: ...

class RMSprop(Optimizer):
    """Divides the gradient by a running root mean square of it: `v = rho * v + (1 - rho) * g^2; w -=
    learning_rate * g / sqrt(v + epsilon)`. `centered` subtracts the square of the mean gradient from v;
    with `momentum` the steps gather in `m = momentum * m + step`.
    """

    rho: Final[float]
    momentum: Final[float]
    epsilon: Final[float]
    centered: Final[bool]
    weight_decay: Final[float | None]
    clipnorm: Final[float | None]
    clipvalue: Final[float | None]
    global_clipnorm: Final[float | None]
    use_ema: Final[bool]
    ema_momentum: Final[float]
    gradient_accumulation_steps: Final[int | None]
    def __init__(
        self,
        learning_rate: float | Schedule | Callable[[int], float] = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-07,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        gradient_accumulation_steps: int | None = None,
    ) -> None: ...

class Adam(Optimizer):
    """Running means of the gradient and of its square give each weight its own step: `m += (1 - beta_1) *
    (g - m); v += (1 - beta_2) * (g^2 - v); w -= learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m
    / (sqrt(v) + epsilon)`. `epsilon` is the paper's epsilon hat.
    """

    beta_1: Final[float]
    beta_2: Final[float]
    epsilon: Final[float]
    amsgrad: Final[bool]
    weight_decay: Final[float | None]
    clipnorm: Final[float | None]
    clipvalue: Final[float | None]
    global_clipnorm: Final[float | None]
    use_ema: Final[bool]
    ema_momentum: Final[float]
    gradient_accumulation_steps: Final[int | None]
    def __init__(
        self,
        learning_rate: float | Schedule | Callable[[int], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        gradient_accumulation_steps: int | None = None,
    ) -> None: ...

class AdamW(Optimizer):
    """Adam with decoupled weight decay: before each of Adam's steps, `w -= learning_rate * weight_decay *
    w`.
    """

    weight_decay: Final[float]
    beta_1: Final[float]
    beta_2: Final[float]
    epsilon: Final[float]
    amsgrad: Final[bool]
    clipnorm: Final[float | None]
    clipvalue: Final[float | None]
    global_clipnorm: Final[float | None]
    use_ema: Final[bool]
    ema_momentum: Final[float]
    gradient_accumulation_steps: Final[int | None]
    def __init__(
        self,
        learning_rate: float | Schedule | Callable[[int], float] = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        gradient_accumulation_steps: int | None = None,
    ) -> None: ...

class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the root mean square: `m += (1 - beta_1) * (g -
    m); u = max(beta_2 * u, |g|); w -= learning_rate / (1 - beta_1^t) * m / (u + epsilon)`.
    """

    beta_1: Final[float]
    beta_2: Final[float]
    epsilon: Final[float]
    weight_decay: Final[float | None]
    clipnorm: Final[float | None]
    clipvalue: Final[float | None]
    global_clipnorm: Final[float | None]
    use_ema: Final[bool]
    ema_momentum: Final[float]
    gradient_accumulation_steps: Final[int | None]
    def __init__(
        self,
        learning_rate: float | Schedule | Callable[[int], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        gradient_accumulation_steps: int | None = None,
    ) -> None: ...

class Nadam(Optimizer):
    """Adam with Nesterov momentum: with `u_t = beta_1 * (1 - 0.96^t / 2)` and `p_t = u_1 * ... * u_t`, it
    steps by `learning_rate * (u_(t+1) * m / (1 - p_(t+1)) + (1 - u_t) * g / (1 - p_t)) / (sqrt(v / (1 -
    beta_2^t)) + epsilon)`, where m and v are Adam's means.
    """

    beta_1: Final[float]
    beta_2: Final[float]
    epsilon: Final[float]
    weight_decay: Final[float | None]
    clipnorm: Final[float | None]
    clipvalue: Final[float | None]
    global_clipnorm: Final[float | None]
    use_ema: Final[bool]
    ema_momentum: Final[float]
    gradient_accumulation_steps: Final[int | None]
    def __init__(
        self,
        learning_rate: float | Schedule | Callable[[int], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        gradient_accumulation_steps: int | None = None,
    ) -> None: ...

class Adagrad(Optimizer):
    """Divides the gradient by the root of all its squares so far: `a += g^2; w -= learning_rate * g /
    sqrt(a + epsilon)`.
    """

    initial_accumulator_value: Final[float]
    epsilon: Final[float]
    weight_decay: Final[float | None]
    clipnorm: Final[float | None]
    clipvalue: Final[float | None]
    global_clipnorm: Final[float | None]
    use_ema: Final[bool]
    ema_momentum: Final[float]
    gradient_accumulation_steps: Final[int | None]
    def __init__(
        self,
        learning_rate: float | Schedule | Callable[[int], float] = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        gradient_accumulation_steps: int | None = None,
    ) -> None: ...

class Lion(Optimizer):
    """Every weight moves by the learning rate, in the direction of a mean gradient: `w -= learning_rate *
    sign(beta_1 * m + (1 - beta_1) * g); m = beta_2 * m + (1 - beta_2) * g`. It wants a learning rate 3
    to 10 times smaller than Adam's.
    """

    beta_1: Final[float]
    beta_2: Final[float]
    weight_decay: Final[float | None]
    clipnorm: Final[float | None]
    clipvalue: Final[float | None]
    global_clipnorm: Final[float | None]
    use_ema: Final[bool]
    ema_momentum: Final[float]
    gradient_accumulation_steps: Final[int | None]
    def __init__(
        self,
        learning_rate: float | Schedule | Callable[[int], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        gradient_accumulation_steps: int | None = None,
    ) -> None: ...

def get(identifier: Optimizer | type[Optimizer] | str | Mapping[str, Any]) -> Optimizer:
    """Return the optimizer that a name, a class, a config or an object stands for."""
