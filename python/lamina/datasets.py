"""Data to learn and to try with. Nothing here is downloaded.

`digits`, `breast_cancer` and `diabetes` come with scikit-learn; `fashion_mnist` and `mnist` are read from IDX
files that are there already; `csv` reads a file of numbers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ._files import file_errors
from .errors import ArgumentError, DataError, FileError, FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pair = tuple[NDArray[Any], NDArray[Any]]
    Split = tuple[Pair, Pair]

__all__ = ["digits", "breast_cancer", "diabetes", "fashion_mnist", "mnist", "csv"]

_DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist"
_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def digits(test_size: float = 0.2, seed: int = 0) -> Split:
    """1,797 handwritten digits of 8 by 8 pixels, from scikit-learn (UCI, Alpaydin and Kaynak, 1998).

    Returns `(x_train, y_train), (x_test, y_test)`: x is float32 `(n, 64)` with the values 0 to 16 as they
    are, y is int64 `(n,)` with the digits. `test_size` is the fraction for testing, drawn from each class;
    `seed` governs which. `ImportError` without scikit-learn.

    Examples
    --------
    >>> (x, y), (x_test, y_test) = lm.datasets.digits()
    >>> x.shape, x_test.shape, float(x.max()), np.unique(y).size
    ((1438, 64), (359, 64), 16.0, 10)
    """
    return _from_sklearn("load_digits", test_size, seed, classes=True)


def breast_cancer(test_size: float = 0.2, seed: int = 0) -> Split:
    """569 tumours with 30 measurements each, from scikit-learn (UCI, Wolberg et al., 1995).

    Returns `(x_train, y_train), (x_test, y_test)`: x is float32 `(n, 30)`, not scaled, y is int64 `(n,)` with
    0 for malignant and 1 for benign. Other arguments and errors as `digits`.

    Parameters
    ----------
    test_size : float, default 0.2
        The fraction of the rows for testing.
    seed : int, default 0
        Governs which rows.

    Examples
    --------
    >>> (x, y), (x_test, y_test) = lm.datasets.breast_cancer()
    >>> x.shape, x_test.shape
    ((456, 30), (113, 30))
    """
    return _from_sklearn("load_breast_cancer", test_size, seed, classes=True)


def diabetes(test_size: float = 0.2, seed: int = 0) -> Split:
    """442 patients with 10 measurements each, from scikit-learn (Efron et al., 2004).

    Returns `(x_train, y_train), (x_test, y_test)`: x is float32 `(n, 10)`, centred and scaled, y is float32
    `(n,)`, the progression of the disease from 25 to 346. Other arguments and errors as `digits`.

    Parameters
    ----------
    test_size : float, default 0.2
        The fraction of the rows for testing.
    seed : int, default 0
        Governs which rows.

    Examples
    --------
    >>> (x, y), (x_test, y_test) = lm.datasets.diabetes(test_size=0.5)
    >>> x.shape, x_test.shape, float(y.min())
    ((221, 10), (221, 10), 25.0)
    """
    return _from_sklearn("load_diabetes", test_size, seed, classes=False)


def fashion_mnist(path: str | os.PathLike[str] | None = None) -> Split:
    """70,000 pictures of clothes, 28 by 28 pixels, in 10 classes (Xiao et al., 2017).

    Returns `(x_train, y_train), (x_test, y_test)` as uint8: x is `(60000, 28, 28)` and `(10000, 28, 28)`, y
    is `(60000,)` and `(10000,)`. `path` is the folder of the four IDX files, gzipped or not; by default
    `fashion-mnist` within the folder that the environment variable `LAMINA_DATA` names, then that of Debian's
    package dataset-fashion-mnist. `FileError` where they aren't there, `FormatError` for a damaged file.

    Examples
    --------
    >>> lm.datasets.fashion_mnist("no/such/folder")
    Traceback (most recent call last):
        ...
    lamina.FileError: Fashion-MNIST: expected train-images-idx3-ubyte[.gz] ...
    """
    return _idx_split(_folders(path, "fashion-mnist", _DEBIAN_FOLDER), "Fashion-MNIST")


def mnist(path: str | os.PathLike[str] | None = None) -> Split:
    """70,000 handwritten digits, 28 by 28 pixels (LeCun et al., 1998).

    As `fashion_mnist`; the default folder is `mnist` within that of `LAMINA_DATA`.

    Parameters
    ----------
    path : str, path or None, default None
        The folder of the four files.

    Examples
    --------
    >>> lm.datasets.mnist("no/such/folder")
    Traceback (most recent call last):
        ...
    lamina.FileError: MNIST: expected train-images-idx3-ubyte[.gz] ...
    """
    return _idx_split(_folders(path, "mnist"), "MNIST")


def csv(path: str | os.PathLike[str], target: str | int = -1, delimiter: str = ",") -> Pair:
    """Read a CSV file of numbers.

    Parameters
    ----------
    path : str or path
        The file. A first line with anything but numbers is the header.
    target : str or int, default -1
        The column to predict: its name in the header, or its index.
    delimiter : str, default ','
        What stands between two cells.

    Returns
    -------
    tuple
        x, float32 `(n, columns - 1)`, and y `(n,)`: int64 where all are whole numbers, else float32.

    Raises
    ------
    FileError, DataError, ArgumentError
        When the file can't be read; for a cell that is no number, with its line, and for lines of different
        lengths; for a target that isn't there.

    Examples
    --------
    >>> with open("houses.csv", "w") as file:
    ...     for line in ("rooms,price", "3,200.5", "5,310"):
    ...         print(line, file=file)
    >>> x, y = lm.datasets.csv("houses.csv", target="price")
    >>> x, y
    (array([[3.],
           [5.]], dtype=float32), array([200.5, 310. ], dtype=float32))
    """
    header, table = _read_table(path, delimiter)
    column = _column(header, target, table.shape[1])
    y = table[:, column]
    x = np.delete(table, column, axis=1).astype(np.float32)
    whole = bool(np.isfinite(y).all() and (y == np.floor(y)).all() and (np.abs(y) < 2**53).all())
    return x, y.astype(np.int64 if whole else np.float32)


# ---- scikit-learn's


def _from_sklearn(name: str, test_size: float, seed: int, classes: bool) -> Split:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError("This dataset comes with scikit-learn: pip install scikit-learn") from error
    if isinstance(test_size, bool) or not isinstance(test_size, (int, float)) or not 0 < test_size < 1:
        raise ArgumentError(f"Expected test_size to be a number in (0, 1), got {test_size!r}.")
    x, y = getattr(datasets, name)(return_X_y=True)
    x, y = x.astype(np.float32), y.astype(np.int64 if classes else np.float32)
    train, test = _split(y if classes else np.zeros(len(y)), test_size, seed)
    return (x[train], y[train]), (x[test], y[test])


def _split(classes: NDArray[Any], test_size: float, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Row indices for training and testing, the same fraction of each class."""
    random = np.random.default_rng(seed)
    train, test = [], []
    for label in np.unique(classes):
        rows = random.permutation(np.flatnonzero(classes == label))
        count = round(test_size * len(rows))
        test.append(rows[:count])
        train.append(rows[count:])
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(test))


