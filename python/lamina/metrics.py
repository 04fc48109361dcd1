"""Metrics: figures over all rows of an epoch.

A function `f(y_true, y_pred)` serves as one, too: called on each batch, averaged over rows.

"accuracy" is the one of them that fits the loss and the shapes, which `Trainer` knows.
"""

from ._configurable import declare, find, public
from ._kinds import Metric

BinaryAccuracy = declare(
    Metric,
    "BinaryAccuracy",
    notes="`y_true` and `y_pred` are `(n,)` or `(n, k)`.",
    example="""
    >>> lm.metrics.BinaryAccuracy()([1, 0, 1, 0], [0.9, 0.2, 0.3, 0.4])
    0.75
    """,
)
CategoricalAccuracy = declare(
    Metric,
    "CategoricalAccuracy",
    notes="`y_true` are one-hot rows `(n, classes)` or integers `(n,)`, `y_pred` is `(n, classes)`.",
    example="""
    >>> lm.metrics.CategoricalAccuracy()([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]])
    0.5
    """,
)
SparseCategoricalAccuracy = declare(
    Metric,
    "SparseCategoricalAccuracy",
    notes="`y_true` are integers `(n,)`, `y_pred` is `(n, classes)`.",
    example="""
    >>> lm.metrics.SparseCategoricalAccuracy()([0, 1], [[0.9, 0.1], [0.8, 0.2]])
    0.5
    """,
)
TopKCategoricalAccuracy = declare(
    Metric,
    "TopKCategoricalAccuracy",
    notes="`y_true` are one-hot rows `(n, classes)` or integers `(n,)`, `y_pred` is `(n, classes)`.",
    example="""
    >>> lm.metrics.TopKCategoricalAccuracy(k=2)([0, 2], [[0.2, 0.5, 0.3], [0.3, 0.2, 0.5]])
    0.5
    """,
)
MeanSquaredError = declare(
    Metric,
    "MeanSquaredError",
    notes="""
    `y_true` and `y_pred` have the same shape, `(n,)` or `(n, k)`; in the squared unit of the targets.
    """,
    example="""
    >>> lm.metrics.MeanSquaredError()([0, 0], [1, 3])
    5.0
    """,
)
MeanAbsoluteError = declare(
    Metric,
    "MeanAbsoluteError",
    notes="`y_true` and `y_pred` have the same shape, `(n,)` or `(n, k)`; in the unit of the targets.",
    example="""
    >>> lm.metrics.MeanAbsoluteError()([0, 0], [1, 3])
    2.0
    """,
)
RootMeanSquaredError = declare(
    Metric,
    "RootMeanSquaredError",
    notes="`y_true` and `y_pred` have the same shape, `(n,)` or `(n, k)`; in the unit of the targets.",
    example="""
    >>> lm.metrics.RootMeanSquaredError()([0, 0], [1, 7])
    5.0
    """,
)
R2Score = declare(
    Metric,
    "R2Score",
    notes="""
    `1 - sum((y_true - y_pred)^2) / sum((y_true - mean)^2)`; `y_true` and `y_pred` are `(n,)` or `(n, k)`.
    """,
    example="""
    >>> lm.metrics.R2Score()([0, 1, 2], [0, 1, 3])
    0.5
    """,
)
Precision = declare(
    Metric,
    "Precision",
    notes="""
    `true positives / (true positives + false positives)`; `y_true` and `y_pred` are `(n,)`, or `(n,
    classes)`.
    """,
    example="""
    >>> round(lm.metrics.Precision()([1, 0, 1, 1], [0.9, 0.8, 0.7, 0.1]), 4)
    0.6667
    """,
)
Recall = declare(
    Metric,
    "Recall",
    notes="""
    `true positives / (true positives + false negatives)`; `y_true` and `y_pred` are `(n,)`, or `(n,
    classes)`.
    """,
    example="""
    >>> lm.metrics.Recall()([1, 0, 1, 1, 1], [0.9, 0.8, 0.7, 0.1, 0.2])
    0.5
    """,
)
F1Score = declare(
    Metric,
    "F1Score",
    notes="""
    `2 * precision * recall / (precision + recall)`; `y_true` and `y_pred` are `(n,)`, or `(n, classes)`.
    """,
    example="""
    >>> lm.metrics.F1Score()([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
    0.8
    """,
)
AUC = declare(
    Metric,
    "AUC",
    notes="`y_true` holds 0 and 1, `y_pred` numbers in [0, 1], both `(n,)`.",
    example="""
    >>> lm.metrics.AUC()([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """,
)


def get(identifier):
    """Return the metric that a name, a class, a config or an object stands for.

    Parameters
    ----------
    identifier : str, Metric, class or dict
        A name, an object, its class, or `{"class_name": ..., "config": {...}}`.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest known one, and for anything else.

    Examples
    --------
    >>> lm.metrics.get("mae")
    MeanAbsoluteError()
    """
    return find(Metric, identifier)


__all__ = public(globals())
