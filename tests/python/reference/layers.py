"""Layers in float64: (x, parameters) -> y, and finite differences over whole networks of them."""

import numpy as np


def dense(activation):
    return lambda x, w: activation(x @ w[0] + (w[1] if len(w) > 1 else 0.0))


def batch_normalization(epsilon=1e-3, training=True, moving=(0.0, 1.0), scale=True, center=True):
    def apply(x, w):
        axes = tuple(range(x.ndim - 1))
        mean, variance = (x.mean(axis=axes), x.var(axis=axes)) if training else moving
        return _affine((x - mean) / np.sqrt(variance + epsilon), w, scale, center)

    return apply


def layer_normalization(epsilon=1e-3, scale=True, center=True):
    def apply(x, w):
        mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
        return _affine((x - mean) / np.sqrt(variance + epsilon), w, scale, center)

    return apply


def _affine(x, w, scale, center):
    remaining = list(w)
    if scale:
        x = x * remaining.pop(0)
    return x + remaining.pop(0) if center else x


def elementwise(function):
    return lambda x, w: function(x)


class Network:
    """A chain of reference layers over one flat vector of parameters, in lamina's order."""

    def __init__(self, steps):
        """`steps`: for each layer, its function and the shapes of its parameters."""
        self.steps = steps

    def forward(self, flat, x):
        x, at = np.asarray(x, np.float64), 0
        for function, shapes in self.steps:
            parameters = []
            for shape in shapes:
                size = int(np.prod(shape))
                parameters.append(flat[at : at + size].reshape(shape))
                at += size
            x = function(x, parameters)
        assert at == flat.size, "the reference network has other parameters than the model"
        return x


def numeric_gradient(function, flat, step=1e-6):
    """Central differences in float64: truncation and rounding stay near 1e-9 for functions of size 1."""
    gradient = np.empty_like(flat)
    for i in range(flat.size):
        moved = flat.copy()
        moved[i] = flat[i] + step
        above = function(moved)
        moved[i] = flat[i] - step
        gradient[i] = (above - function(moved)) / (2 * step)
    return gradient
