"""Losses of one row each in float64, by Keras 3's formulas; a loss of a batch is their mean."""

import numpy as np
from scipy import special

EPSILON = 1e-7


def _smooth_classes(y, amount):
    return y * (1.0 - amount) + amount / y.shape[-1]


def categorical_crossentropy(y, p, from_logits=False, label_smoothing=0.0):
    y = _smooth_classes(y, label_smoothing)
    if from_logits:
        return -(y * (p - special.logsumexp(p, axis=-1, keepdims=True))).sum(axis=-1)
    p = np.clip(p / p.sum(axis=-1, keepdims=True), EPSILON, 1.0 - EPSILON)
    return -(y * np.log(p)).sum(axis=-1)


def sparse_categorical_crossentropy(y, p, from_logits=False):
    one_hot = np.eye(p.shape[-1])[np.asarray(y).reshape(-1).astype(int)]
    return categorical_crossentropy(one_hot, p, from_logits)


def binary_crossentropy(y, p, from_logits=False, label_smoothing=0.0):
    y = y * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        # -y log s(x) - (1 - y) log(1 - s(x)) = log(1 + e^x) - x y
        return (np.logaddexp(p, 0.0) - p * y).mean(axis=-1)
    p = np.clip(p, EPSILON, 1.0 - EPSILON)
    return -(y * np.log(p) + (1.0 - y) * np.log1p(-p)).mean(axis=-1)


def binary_focal_crossentropy(
    y, p, from_logits=False, label_smoothing=0.0, alpha=0.25, gamma=2.0, apply_class_balancing=False
):
    y = y * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        p = special.expit(p)
    clipped = np.clip(p, EPSILON, 1.0 - EPSILON)
    cross_entropy = -(y * np.log(clipped) + (1.0 - y) * np.log1p(-clipped))
    focal = (1.0 - (y * p + (1.0 - y) * (1.0 - p))) ** gamma * cross_entropy
    if apply_class_balancing:
        focal = focal * (y * alpha + (1.0 - y) * (1.0 - alpha))
    return focal.mean(axis=-1)


def mean_squared_error(y, p):
    return ((y - p) ** 2).mean(axis=-1)


def mean_absolute_error(y, p):
    return np.abs(y - p).mean(axis=-1)


def huber(y, p, delta=1.0):
    error = np.abs(y - p)
    return np.where(error <= delta, 0.5 * error**2, delta * error - 0.5 * delta**2).mean(axis=-1)


def log_cosh(y, p):
    error = np.abs(p - y)
    return (error + np.log1p(np.exp(-2.0 * error)) - np.log(2.0)).mean(axis=-1)


def _signs(y):
    return 2.0 * y - 1.0 if np.isin(y, (0, 1)).all() else y


def hinge(y, p):
    return np.maximum(1.0 - _signs(y) * p, 0.0).mean(axis=-1)


def squared_hinge(y, p):
    return (np.maximum(1.0 - _signs(y) * p, 0.0) ** 2).mean(axis=-1)


def kl_divergence(y, p):
    y, p = np.clip(y, EPSILON, 1.0), np.clip(p, EPSILON, 1.0)
    return (y * np.log(y / p)).sum(axis=-1)


def poisson(y, p):
    return (p - y * np.log(p + EPSILON)).mean(axis=-1)


def cosine_similarity(y, p):
    return -(y * p).sum(axis=-1) / (np.linalg.norm(y, axis=-1) * np.linalg.norm(p, axis=-1))
