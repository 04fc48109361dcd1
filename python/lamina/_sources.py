"""Where the batches of a `Dataset` come from: arrays, folders, tables of text, functions."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from ._arrays import as_rows
from ._batches import item_of
from ._callback import _whole
from ._files import file_errors
from .data import Dataset
from .errors import ArgumentError, DataError, FileError, ShapeError

if TYPE_CHECKING:
    from zipfile import ZipFile

    from numpy.typing import NDArray

    Shape = tuple[int, ...]

_PIECE_BYTES = 4 << 20  # of x in a piece: small beside memory, large beside the cost of a piece
_PIECE_ROWS = 4096
_ROWS_TOGETHER = 256  # single rows of a generator that are put together


class Arrays(Dataset):
    """Rows of arrays in memory, or mapped."""

    def __init__(
        self, arrays: tuple[NDArray[Any], ...], size: int | None = None, whole: bool = False
    ) -> None:
        self.arrays = arrays
        self._pieces = size is None
        self.size = piece_rows(arrays[0].shape, arrays[0].dtype) if size is None else size
        self.whole = whole  # only batches of all `size` rows

    @classmethod
    def of(cls, x: Any, y: Any, sample_weight: Any) -> Arrays:
        """Check what the user gave."""
        if y is None and sample_weight is not None:
            raise ArgumentError("Dataset.from_arrays: expected sample_weight beside y, got it without.")
        given = {"x": x, "y": y, "sample_weight": sample_weight}
        arrays = {name: as_rows(value, name) for name, value in given.items() if value is not None}
        if "x" not in arrays:
            raise ArgumentError("Dataset.from_arrays: expected x, got None.")
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            got = ", ".join(f"{rows} in {name}" for name, rows in lengths.items())
            raise ShapeError(f"Dataset.from_arrays: expected equally many rows, got {got}.")
        return cls(tuple(arrays.values()))

    def __iter__(self) -> Iterator[Any]:
        for start in range(0, self.rows, self.size):
            yield item_of(tuple(array[start : min(start + self.size, self.rows)] for array in self.arrays))

    def __repr__(self) -> str:
        text = f"Dataset({len(self.arrays[0]):,} rows)"
        return text if self._pieces else f"{text}.batch({self.size})"

    @property
    def rows(self) -> int:
        """All, or those of whole batches."""
        rows = len(self.arrays[0])
        return rows - rows % self.size if self.whole else rows

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Cut into batches that are views."""
        if not self._pieces:
            return super().batch(batch_size, drop_remainder)
        return Arrays(self.arrays, _whole("Dataset.batch", "batch_size", batch_size, 1), bool(drop_remainder))

    def _steps(self) -> int | None:
        return None if self._pieces else -(-self.rows // self.size)


class Generated(Dataset):
    """What a function yields, anew for each pass."""

    def __init__(self, function: Callable[[], Iterable[Any]] | Iterable[Any], each: str) -> None:
        if each not in ("batch", "row"):
            raise ArgumentError(
                f"Dataset.from_generator: expected each to be 'batch' or 'row', got {each!r}."
            )
        if isinstance(function, Iterator) or not (callable(function) or isinstance(function, Iterable)):
            hint = "; pass the function without calling it" if isinstance(function, Iterator) else ""
            raise ArgumentError(
                "Dataset.from_generator: expected a function that returns an iterator for each pass, got "
                f"a {type(function).__name__}{hint}."
            )
        self.function = function
        self._pieces = each == "row"

    def __iter__(self) -> Iterator[Any]:
        given = self.function() if callable(self.function) else self.function
        if not isinstance(given, Iterable):
            raise ArgumentError(
                f"Dataset.from_generator: expected a function that returns an iterable, got {given!r} of it."
            )
        return self._together(iter(given)) if self._pieces else iter(given)

    def __repr__(self) -> str:
        return f"Dataset({getattr(self.function, '__name__', type(self.function).__name__)})"

    def _together(self, items: Iterator[Any]) -> Iterator[Any]:
        rows: list[tuple[Any, ...]] = []
        for item in items:
            rows.append(item if isinstance(item, tuple) else (item,))
            if len(rows) == _ROWS_TOGETHER:
                yield _stacked(rows)
                rows = []
        if rows:
            yield _stacked(rows)


def _stacked(rows: list[tuple[Any, ...]]) -> Any:
    try:
        return item_of(tuple(np.stack([np.asarray(v) for v in column]) for column in zip(*rows, strict=True)))
    except ValueError as error:
        raise ShapeError(
            f"Dataset.from_generator: expected rows of one shape, got different ones: {error}."
        ) from error


# ---- folders


class Folder(Dataset):
    """Files of arrays, one after the other."""

    _pieces = True

    def __init__(self, path: str | os.PathLike[str], x: str, y: str, sample_weight: str) -> None:
        self.path = os.fspath(path)
        self.names = (x, y, sample_weight)
        with file_errors(self.path, "read"):
            names = [name for name in os.listdir(self.path) if not name.startswith(".")]  # hidden ones
            files = sorted(names, key=_natural)
        npz = [name for name in files if name.endswith(".npz")]
        npy = [name for name in files if name.endswith(".npy")]
        self.shards: list[Shard]
        if npz:
            self.shards = [ZipShard(os.path.join(self.path, name), self.names) for name in npz]
        else:
            self.shards = [MappedShard(paths) for paths in self._groups(npy)]
        if not self.shards:
            raise FileError(
                f"Dataset.from_folder: expected .npz files, or .npy files whose names begin with '{x}', "
                f"in '{self.path}', found none."
            )
        for shard in self.shards:
            if shard.kinds() != self.shards[0].kinds():
                raise DataError(
                    f"Dataset.from_folder: expected rows alike in all files, got {self.shards[0].kinds()} in "
                    f"'{self.shards[0].title}' and {shard.kinds()} in '{shard.title}'."
                )

    def __iter__(self) -> Iterator[Any]:
        for shard in self.shards:
            yield from shard.pieces()

    def __repr__(self) -> str:
        return f"Dataset({self.rows:,} rows of '{self.path}')"

    @property
    def rows(self) -> int:
        """The rows of all files."""
        return sum(shard.rows for shard in self.shards)

    def _groups(self, files: list[str]) -> list[list[str]]:
        """Return the paths of x, y and weights that belong together."""
        x, *others = self.names
        there = set(files)
        firsts = [name for name in files if name.startswith(x)]
        firsts = [name for name in firsts if not any(name.startswith(o) and len(o) > len(x) for o in others)]
        # What one x has beside it, all must have.
        wanted = [other for other in others if any(other + name[len(x) :] in there for name in firsts)]
        if len(wanted) == 1 and wanted[0] == self.names[2]:
            wanted = others  # weights belong to targets
        groups = []
        for name in firsts:
            partners = [other + name[len(x) :] for other in wanted]
            for partner in partners:
                if partner not in there:
                    raise FileError(
                        f"Dataset.from_folder: expected '{partner}' beside '{name}' in '{self.path}', "
                        "found none."
                    )
            groups.append([os.path.join(self.path, each) for each in (name, *partners)])
        return groups


class Shard:
    """One file, or the files that go together."""

    title: str
    shapes: list[Shape]  # with the rows
    dtypes: list[np.dtype[Any]]

    def _check(self) -> None:
        if any(dtype.kind not in "biuf" for dtype in self.dtypes):
            got = ", ".join(map(str, self.dtypes))
            raise DataError(f"Dataset.from_folder: expected numbers in '{self.title}', got {got}.")
        if any(len(shape) == 0 for shape in self.shapes) or len({shape[0] for shape in self.shapes}) != 1:
            got = " and ".join(map(str, self.shapes))
            raise DataError(
                f"Dataset.from_folder: expected arrays of equally many rows in '{self.title}', got {got}."
            )

    @property
    def rows(self) -> int:
        """Rows in it."""
        return self.shapes[0][0]

    def kinds(self) -> str:
        """Return what must be the same in all files."""
        return " and ".join(str(shape[1:]) for shape in self.shapes)

    def pieces(self) -> Iterator[Any]:
        """Yield the rows."""
        raise NotImplementedError  # by each kind of shard


class MappedShard(Shard):
    """`.npy` files, mapped into memory while they are read."""

    def __init__(self, paths: list[str]) -> None:
        self.paths, self.title = paths, paths[0]
        arrays = self._arrays()
        self.shapes, self.dtypes = [array.shape for array in arrays], [array.dtype for array in arrays]
        self._check()

    def pieces(self) -> Iterator[Any]:
        """Yield views, or converted pieces where the files are not of contiguous, native rows."""
        arrays = self._arrays()
        size = piece_rows(self.shapes[0], self.dtypes[0])
        for start in range(0, self.rows, size):
            yield item_of(tuple(as_rows(array[start : start + size], "x") for array in arrays))

    def _arrays(self) -> list[NDArray[Any]]:
        arrays = []
        for path in self.paths:
            with _format_errors(path):
                arrays.append(np.load(path, mmap_mode="r", allow_pickle=False))
        return arrays


class ZipShard(Shard):
    """A `.npz` file, read piece by piece."""

    def __init__(self, path: str, names: tuple[str, str, str]) -> None:
        import zipfile

        self.path = self.title = path
        with _format_errors(path), zipfile.ZipFile(path) as archive:
            members = set(archive.namelist())
            needed = names[:2] if f"{names[2]}.npy" in members else names[:1]
            missing = [name for name in needed if f"{name}.npy" not in members]
            if missing:
                inside = ", ".join(sorted(name.removesuffix(".npy") for name in members)) or "nothing"
                raise DataError(
                    f"Dataset.from_folder: expected an array '{missing[0]}' in '{path}', got {inside}."
                )
            self.members = [f"{name}.npy" for name in names if f"{name}.npy" in members]
            headers = []
            for member in self.members:
                with archive.open(member) as file:
                    headers.append(_header(file))
        self.shapes = [shape for shape, _, _ in headers]
        self.dtypes = [dtype for _, _, dtype in headers]
        self.fortran = [order for _, order, _ in headers]
        self._check()

    def pieces(self) -> Iterator[Any]:
        """Yield rows as they are unpacked. An array in Fortran's order is unpacked whole."""
        import zipfile

        size = piece_rows(self.shapes[0], self.dtypes[0])
        with ExitStack() as stack:
            stack.enter_context(_format_errors(self.path))
            archive = stack.enter_context(zipfile.ZipFile(self.path))
            readers = [self._reader(archive, i, stack) for i in range(len(self.members))]
            for start in range(0, self.rows, size):
                count = min(size, self.rows - start)
                yield item_of(tuple(read(start, count) for read in readers))

    def _reader(self, archive: ZipFile, index: int, stack: ExitStack) -> Callable[[int, int], NDArray[Any]]:
        shape, dtype = self.shapes[index], self.dtypes[index]
        file = stack.enter_context(archive.open(self.members[index]))
        if self.fortran[index]:
            array = np.lib.format.read_array(file, allow_pickle=False)
            return lambda start, count: array[start : start + count]
        _header(file)
        row_bytes = dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))

        def read(start: int, count: int) -> NDArray[Any]:
            data = file.read(count * row_bytes)
            if len(data) != count * row_bytes:
                raise EOFError("it ends early")
            return np.frombuffer(data, dtype).reshape(count, *shape[1:])

        return read