# ---- IDX files


def _folders(path: str | os.PathLike[str] | None, name: str, *others: str) -> list[str]:
    if path is not None:
        return [os.fspath(path)]
    data = os.environ.get("LAMINA_DATA")
    own = [] if data is None else [os.path.join(data, name), os.path.join(data, name.replace("-", "_")), data]
    return list(dict.fromkeys([*own, *others]))


def _idx_split(folders: list[str], title: str) -> Split:
    for folder in folders:
        if _idx_path(folder, "train-images") is not None:
            break
    else:
        looked = ", ".join(f"'{folder}'" for folder in folders) or "nowhere, as LAMINA_DATA names no folder"
        raise FileError(
            f"{title}: expected train-images-idx3-ubyte[.gz] and its three companions, looked in {looked}; "
            "pass the folder as path."
        )
    pairs: list[Pair] = []
    for part in ("train", "t10k"):
        x, y = (_read_idx(folder, f"{part}-{kind}", title) for kind in ("images", "labels"))
        if len(x) != len(y) or x.ndim != 3 or y.ndim != 1:
            raise FormatError(
                f"{title}: expected as many labels as images in '{folder}', got {y.shape} and {x.shape}."
            )
        pairs.append((x, y))
    return pairs[0], pairs[1]


def _idx_path(folder: str, stem: str) -> str | None:
    dimensions = 3 if stem.endswith("images") else 1
    for joint in ("-", "."):
        for ending in (".gz", ""):
            path = os.path.join(folder, f"{stem}{joint}idx{dimensions}-ubyte{ending}")
            if os.path.isfile(path):
                return path
    return None


