"""Data that need not fit in memory: batches that are cut, shuffled, changed and read ahead as training goes.

A `Dataset` yields batches: `(x, y)`, `(x, y, sample_weight)`, or x alone for predictions, each an array whose
first axis counts rows.

    data = lm.data.Dataset.from_folder("shards").shuffle(10_000, seed=1).map(scale).batch(64).prefetch(2)
    trainer.fit(data, epochs=5)
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from ._batches import cut, item_of, parts_of, with_room
from ._callback import _whole
from .errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._batches import Parts

__all__ = ["Dataset"]

_MIXED_ROWS = 1024  # that change places at a time


class Dataset:
    """Batches of rows that can be gone through again, epoch after epoch.

    `fit`, `evaluate` and `predict` take it in place of x and y. The static methods make one of arrays, files
    or functions; the others return a new one that does something more. A subclass of your own has an
    `__iter__` that begins anew at each call and yields batches.

    `from_arrays`, `from_folder` and `from_csv` yield rows in pieces of a size that suits the reading; unless
    `batch` says otherwise, `fit` and `evaluate` cut these to their own `batch_size`. Batches of `batch`, of
    `from_generator` and of a subclass are taken as they come, each one step.

    Examples
    --------
    >>> x, y = np.arange(10.0).reshape(5, 2), np.arange(5)
    >>> data = lm.data.Dataset.from_arrays(x, y).shuffle(5, seed=1).batch(2).prefetch()
    >>> [len(labels) for features, labels in data]
    [2, 2, 1]
    >>> history = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse").fit(data, epochs=3, verbose=0)
    """

    _pieces = False  # whether it yields pieces of any size, for the reader to cut

    def __iter__(self) -> Iterator[Any]:
        """Begin a pass over all batches."""
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass with an __iter__ of its own.")

    @property
    def rows(self) -> int | None:
        """How many rows a pass gives; None where that is not known beforehand.

        Examples
        --------
        >>> lm.data.Dataset.from_arrays(np.zeros((7, 2))).batch(3, drop_remainder=True).rows
        6
        """
        return None

    # ---- where data come from

    @staticmethod
    def from_arrays(x: Any, y: Any = None, sample_weight: Any = None) -> Dataset:
        """Read rows of arrays or memory maps.

        Parameters
        ----------
        x, y, sample_weight : array of shape (n, ...), or None for the last two
            What `fit` takes. Contiguous rows stay where they are, and the batches are views.

        Raises
        ------
        ShapeError, DTypeError, ArgumentError
            For arrays of different lengths, for what is no array of numbers, for weights without y.

        Examples
        --------
        >>> for x, y in lm.data.Dataset.from_arrays([[1], [2], [3]], [0, 1, 0]).batch(2):
        ...     print(x.tolist(), y.tolist())
        [[1], [2]] [0, 1]
        [[3]] [0]
        """
        from ._sources import Arrays

        return Arrays.of(x, y, sample_weight)

    @staticmethod
    def from_folder(
        path: str | os.PathLike[str], x: str = "x", y: str = "y", sample_weight: str = "sample_weight"
    ) -> Dataset:
        """Read a folder of `.npz` or `.npy` files, one after the other, in the order of their names.

        Parameters
        ----------
        path : str or path
            The folder. Either its `.npz` files each hold arrays x, y and perhaps sample_weight of equally
            many rows; or its `.npy` files go together by what follows in their names: `x-0.npy` with
            `y-0.npy`. Numbers in names count as numbers. Without any y, rows are for predictions.
        x, y, sample_weight : str
            The names of the arrays, or what the names of `.npy` files begin with.

        Raises
        ------
        FileError, DataError
            For a folder without such files; for files that are damaged, hold something else than numbers, or
            do not go together, named. Python objects in them are never loaded.

        Notes
        -----
        `.npy` files are mapped, `.npz` files are read piece by piece, so that a pass needs little memory.

        Examples
        --------
        >>> import os
        >>> os.mkdir("shards")
        >>> for i in range(3):
        ...     np.savez(f"shards/part-{i}.npz", x=np.full((4, 2), i), y=np.full(4, i))
        >>> data = lm.data.Dataset.from_folder("shards")
        >>> data.rows, [y.tolist() for x, y in data.batch(6)]
        (12, [[0, 0, 0, 0, 1, 1], [1, 1, 2, 2, 2, 2]])
        """
        from ._sources import Folder

        return Folder(path, x, y, sample_weight)

    @staticmethod
    def from_csv(
        path: str | os.PathLike[str], target: str | int | None = -1, delimiter: str = ","
    ) -> Dataset:
        """Read a CSV file of numbers, also `.gz`, some rows at a time.

        Parameters
        ----------
        path : str or path
            The file. A first line with anything but numbers is the header.
        target : str, int or None, default -1
            The column to predict: its name in the header, or its index; None for x alone. It becomes float64,
            the others float32.
        delimiter : str, default ','
            What stands between two cells.

        Raises
        ------
        FileError, DataError, ArgumentError
            When the file can't be read; for a cell that is no number and a line of another length, with its
            line, as they are reached; for a target that isn't there.

        Examples
        --------
        >>> with open("houses.csv", "w") as file:
        ...     for line in ("rooms,price", "3,200.5", "5,310"):
        ...         print(line, file=file)
        >>> ((x, y),) = lm.data.Dataset.from_csv("houses.csv", target="price")
        >>> x.tolist(), y.tolist()
        ([[3.0], [5.0]], [200.5, 310.0])
        """
        from ._sources import Table

        return Table(path, target, delimiter)

    @staticmethod
    def from_generator(function: Callable[[], Iterable[Any]] | Iterable[Any], each: str = "batch") -> Dataset:
        """Take what a function yields.

        Parameters
        ----------
        function : callable
            Called at the start of each pass; a generator function, say. An iterable that can be gone through
            again will do as well.
        each : 'batch' or 'row', default 'batch'
            What it yields: batches, each one step; or single rows, `(x, y)` or `(x, y, weight)`, to be put
            together.

        Raises
        ------
        ArgumentError
            For an iterator, which would be exhausted after one pass.

        Examples
        --------
        >>> def squares():
        ...     for i in range(5):
        ...         yield [i], i * i
        >>> data = lm.data.Dataset.from_generator(squares, each="row").batch(4)
        >>> [y.tolist() for x, y in data]
        [[0, 1, 4, 9], [16]]
        """
        from ._sources import Generated

        return Generated(function, each)

    # ---- what can be done to it

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Cut into batches of so many rows.

        Parameters
        ----------
        batch_size : int
            Rows of a batch.
        drop_remainder : bool, default False
            Whether to leave out a last batch that is smaller.

        Examples
        --------
        >>> data = lm.data.Dataset.from_arrays(np.arange(7))
        >>> [len(x) for x in data.batch(3)], [len(x) for x in data.batch(3, drop_remainder=True)]
        ([3, 3, 1], [3, 3])
        """
        return _Batched(self, _whole("Dataset.batch", "batch_size", batch_size, 1), bool(drop_remainder))

    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool = True
    ) -> Dataset:
        """Shuffle rows by way of a buffer.

        Each row that comes in takes the place of one chosen at random among `buffer_size` held, which goes
        out; sizes of batches stay. A buffer of at least all rows gives a full shuffle; a small one mixes
        neighbours only, so files that are sorted by class want a large one.

        Parameters
        ----------
        buffer_size : int
            Rows to hold in memory.
        seed : int or None, default None
            Seed and number of the epoch give the order; None leaves the seed to chance.
        reshuffle_each_iteration : bool, default True
            Whether every epoch has an order of its own.

        Examples
        --------
        >>> data = lm.data.Dataset.from_arrays(np.arange(5)).shuffle(5, seed=1)
        >>> first, second = (np.concatenate(list(data)).tolist() for epoch in range(2))
        >>> sorted(first), first == second
        ([0, 1, 2, 3, 4], False)
        """
        size = _whole("Dataset.shuffle", "buffer_size", buffer_size, 1)
        if seed is None:
            seed = int(np.random.default_rng().integers(2**63))
        return _Shuffled(self, size, _whole("Dataset.shuffle", "seed", seed), bool(reshuffle_each_iteration))

    def map(self, function: Callable[..., Any]) -> Dataset:
        """Put every batch through `function(x)`, `function(x, y)` or `function(x, y, sample_weight)`.

        It gets arrays of many rows, copies that it may write into, and returns the new x, (x, y) or
        (x, y, sample_weight), of as many rows or of others: then `rows` becomes None once that is seen.

        Examples
        --------
        >>> data = lm.data.Dataset.from_arrays([1, 2, 3], [0, 1, 1]).map(lambda x, y: (10 * x, 1 - y))
        >>> [(x.tolist(), y.tolist()) for x, y in data]
        [([10, 20, 30], [1, 0, 0])]
        """
        if not callable(function):
            raise ArgumentError(f"Dataset.map: expected a function, got {function!r}.")
        return _Mapped(self, function)

    def prefetch(self, buffer_size: int = 2) -> Dataset:
        """Read up to `buffer_size` batches ahead in a thread, while training goes on.

        Batches are copied as they are read. What the thread raises is raised where the batch is asked for.
        The thread ends with the pass, and when the pass is abandoned.

        Examples
        --------
        >>> data = lm.data.Dataset.from_arrays(np.arange(5)).batch(2).prefetch()
        >>> [x.tolist() for x in data]
        [[0, 1], [2, 3], [4]]
        """
        return _Prefetched(self, _whole("Dataset.prefetch", "buffer_size", buffer_size, 1))

    # ---- inside

    def _epoch(self, epoch: int) -> Iterator[Any]:
        """Begin the pass of an epoch, whose number stands for the order of shuffled rows."""
        return iter(self)

    def _steps(self) -> int | None:
        """How many batches a pass gives, where that is known."""
        return None


