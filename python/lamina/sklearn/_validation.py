"""What `fit` and `predict` are given: checked by scikit-learn, or seen at once to need nothing done to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from .. import _core
from ._rows import as_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SPARSE = ["csr", "csc"]
_COPIED = 1 << 26  # bytes of rows to predict; more are turned into float32 batch by batch
_FLOATS = (np.dtype(np.float64), np.dtype(np.float32))


def features(estimator: Any, X: Any) -> tuple[Any, bool]:
    """Return the rows to predict, and whether they came as float32. Raises what `validate_data` does."""
    x = _as_finite_table(X) if getattr(X, "nbytes", 0) <= _COPIED else None
    if x is not None and _has_known_features(estimator, x):
        return x, _is_single(X)
    X = validate_data(estimator, X, accept_sparse=_SPARSE, reset=False)
    return X, _is_single(X)


def features_and_targets(
    estimator: Any, X: Any, y: Any, reset: bool, options: dict[str, Any]
) -> tuple[Any, Any, bool]:
    """Return the rows to learn from, as float32 (large sparse ones in CSR form), and whether they came so.

    Raises what `validate_data` does.
    """
    x = _as_finite_table(X)
    if x is not None and _is_plain_column(y, len(x)) and (reset or _has_known_features(estimator, x)):
        if reset:
            estimator.n_features_in_ = x.shape[1]
            estimator.__dict__.pop("feature_names_in_", None)
        return x, y, _is_single(X)
    X, y = validate_data(estimator, X, y, reset=reset, accept_sparse=_SPARSE, **options)
    return as_features(X), y, _is_single(X)


def _is_single(X: Any) -> bool:
    """Whether X is float32, in either order of bytes."""
    return bool(X.dtype.kind == "f" and X.dtype.itemsize == 4)


def _as_finite_table(X: Any) -> NDArray[np.float32] | None:
    """Return X as float32, where `validate_data` would find nothing to say, which takes ten times as long."""
    if type(X) is np.ndarray and X.ndim == 2 and X.dtype in _FLOATS and X.size > 0:
        return _core.finite_float32(X)
    return None


def _is_plain_column(y: Any, rows: int) -> bool:
    if type(y) is not np.ndarray or y.ndim != 1 or len(y) != rows:
        return False
    return y.dtype.kind in "biuU" or (y.dtype in _FLOATS and _core.finite_float32(y) is not None)


def _has_known_features(estimator: Any, x: NDArray[np.float32]) -> bool:
    known = estimator.__dict__
    return "feature_names_in_" not in known and known.get("n_features_in_") == x.shape[1]


_spare: list[np.random.RandomState] = []


@contextmanager
def random_state(given: Any) -> Iterator[np.random.RandomState]:
    """Lend what `check_random_state` gives. Making a new one takes 50 times as long as seeding an old one."""
    if given is None or isinstance(given, np.random.RandomState):
        yield check_random_state(given)
        return
    try:
        lent = _spare.pop()
        lent.seed(given)
    except IndexError:
        lent = np.random.RandomState(given)
    yield lent
    _spare.append(lent)
