"""Metrics in float64, by Keras 3's definitions; precision, recall and F1 come from scikit-learn."""

import numpy as np
from sklearn import metrics as sklearn_metrics


def binary_accuracy(y, p, threshold=0.5):
    return float(((p > threshold) == (y > 0.5)).mean())


def categorical_accuracy(y, p):
    return float((y.argmax(axis=-1) == p.argmax(axis=-1)).mean())


def sparse_categorical_accuracy(y, p):
    return float((np.asarray(y).reshape(-1) == p.argmax(axis=-1)).mean())


def top_k_categorical_accuracy(labels, p, k=5):
    better = (p > p[np.arange(len(p)), labels][:, None]).sum(axis=1)
    return float((better < k).mean())


def mean_squared_error(y, p):
    return float(((y - p) ** 2).mean())


def mean_absolute_error(y, p):
    return float(np.abs(y - p).mean())


def root_mean_squared_error(y, p):
    return float(np.sqrt(((y - p) ** 2).mean()))


def r2(y, p):
    return float(sklearn_metrics.r2_score(y, p))


def classification(name, labels, predicted, average):
    score = getattr(sklearn_metrics, f"{name}_score")
    return float(score(labels, predicted, average=average, zero_division=0))


def auc(y, p, num_thresholds=200):
    """Area under the ROC curve by trapezoids between even thresholds; `p > threshold` is positive."""
    thresholds = np.linspace(0.0, 1.0, num_thresholds)
    thresholds[0], thresholds[-1] = -1e-7, 1 + 1e-7
    positive = np.asarray(y).reshape(-1) > 0.5
    above = np.asarray(p).reshape(-1)[None, :] > thresholds[:, None]
    recall = (above & positive).sum(axis=1) / positive.sum()
    fall_out = (above & ~positive).sum(axis=1) / (~positive).sum()
    return float(((recall[:-1] + recall[1:]) / 2 * (fall_out[:-1] - fall_out[1:])).sum())
