"""What `fit` and `predict` are given: checked by scikit-learn, or seen at once to need nothing done to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPARSE = ["csr", "csc"]


def features(estimator: Any, X: Any) -> Any:
    """Return the rows to predict, as `validate_data` does; it raises what that raises."""
    if _is_plain_table(X) and _has_known_features(estimator, X):
        return X
    return validate_data(estimator, X, accept_sparse=_SPARSE, reset=False)


def features_and_targets(
    estimator: Any, X: Any, y: Any, reset: bool, options: dict[str, Any]
) -> tuple[Any, Any]:
    """Return the rows to learn from, as `validate_data` does; it raises what that raises."""
    if (
        _is_plain_table(X)
        and _is_plain_column(y, len(X))
        and (reset or _has_known_features(estimator, X))
    ):
        if reset:
            estimator.n_features_in_ = X.shape[1]
            estimator.__dict__.pop("feature_names_in_", None)
        return X, y
    return validate_data(estimator, X, y, reset=reset, accept_sparse=_SPARSE, **options)


def _is_plain_table(X: Any) -> bool:
    """Whether X is an array that `validate_data` would return as it is: that takes it ten times as long."""
    return (
        type(X) is np.ndarray and X.ndim == 2 and X.dtype in (np.float64, np.float32) and X.size > 0
    ) and _is_finite(X)


def _is_plain_column(y: Any, rows: int) -> bool:
    if type(y) is not np.ndarray or y.ndim != 1 or len(y) != rows:
        return False
    return y.dtype.kind in "biuU" or (y.dtype in (np.float64, np.float32) and _is_finite(y))


def _is_finite(values: NDArray[Any]) -> bool:
    """Whether the sum is; where it overflows though no number is infinite, scikit-learn finds out."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values.sum()))


def _has_known_features(estimator: Any, X: Any) -> bool:
    known = estimator.__dict__
    return "feature_names_in_" not in known and known.get("n_features_in_") == X.shape[1]


_spare: list[np.random.RandomState] = []


@contextmanager
def random_state(given: Any) -> Iterator[np.random.RandomState]:
    """Lend what `check_random_state` gives. Making a new one takes 50 times as long as seeding an old one."""
    if not isinstance(given, Integral):
        yield check_random_state(given)
        return
    try:
        lent = _spare.pop()
        lent.seed(given)
    except IndexError:
        lent = check_random_state(given)
    yield lent
    _spare.append(lent)
