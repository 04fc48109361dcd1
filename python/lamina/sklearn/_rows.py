"""Rows to learn from: as float32, without those that change nothing, and sparse ones piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from ..errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SORTED = 1 << 26  # bytes of rows that are put in order at most
_DENSE = 1 << 26  # numbers; sparse features of more are turned into arrays batch by batch


@dataclass
class Training:
    """What a solver trains on."""

    x: Any  # float32 array, or a sparse matrix in CSR form
    y: NDArray[Any]  # class numbers, or columns
    weights: NDArray[np.float32] | None

    def __len__(self) -> int:
        return int(self.x.shape[0])

    def take(self, rows: NDArray[Any]) -> Training:
        """Return some rows."""
        return Training(self.x[rows], self.y[rows], None if self.weights is None else self.weights[rows])


def as_features(x: Any) -> Any:
    """Return features as contiguous float32; sparse ones that are large stay sparse, in CSR form."""
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is reported by its row
        if not hasattr(x, "toarray"):
            return np.ascontiguousarray(x, dtype=np.float32)
        if x.shape[0] * x.shape[1] <= _DENSE:
            return as_dense(x)
        return x.tocsr().astype(np.float32)


def as_dense(x: Any) -> NDArray[Any]:
    """Return sparse features as a float32 array, others as they are."""
    dense: NDArray[Any] = np.asarray(x.astype(np.float32).toarray()) if hasattr(x, "toarray") else x
    return dense


def without_idle(rows: Training) -> Training:
    """Drop the rows that weigh nothing."""
    if rows.weights is None:
        return rows
    total = rows.weights.sum(dtype=np.float64)
    if total <= 0:
        raise DataError(
            "sample_weight: expected at least one row with a weight above 0, and a sum above 0, "
            f"got a sum of {total:g}."
        )
    return rows if rows.weights.all() else rows.take(np.flatnonzero(rows.weights))


def merged(rows: Training) -> Training:
    """Put equal rows together, with the sum of their weights, in an order that depends on their values alone.

    A step over all rows is the same for both, but for rounding: so the order in which rows are given, and
    whether a row is repeated or has a weight, changes not even the last bit. Rows of more than 64 MB, which
    take long to sort, stay as they are.
    """
    if rows.x.nbytes > _SORTED:
        return rows
    x, y = np.ascontiguousarray(rows.x), np.ascontiguousarray(rows.y)
    return Training(*_core.distinct_rows(x, y, rows.weights))


class SparseBatches:
    """Sparse rows as dense batches; every pass over them is in a new order."""

    def __init__(self, rows: Training, batch_size: int, shuffle: bool, seed: int) -> None:
        self.rows, self.batch_size, self.shuffle = rows, batch_size, shuffle
        self.random = np.random.RandomState(seed)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        order = np.arange(len(self.rows))
        if self.shuffle:
            self.random.shuffle(order)
        for start in range(0, len(order), self.batch_size):
            batch = self.rows.take(order[start : start + self.batch_size])
            x = as_dense(batch.x)
            yield (x, batch.y) if batch.weights is None else (x, batch.y, batch.weights)