@contextmanager
def _format_errors(path: str) -> Iterator[None]:
    """Turn what NumPy and zipfile say about a damaged file into a `DataError` that names it."""
    import zipfile
    import zlib

    try:
        with file_errors(path, "read"):
            yield
    except (ArgumentError, DataError, ShapeError):
        raise
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"Dataset.from_folder: expected arrays of numbers in '{path}', got: {reason}."
        ) from error


def _header(file: IO[bytes]) -> tuple[Shape, bool, np.dtype[Any]]:
    """Shape, Fortran's order or not, and type of an array in NumPy's format."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file)
    return np.lib.format.read_array_header_2_0(file)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts x-2 before x-10."""
    words = re.split(r"(\d+)", name)
    return [(0, int(word), word) if word.isdecimal() else (1, 0, word) for word in words]


def piece_rows(shape: Shape, dtype: np.dtype[Any]) -> int:
    """How many rows to read at a time."""
    row = dtype.itemsize * int(np.prod(shape[1:], dtype=np.int64))
    return max(1, min(_PIECE_ROWS, _PIECE_BYTES // max(row, 1)))


# ---- tables of text


class Table(Dataset):
    """A CSV file of numbers, some lines at a time."""

    _pieces = True

    def __init__(self, path: str | os.PathLike[str], target: str | int | None, delimiter: str) -> None:
        from ._csv import column_of, open_csv, read_head

        self.path, self.delimiter = os.fspath(path), delimiter
        with open_csv(self.path) as file:
            self.header, self.width = read_head(file, self.path, delimiter)
        self.column = None if target is None else column_of(self.header, target, self.width)
        if self.column is not None and self.width < 2:
            raise DataError(f"csv: expected columns beside the target, got {self.width} in '{self.path}'.")

    def __iter__(self) -> Iterator[Any]:
        from ._csv import read_pieces

        for table in read_pieces(self.path, self.delimiter, self.header is not None, self.width):
            if self.column is None:
                yield table.astype(np.float32)
            else:
                x = np.delete(table, self.column, axis=1).astype(np.float32)
                yield x, table[:, self.column].copy()

    def __repr__(self) -> str:
        return f"Dataset('{self.path}')"
