# Written by `python -m lamina._stubs` from the declarations in C++.
# ruff: noqa: D205
"""Metrics: figures over all rows of an epoch.

A function `f(y_true, y_pred)` serves as one, too: called on each batch, averaged over rows.

"accuracy" is the one of them that fits the loss and the shapes, which `Trainer` knows.
"""

from collections.abc import Mapping
from typing import Any, Final

from ._kinds import Metric

__all__ = [
    "Metric",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "MeanSquaredError",
    "MeanAbsoluteError",
    "RootMeanSquaredError",
    "R2Score",
    "Precision",
    "Recall",
    "F1Score",
    "AUC",
    "get",
]

class BinaryAccuracy(Metric):
    """Share of elements whose target (0 or 1) equals y_pred > threshold."""

    threshold: Final[float]
    def __init__(
        self,
        name: str = "binary_accuracy",
        threshold: float = 0.5,
    ) -> None: ...

class CategoricalAccuracy(Metric):
    """Share of rows whose largest prediction is the class of the one-hot target."""

    def __init__(
        self,
        name: str = "categorical_accuracy",
    ) -> None: ...

class SparseCategoricalAccuracy(Metric):
    """Share of rows whose largest prediction is the class of the integer label."""

    def __init__(
        self,
        name: str = "sparse_categorical_accuracy",
    ) -> None: ...

class TopKCategoricalAccuracy(Metric):
    """Share of rows whose class is among the k largest predictions, for one-hot targets or integer labels."""

    k: Final[int]
    def __init__(
        self,
        k: int = 5,
        name: str = "top_k_categorical_accuracy",
    ) -> None: ...

class MeanSquaredError(Metric):
    """Mean of the squared errors."""

    def __init__(
        self,
        name: str = "mean_squared_error",
    ) -> None: ...

class MeanAbsoluteError(Metric):
    """Mean of the absolute errors."""

    def __init__(
        self,
        name: str = "mean_absolute_error",
    ) -> None: ...

class RootMeanSquaredError(Metric):
    """Square root of the mean of the squared errors."""

    def __init__(
        self,
        name: str = "root_mean_squared_error",
    ) -> None: ...

class R2Score(Metric):
    """Coefficient of determination: 1 for right predictions, 0 for those of the mean, averaged over the
    columns.
    """

    class_aggregation: Final[str]
    def __init__(
        self,
        class_aggregation: str = "uniform_average",
        name: str = "r2_score",
    ) -> None: ...

class Precision(Metric):
    """Share of the positive answers that are right. One column: y_pred > 0.5. Classes: the mean over
    classes of their precisions (macro), as in scikit-learn; Keras pools thresholded columns
    (thresholds=0.5, average='micro').
    """

    thresholds: Final[float | None]
    average: Final[str]
    def __init__(
        self,
        thresholds: float | None = None,
        average: str = "macro",
        name: str = "precision",
    ) -> None: ...

class Recall(Metric):
    """Share of the positive targets that are found. One column: y_pred > 0.5. Classes: the mean over
    classes of their recalls (macro), as in scikit-learn; Keras pools thresholded columns
    (thresholds=0.5, average='micro').
    """

    thresholds: Final[float | None]
    average: Final[str]
    def __init__(
        self,
        thresholds: float | None = None,
        average: str = "macro",
        name: str = "recall",
    ) -> None: ...

class F1Score(Metric):
    """Harmonic mean of precision and recall. One column: y_pred > 0.5. Classes: the mean over classes of
    their scores (macro), as in scikit-learn.
    """

    average: Final[str]
    threshold: Final[float | None]
    def __init__(
        self,
        average: str = "macro",
        threshold: float | None = None,
        name: str = "f1_score",
    ) -> None: ...

class AUC(Metric):
    """Area under the ROC or precision-recall curve, over num_thresholds even thresholds."""

    num_thresholds: Final[int]
    curve: Final[str]
    summation_method: Final[str]
    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str = "auc",
    ) -> None: ...

def get(identifier: Metric | type[Metric] | str | Mapping[str, Any]) -> Metric:
    """Return the metric that a name, a class, a config or an object stands for."""
