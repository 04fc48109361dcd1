"""The seventeen activations in float64, in forms that hold over the whole float32 range."""

import numpy as np
from scipy import special

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def linear(x):
    return x


def relu(x):
    return np.maximum(x, 0.0)


def relu6(x):
    return np.clip(x, 0.0, 6.0)


def leaky_relu(x, negative_slope=0.2):
    return np.where(x >= 0, x, negative_slope * x)


def elu(x, alpha=1.0):
    return np.where(x >= 0, x, alpha * np.expm1(np.minimum(x, 0.0)))


def selu(x):
    return SELU_SCALE * elu(x, SELU_ALPHA)


def gelu(x):
    return x * special.ndtr(x)


def silu(x):
    return x * special.expit(x)


def sigmoid(x):
    return special.expit(x)


def hard_sigmoid(x):
    return np.clip(x / 6.0 + 0.5, 0.0, 1.0)


def tanh(x):
    return np.tanh(x)


def softplus(x):
    return np.logaddexp(x, 0.0)


def softsign(x):
    return x / (1.0 + np.abs(x))


def exponential(x):
    with np.errstate(over="ignore"):
        return np.exp(x)


def mish(x):
    # tanh(log(1 + e^x)) = (e^2x + 2 e^x) / (e^2x + 2 e^x + 2), which doesn't cancel for x far below 0.
    u = np.exp(np.minimum(x, 40.0))
    return x * (u * (u + 2.0)) / (u * (u + 2.0) + 2.0)


def softmax(x):
    shifted = np.exp(x - x.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def log_softmax(x):
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


ELEMENTWISE = {
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
    )
}
ROWWISE = {"softmax": softmax, "log_softmax": log_softmax}
ALL = {**ELEMENTWISE, **ROWWISE}
