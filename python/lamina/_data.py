"""What `fit`, `evaluate` and their like are given: arrays, read in place, or streams of batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._arrays import as_rows, is_array_like, is_mapped
from .data import Dataset
from .errors import ArgumentError, DataError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ClassWeight = Mapping[int, float]


@dataclass
class Rows:
    """Arrays in memory, or mapped: x (n, ...), y and weights (n,) or None."""

    x: NDArray[Any]
    y: NDArray[Any]
    weights: NDArray[np.float32] | None = None
    dataset: _core.Dataset = field(init=False)
    scan: bool = field(init=False)  # check all values beforehand, rather than as they are gathered

    def __post_init__(self) -> None:
        self.scan = not (is_mapped(self.x) or is_mapped(self.y))
        weights = [] if self.weights is None else [self.weights]
        self.dataset = _core.Dataset([self.x], [self.y], weights, not self.scan)

    def __len__(self) -> int:
        return len(self.x)

    def build(self, session: _core.Session) -> None:
        """Build the session's model for these rows, which were checked with another."""
        session.prepare(self.dataset, False)

    def check(self, session: _core.Session, class_weight: ClassWeight | None = None) -> None:
        """Check everything against the session's model, which is built if it wasn't."""
        session.prepare(self.dataset, self.scan)
        if class_weight is not None:
            factors = class_factors(self.y, class_weight, session.model().output_shape())
            self.weights = factors if self.weights is None else factors * self.weights
            self.dataset = _core.Dataset([self.x], [self.y], [self.weights], not self.scan)

    def slice(self, start: int, stop: int) -> Rows:
        """Rows start .. stop - 1, over the same memory."""
        weights = None if self.weights is None else self.weights[start:stop]
        return Rows(self.x[start:stop], self.y[start:stop], weights)

    def split(self, fraction: float) -> tuple[Rows, Rows]:
        """Split off the last fraction, as Keras does: before any shuffling."""
        if isinstance(fraction, bool) or not isinstance(fraction, (int, float)) or not 0 <= fraction < 1:
            raise ArgumentError(f"fit: expected validation_split to be a number in [0, 1), got {fraction!r}.")
        rows = len(self)
        at = math.floor(rows * (1.0 - fraction))
        if at in (0, rows):
            raise ArgumentError(
                f"fit: expected a validation_split that leaves rows on both sides, "
                f"got {fraction} of {rows} rows."
            )
        return self.slice(0, at), self.slice(at, rows)


class Batches:
    """A stream of `(x, y)` or `(x, y, sample_weight)` batches: any iterable."""

    def __init__(self, source: Iterable[Any], what: str, class_weight: ClassWeight | None = None) -> None:
        self.source = source
        self.what = what
        self.class_weight = class_weight
        self.once = iter(source) is source if isinstance(source, Iterator) else False
        self.passes = 0  # begun so far; the next one's number orders the rows of a shuffled Dataset
        self._going: Iterator[Any] | None = None
        self._first: Rows | None = None

    @property
    def rows(self) -> int | None:
        """How many rows a pass gives, where that is known."""
        return self.source.rows if isinstance(self.source, Dataset) else None

    @property
    def steps(self) -> int | None:
        """How many batches a pass gives, where that is known."""
        return self.source._steps() if isinstance(self.source, Dataset) else None

    def check_epochs(self, epochs: int, steps: int | None) -> None:
        """Raise `ArgumentError` when an iterator, which ends with its first epoch, is to serve for more."""
        if self.once and epochs > 1 and steps is None:
            raise ArgumentError(
                f"{self.what}: expected an iterable that can be read {epochs} times, "
                "got an iterator that ends after its first epoch; pass steps_per_epoch, or an object whose "
                "__iter__ starts anew."
            )

    def build(self, session: _core.Session) -> None:
        """Build the session's model for the first batch, which was checked with another."""
        assert self._first is not None
        session.prepare(self._first.dataset, False)

    def check(self, session: _core.Session, class_weight: ClassWeight | None = None) -> None:
        """Check the first batch against the session's model, which is built if it wasn't."""
        if class_weight is not None:
            self.class_weight = class_weight
        self._going = self._begin()
        try:
            self._first = self._batch(next(self._going))
            session.prepare(self._first.dataset, self._first.scan)
        except StopIteration:
            raise DataError(f"{self.what}: expected at least one batch, got an empty iterable.") from None
        except BaseException:
            self.close()
            raise

    def batches(self, session: _core.Session, steps: int | None = None) -> Iterator[Rows]:
        """Yield the checked batches of one pass, or the next `steps`, starting anew where the source ends."""
        if steps is None and self._first is None:
            self._going = self._begin()
        given, fresh = 0, False  # whether a pass has just begun
        while steps is None or given < steps:
            batch = self._next(session)
            if batch is None:
                if steps is None:
                    break
                if self.once or fresh:
                    raise DataError(
                        f"{self.what}: expected {steps} batches in an epoch, "
                        f"got an iterator that ended after {given}."
                    )
                self._going, fresh = self._begin(), True
                continue
            given, fresh = given + 1, False
            yield batch
        if steps is None:
            self._going = None

    def close(self) -> None:
        """End the pass that is going on, unless the iterator is the user's."""
        going, self._going, self._first = self._going, None, None
        close = getattr(going, "close", None)
        if close is not None and not self.once:
            close()

    def _begin(self) -> Iterator[Any]:
        self.passes += 1
        if isinstance(self.source, Dataset):
            return self.source._epoch(self.passes - 1)
        return iter(self.source)

    def _next(self, session: _core.Session) -> Rows | None:
        if self._first is not None:
            batch, self._first = self._first, None
        else:
            if self._going is None:
                self._going = self._begin()
            item = next(self._going, None)
            if item is None:
                return None
            batch = self._batch(item)
            session.prepare(batch.dataset, batch.scan)
        if self.class_weight is not None:
            factors = class_factors(batch.y, self.class_weight, session.model().output_shape())
            weights = factors if batch.weights is None else factors * batch.weights
            batch = Rows(batch.x, batch.y, weights)
        return batch

    def _batch(self, item: Any) -> Rows:
        if not isinstance(item, (tuple, list)) or len(item) not in (2, 3):
            got = f"{len(item)} things" if isinstance(item, (tuple, list)) else type(item).__name__
            raise ArgumentError(
                f"{self.what}: expected an iterable of (x, y) or (x, y, sample_weight) batches, "
                f"got one of {got}; arrays are passed as x and y."
            )
        return rows_of(*item)


