"""Metrics: figures over all rows of an epoch.

A function `f(y_true, y_pred)` serves as one, too: called on each batch, averaged over rows.

"accuracy" is the one of them that fits the loss and the shapes, which `Trainer` knows.
"""

from ._configurable import declare, find, public
from ._kinds import Metric

BinaryAccuracy = declare(Metric, "BinaryAccuracy")
CategoricalAccuracy = declare(Metric, "CategoricalAccuracy")
SparseCategoricalAccuracy = declare(Metric, "SparseCategoricalAccuracy")
TopKCategoricalAccuracy = declare(Metric, "TopKCategoricalAccuracy")
MeanSquaredError = declare(Metric, "MeanSquaredError")
MeanAbsoluteError = declare(Metric, "MeanAbsoluteError")
RootMeanSquaredError = declare(Metric, "RootMeanSquaredError")
R2Score = declare(Metric, "R2Score")
Precision = declare(Metric, "Precision")
Recall = declare(Metric, "Recall")
F1Score = declare(Metric, "F1Score")
AUC = declare(Metric, "AUC")


def get(identifier):
    """Return the metric that a name, a class, a config or an object stands for."""
    return find(Metric, identifier)


__all__ = public(globals())