class _Step(Dataset):
    """Something done to the batches of another dataset."""

    def __init__(self, source: Dataset) -> None:
        self.source = source
        self._pieces = source._pieces

    def __iter__(self) -> Iterator[Any]:
        return self._through(iter(self.source))

    @property
    def rows(self) -> int | None:
        return self.source.rows

    def _epoch(self, epoch: int) -> Iterator[Any]:
        return self._through(self.source._epoch(epoch))

    def _steps(self) -> int | None:
        return self.source._steps()

    def _through(self, batches: Iterator[Any]) -> Iterator[Any]:
        raise NotImplementedError  # by each kind of step


class _Batched(_Step):
    def __init__(self, source: Dataset, size: int, drop_remainder: bool) -> None:
        super().__init__(source)
        self.size, self.drop_remainder = size, drop_remainder
        self._pieces = False

    @property
    def rows(self) -> int | None:
        rows = self.source.rows
        return rows - rows % self.size if rows is not None and self.drop_remainder else rows

    def __repr__(self) -> str:
        return f"{self.source!r}.batch({self.size})"

    def _steps(self) -> int | None:
        return None if self.rows is None else math.ceil(self.rows / self.size)

    def _through(self, batches: Iterator[Any]) -> Iterator[Any]:
        for parts in cut(map(parts_of, batches), repeat(self.size)):
            if len(parts[0]) == self.size or not self.drop_remainder:
                yield item_of(parts)


