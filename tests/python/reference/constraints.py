"""Constraints in float64, by Keras 3's formulas."""

import numpy as np

EPSILON = 1e-7


def _norms(w, axis):
    return np.sqrt((w**2).sum(axis=axis, keepdims=True))


def max_norm(w, max_value=2.0, axis=0):
    norms = _norms(w, axis)
    return w * np.clip(norms, 0.0, max_value) / (EPSILON + norms)


def non_neg(w):
    return np.maximum(w, 0.0)


def unit_norm(w, axis=0):
    return w / (EPSILON + _norms(w, axis))


def min_max_norm(w, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
    norms = _norms(w, axis)
    desired = rate * np.clip(norms, min_value, max_value) + (1 - rate) * norms
    return w * desired / (EPSILON + norms)
