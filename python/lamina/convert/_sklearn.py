"""scikit-learn: fitted multi-layer perceptrons and linear models to lamina models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, StateError
from ..model import Sequential
from ._chain import Chain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

_ACTIVATIONS = {
    "identity": "linear",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "softmax": "softmax",
    "exp": "exponential",  # of loss="poisson"
}
_FOLDED = 4.0  # the largest shift, in spreads of the scaled values, that costs a Dense no digits
_REGRESSORS = ("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV",
               "SGDRegressor")  # fmt: skip
_CLASSIFIERS = ("LogisticRegression", "LogisticRegressionCV")


def from_sklearn(estimator: Any) -> Sequential:
    """Make a lamina model that computes what a fitted scikit-learn estimator computes.

    Parameters
    ----------
    estimator : estimator
        A fitted `MLPClassifier`, `MLPRegressor`, `LogisticRegression`, `LinearRegression`, `Ridge`, `Lasso`,
        `ElasticNet` or `SGDRegressor`; or a `Pipeline` of `StandardScaler` and `MinMaxScaler` steps and one
        of these. Their scaling is folded into the first layer; where means are more than about 4 times the
        spread, a frozen `BatchNormalization` subtracts first, as the sum would lose digits.

    Returns
    -------
    Sequential
        Of a regressor: the values of `predict`, `(n, outputs)`. Of a classifier: the columns of
        `predict_proba` in the order of `classes_`; with two classes one column, that of `classes_[1]`.

    Raises
    ------
    ArgumentError
        For an estimator of another kind.
    StateError
        For one that is not fitted.

    Notes
    -----
    lamina computes with float32, scikit-learn with float64. Outputs agree to 1e-6 of their size for inputs
    that float32 holds exactly. Other float64 inputs are rounded first: with means 30 times the spread,
    outputs are up to 8e-7 apart, with 100 times 3e-6, with 2000 times 6e-5. Without
    a scaler that takes means away, inputs that are far from zero cost as much.

    Examples
    --------
    >>> import numpy as np
    >>> import lamina as lm
    >>> from sklearn.linear_model import LogisticRegression
    >>> x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1]
    >>> estimator = LogisticRegression().fit(x, y)
    >>> model = lm.convert.from_sklearn(estimator)
    >>> np.allclose(model.predict(x)[:, 0], estimator.predict_proba(x)[:, 1], atol=1e-6)
    True
    """
    scalers, estimator = _unpack(estimator)
    name = _name(estimator)
    if name in ("MLPClassifier", "MLPRegressor"):
        _check_fitted(estimator, "coefs_")
        hidden, last = _activation(estimator.activation), _activation(estimator.out_activation_)
        activations = [hidden] * (len(estimator.coefs_) - 1) + [last]
        parts = list(zip(estimator.coefs_, estimator.intercepts_, activations, strict=True))
    elif name in (*_REGRESSORS, *_CLASSIFIERS):
        parts = [_linear(estimator, name)]
    else:
        known = ", ".join(["MLPClassifier", "MLPRegressor", *_CLASSIFIERS, *_REGRESSORS])
        raise ArgumentError(
            f"from_sklearn: expected one of {known}, or a Pipeline, got {type(estimator).__name__}."
        )
    chain = Chain()
    scale, shift = _scaling(scalers, len(parts[0][0]))
    if scalers and np.abs(shift).max() > _FOLDED * _spread(scalers[-1]):
        shift = _subtract(chain, scale, shift)
    for index, (kernel, bias, activation) in enumerate(parts):
        if index == 0:  # (x * scale + shift) W + b
            kernel, bias = kernel * scale[:, None], shift @ kernel + bias
        chain.add("Dense", kernel, bias, units=kernel.shape[1], activation=activation)
    return chain.model((len(parts[0][0]),))


def _activation(name: str) -> str:
    if name not in _ACTIVATIONS:
        raise ArgumentError(
            f"from_sklearn: expected an activation of {', '.join(_ACTIVATIONS)}, got '{name}'."
        )
    return _ACTIVATIONS[name]


def _spread(scaler: Any) -> float:
    """About the standard deviation of what a scaler returns; 0 where it is not known."""
    if _name(scaler) == "MinMaxScaler":
        low, high = scaler.feature_range
        return float(high - low) / 6.0
    return 1.0 if scaler.with_std else 0.0


def _subtract(chain: Chain, scale: Matrix, shift: Matrix) -> Matrix:
    """Append a layer that subtracts means m before the scaling, and return what is left of the shift.

    `x * scale + shift = (x - m) * scale + rest`, where m is -shift / scale in float32: x - m is exact near m.
    """
    means = np.divide(-shift, scale, out=np.zeros_like(shift), where=scale != 0).astype(np.float32)
    chain.add(
        "BatchNormalization",
        means,
        np.ones_like(means),
        center=False,
        scale=False,
        epsilon=0.0,
        trainable=False,
    )
    rest: Matrix = shift + means.astype(np.float64) * scale
    return rest


def _name(estimator: Any) -> str:
    """Return the name of a class of scikit-learn; empty for any other, which may compute anything."""
    return type(estimator).__name__ if type(estimator).__module__.startswith("sklearn.") else ""


def _check_fitted(estimator: Any, attribute: str) -> None:
    if not hasattr(estimator, attribute):
        raise StateError(
            f"from_sklearn: expected a fitted {type(estimator).__name__}, got one without {attribute}."
        )


def _unpack(estimator: Any) -> tuple[list[Any], Any]:
    """Return the scalers of a pipeline, and its last step."""
    if _name(estimator) != "Pipeline":
        return [], estimator
    steps = [step for _, step in estimator.steps if step not in (None, "passthrough")]
    for step in steps[:-1]:
        if _name(step) not in ("StandardScaler", "MinMaxScaler") or getattr(step, "clip", False):
            raise ArgumentError(
                f"from_sklearn: expected StandardScaler or MinMaxScaler before the last step, got {step!r}."
            )
        _check_fitted(step, "scale_")
    return steps[:-1], steps[-1]


def _scaling(scalers: list[Any], features: int) -> tuple[Matrix, Matrix]:
    """`x * scale + shift`, of all scalers in order."""
    scale, shift = np.ones(features), np.zeros(features)
    for scaler in scalers:
        if _name(scaler) == "MinMaxScaler":
            factor, offset = scaler.scale_, scaler.min_
        else:
            factor = 1.0 / scaler.scale_ if scaler.with_std else np.ones(features)
            offset = -scaler.mean_ * factor if scaler.with_mean else np.zeros(features)
        scale, shift = scale * factor, shift * factor + offset
    return scale, shift


def _linear(estimator: Any, name: str) -> tuple[Matrix, Matrix, str]:
    _check_fitted(estimator, "coef_")
    kernel = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64)).T
    bias = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), kernel.shape[1:])
    if name not in _CLASSIFIERS:
        return kernel, bias, "linear"
    one_against_rest = estimator.solver == "liblinear" or getattr(estimator, "multi_class", None) == "ovr"
    if kernel.shape[1] > 1 and one_against_rest:
        raise ArgumentError(
            f"from_sklearn: expected a multinomial {name}, got one of one class against the rest."
        )
    return kernel, bias, "sigmoid" if kernel.shape[1] == 1 else "softmax"