def _read_idx(folder: str, stem: str, title: str) -> NDArray[Any]:
    path = _idx_path(folder, stem)
    if path is None:
        raise FileError(f"{title}: expected {stem}-idx?-ubyte[.gz] in '{folder}', found none.")
    with file_errors(path, "read"):
        data = _read_bytes(path)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX_TYPES:
        raise FormatError(f"{title}: expected an IDX file, got '{path}', which begins otherwise.")
    start = 4 + 4 * data[3]
    shape = tuple(int(extent) for extent in np.frombuffer(data[4:start], ">u4"))
    dtype = np.dtype(_IDX_TYPES[data[2]])
    expected = start + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(data) != expected:
        raise FormatError(f"{title}: expected {expected} bytes in '{path}', got {len(data)}.")
    return np.frombuffer(data, dtype, offset=start).reshape(shape).copy()  # writable, as a user expects


def _read_bytes(path: str) -> bytes:
    if not path.endswith(".gz"):
        with open(path, "rb") as file:
            return file.read()
    import gzip
    import zlib

    try:
        with gzip.open(path, "rb") as file:
            return file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"Expected a gzip file, got '{path}', which is damaged: {error}.") from error


# ---- CSV


def _read_table(path: str | os.PathLike[str], delimiter: str) -> tuple[list[str] | None, NDArray[np.float64]]:
    import csv as reader

    name = os.fspath(path)
    with file_errors(name, "read"), open(name, newline="", encoding="utf-8-sig") as file:
        try:
            lines = [
                (i, cells) for i, cells in enumerate(reader.reader(file, delimiter=delimiter), 1) if cells
            ]
        except (UnicodeDecodeError, reader.Error) as error:
            raise DataError(f"csv: expected a text file, got '{name}': {error}.") from error
    header = [cell.strip() for cell in lines.pop(0)[1]] if lines and _numbers(lines[0][1]) is None else None
    if not lines:
        raise DataError(f"csv: expected lines of numbers, got none in '{name}'.")
    width = len(header) if header is not None else len(lines[0][1])
    rows = []
    for number, cells in lines:
        values = _numbers(cells)
        if len(cells) != width:
            raise DataError(f"csv: expected {width} cells in line {number} of '{name}', got {len(cells)}.")
        if values is None:
            bad = next(cell for cell in cells if _numbers([cell]) is None)
            raise DataError(f"csv: expected numbers in line {number} of '{name}', got {bad!r}.")
        rows.append(values)
    return header, np.array(rows, dtype=np.float64)


def _numbers(cells: list[str]) -> list[float] | None:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def _column(header: list[str] | None, target: str | int, width: int) -> int:
    if isinstance(target, str):
        if header is None or target not in header:
            known = (
                "a header, got none"
                if header is None
                else f"one of {', '.join(map(repr, header))}, got {target!r}"
            )
            raise ArgumentError(f"csv: expected target to be {known}.")
        return header.index(target)
    if isinstance(target, bool) or not -width <= target < width:
        raise ArgumentError(f"csv: expected target to be one of {width} columns, got {target!r}.")
    return target % width
