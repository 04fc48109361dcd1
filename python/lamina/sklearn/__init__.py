"""Estimators for scikit-learn: its multi-layer perceptrons, on lamina.

    from lamina.sklearn import MLPClassifier, MLPRegressor

Parameters, attributes and methods are those of `sklearn.neural_network`, with its names, defaults and
meaning; what is beyond them stands behind them. Needs scikit-learn.
"""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("lamina.sklearn needs scikit-learn: pip install 'lamina[sklearn]'.") from error

from ._classifier import MLPClassifier
from ._regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