Source = Rows | Batches


def source_of(
    x: Any, y: Any, sample_weight: Any = None, what: str = "fit", batch_size: int | str = 32
) -> Source:
    """Arrays where y is given, else a stream of batches; pieces of a `Dataset` are cut to `batch_size`."""
    if isinstance(x, Dataset):
        if y is not None or sample_weight is not None:
            raise ArgumentError(f"{what}: expected a Dataset alone, which has its own y and weights.")
        return Batches(cut(x, what, batch_size), what)
    if y is not None:
        return rows_of(x, y, sample_weight)
    if is_array_like(x) or isinstance(x, (str, bytes, Mapping)) or not isinstance(x, Iterable):
        raise ArgumentError(
            f"{what}: expected y beside x, or an iterable of (x, y) batches, got {_describe(x)} alone."
        )
    if sample_weight is not None:
        raise ArgumentError(
            f"{what}: expected sample_weight within the batches (x, y, sample_weight), got it apart."
        )
    return Batches(x, what)


def cut(data: Dataset, what: str, batch_size: int | str) -> Dataset:
    """Return the dataset in batches: its own, or of the size given where it left that open."""
    if not data._pieces:
        return data
    if isinstance(batch_size, str):
        raise ArgumentError(f"{what}: expected batch_size to be a number with a Dataset, got '{batch_size}'.")
    return data.batch(batch_size)


def validation_of(data: Any, batch_size: int | str = 32) -> Source:
    """Return what `validation_data` stands for: a tuple of arrays, or an iterable of batches."""
    if isinstance(data, (tuple, list)) and len(data) in (2, 3) and not isinstance(data[0], tuple):
        return rows_of(*data)
    return source_of(data, None, None, "validation_data", batch_size)


def rows_of(x: Any, y: Any, sample_weight: Any = None) -> Rows:
    """Arrays, checked for types and lengths."""
    inputs, targets = as_rows(x, "x"), as_rows(y, "y")
    if len(inputs) != len(targets):
        raise ShapeError(f"Expected x and y of equally many rows, got {len(inputs)} and {len(targets)}.")
    return Rows(
        inputs, targets, None if sample_weight is None else sample_weights(sample_weight, len(inputs))
    )


def sample_weights(value: Any, rows: int) -> NDArray[np.float32]:
    """Weights of shape (rows,), finite, as float32."""
    weights = as_rows(value, "sample_weight")
    if weights.shape == (rows, 1):
        weights = weights.reshape(rows)
    if weights.shape != (rows,):
        raise ShapeError(f"Expected sample_weight of shape ({rows},), got {weights.shape}.")
    converted = np.ascontiguousarray(weights, dtype=np.float32)
    if not np.isfinite(converted).all():
        row = int(np.argmin(np.isfinite(converted)))
        raise DataError(f"Expected finite numbers in sample_weight, got {weights[row]} in row {row}.")
    return converted


def class_factors(
    y: NDArray[Any], class_weight: ClassWeight, output_shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Return the weight of each row's class; 1 for classes that are not named."""
    if not isinstance(class_weight, Mapping):
        raise ArgumentError(
            f"fit: expected class_weight to be a dict {{class: weight}}, got {class_weight!r}."
        )
    if len(output_shape) != 1 or y.ndim > 2:
        raise ArgumentError(f"fit: expected one class a row for class_weight, got y of shape {y.shape}.")
    classes = 2 if output_shape[0] == 1 else output_shape[0]
    labels = np.argmax(y, axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(len(y))
    if labels.dtype.kind == "f" and not (labels == np.floor(labels)).all():
        raise ArgumentError("fit: expected whole numbers in y, one class a row, for class_weight.")
    factors = np.ones(len(y), dtype=np.float32)
    for label, weight in class_weight.items():
        if isinstance(label, bool) or not isinstance(label, (int, np.integer)) or not 0 <= label < classes:
            raise ArgumentError(
                f"fit: expected the keys of class_weight to be classes in [0, {classes}), got {label!r}."
            )
        if not isinstance(weight, (int, float, np.number)) or not math.isfinite(weight):
            raise ArgumentError(
                f"fit: expected finite numbers in class_weight, got {weight!r} for class {label}."
            )
        factors[labels == label] = weight
    return factors


def _describe(x: Any) -> str:
    return f"an array of shape {x.shape}" if isinstance(x, np.ndarray) else f"a {type(x).__name__}"