class _Shuffled(_Step):
    def __init__(self, source: Dataset, size: int, seed: int, reshuffle: bool) -> None:
        super().__init__(source)
        self.size, self.seed, self.reshuffle = size, seed, reshuffle
        self.passes = 0

    def __iter__(self) -> Iterator[Any]:
        self.passes += 1
        return self._shuffled(iter(self.source), self.passes - 1)

    def __repr__(self) -> str:
        return f"{self.source!r}.shuffle({self.size})"

    def _epoch(self, epoch: int) -> Iterator[Any]:
        return self._shuffled(self.source._epoch(epoch), epoch)

    def _shuffled(self, batches: Iterator[Any], epoch: int) -> Iterator[Any]:
        random = np.random.default_rng([self.seed, epoch if self.reshuffle else 0])
        sizes: deque[int] = deque()
        mixed = self._mixed(batches, sizes, random)
        for parts in cut(mixed, iter(sizes.popleft, None)):
            yield item_of(parts)

    def _mixed(
        self, batches: Iterator[Any], sizes: deque[int], random: np.random.Generator
    ) -> Iterator[Parts]:
        """Yield the rows in their new order; note the sizes of what comes in."""

        def noted() -> Iterator[Parts]:
            for parts in map(parts_of, batches):
                if len(parts[0]) > 0:
                    sizes.append(len(parts[0]))
                yield parts

        held: list[NDArray[Any]] = []
        count = 0
        together = max(1, min(self.size // 4, _MIXED_ROWS))  # many rows at a time, in little more memory
        for parts in cut(noted(), repeat(together)):
            rows = len(parts[0])
            taken = min(rows, self.size - count)
            held = with_room(held, parts, count + taken, self.size)
            for buffer, part in zip(held, parts, strict=True):
                buffer[count : count + taken] = part[:taken]
            count += taken
            if taken < rows:
                places = random.choice(self.size, rows - taken, replace=False)
                yield tuple(buffer[places] for buffer in held)
                for buffer, part in zip(held, parts, strict=True):
                    buffer[places] = part[taken:]
        order = random.permutation(count)
        for start in range(0, count, together):
            yield tuple(buffer[order[start : start + together]] for buffer in held)


class _Mapped(_Step):
    def __init__(self, source: Dataset, function: Callable[..., Any]) -> None:
        super().__init__(source)
        self.function = function
        self.keeps_rows = True  # as far as is known

    @property
    def rows(self) -> int | None:
        return self.source.rows if self.keeps_rows else None

    def __repr__(self) -> str:
        return f"{self.source!r}.map({getattr(self.function, '__name__', self.function)})"

    def _steps(self) -> int | None:
        return self.source._steps() if self.keeps_rows else None

    def _through(self, batches: Iterator[Any]) -> Iterator[Any]:
        for parts in map(parts_of, batches):
            mapped = parts_of(self.function(*(part.copy() for part in parts)))
            if len(mapped[0]) != len(parts[0]):
                self.keeps_rows = False
            yield item_of(mapped)


class _Prefetched(_Step):
    def __init__(self, source: Dataset, size: int) -> None:
        super().__init__(source)
        self.size = size

    def __repr__(self) -> str:
        return f"{self.source!r}.prefetch({self.size})"

    def _through(self, batches: Iterator[Any]) -> Iterator[Any]:
        from ._prefetch import read_ahead

        def owned() -> Iterator[Any]:
            # Whoever yields a batch may write into it for the next one; and what is mapped is read here.
            for parts in map(parts_of, batches):
                yield item_of(tuple(part.copy() for part in parts))

        return read_ahead(owned(), self.size)
