"""Data to learn and to try with.

`digits`, `breast_cancer` and `diabetes` come with scikit-learn; `fashion_mnist` and `mnist` are read from IDX
files where they are there already, and downloaded otherwise; `csv` reads a file of numbers.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pair = tuple[NDArray[Any], NDArray[Any]]
    Split = tuple[Pair, Pair]

__all__ = ["digits", "breast_cancer", "diabetes", "fashion_mnist", "mnist", "csv"]


def digits(test_size: float = 0.2, seed: int = 0) -> Split:
    """1,797 handwritten digits of 8 by 8 pixels, from scikit-learn (UCI, Alpaydin and Kaynak, 1998).

    Returns `(x_train, y_train), (x_test, y_test)`: x is float32 `(n, 64)` with the values 0 to 16 as they
    are, y is int64 `(n,)` with the digits. `test_size` is the fraction for testing, drawn from each class;
    `seed` governs which. `ImportError` without scikit-learn.
    """
    return _from_sklearn("load_digits", test_size, seed, classes=True)


def breast_cancer(test_size: float = 0.2, seed: int = 0) -> Split:
    """569 tumours with 30 measurements each, from scikit-learn (UCI, Wolberg et al., 1995).

    Returns `(x_train, y_train), (x_test, y_test)`: x is float32 `(n, 30)`, not scaled, y is int64 `(n,)` with
    0 for malignant and 1 for benign. Other arguments and errors as `digits`.
    """
    return _from_sklearn("load_breast_cancer", test_size, seed, classes=True)


def diabetes(test_size: float = 0.2, seed: int = 0) -> Split:
    """442 patients with 10 measurements each, from scikit-learn (Efron et al., 2004).

    Returns `(x_train, y_train), (x_test, y_test)`: x is float32 `(n, 10)`, centred and scaled, y is float32
    `(n,)`, the progression of the disease from 25 to 346. Other arguments and errors as `digits`.
    """
    return _from_sklearn("load_diabetes", test_size, seed, classes=False)


def fashion_mnist(path: str | os.PathLike[str] | None = None, download: bool = True) -> Split:
    """70,000 pictures of clothes, 28 by 28 pixels, in 10 classes (Xiao et al., 2017).

    Parameters
    ----------
    path : str, path or None, default None
        The folder of the four IDX files, gzipped or not. None looks for them in `fashion-mnist` within the
        cache, then in that of Debian's package dataset-fashion-mnist, and then downloads them to the cache.
        The cache is the folder that the environment variable `LAMINA_DATA` names, else `~/.cache/lamina`.
    download : bool, default True
        Whether to download what isn't there: 31 MB, checked by SHA-256.

    Returns
    -------
    tuple
        `(x_train, y_train), (x_test, y_test)` as uint8: x is `(60000, 28, 28)` and `(10000, 28, 28)`, y is
        `(60000,)` and `(10000,)`.

    Raises
    ------
    FileError, FormatError
        Where the files are neither there nor to be downloaded; for a damaged file, and for a download that is
        not what it should be.

    Examples
    --------
    >>> lm.datasets.fashion_mnist("no/such/folder")
    Traceback (most recent call last):
        ...
    lamina.FileError: Fashion-MNIST: expected train-images-idx3-ubyte[.gz] ...
    """
    from . import _idx  # as it is used, so that importing lamina stays quick

    return _idx.FASHION_MNIST.read(path, download)


def mnist(path: str | os.PathLike[str] | None = None, download: bool = True) -> Split:
    """70,000 handwritten digits, 28 by 28 pixels (LeCun et al., 1998).

    As `fashion_mnist`; the folder within the cache is `mnist`, the download has 12 MB, and no package of
    Debian holds them.

    Parameters
    ----------
    path : str, path or None, default None
        The folder of the four files; None looks for them.
    download : bool, default True
        Whether to download what isn't there.

    Examples
    --------
    >>> lm.datasets.mnist("no/such/folder")
    Traceback (most recent call last):
        ...
    lamina.FileError: MNIST: expected train-images-idx3-ubyte[.gz] ...
    """
    from . import _idx

    return _idx.MNIST.read(path, download)


def csv(path: str | os.PathLike[str], target: str | int = -1, delimiter: str = ",") -> Pair:
    """Read a CSV file of numbers.

    Parameters
    ----------
    path : str or path
        The file, also `.gz`. A first line with anything but numbers is the header.
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
    """
    from ._csv import column_of, read_table

    header, table = read_table(os.fspath(path), delimiter)
    column = column_of(header, target, table.shape[1])
    y = table[:, column]
    x = np.delete(table, column, axis=1).astype(np.float32)
    whole = bool(np.isfinite(y).all() and (y == np.floor(y)).all() and (np.abs(y) < 2**53).all())
    return x, y.astype(np.int64 if whole else np.float32)


# ---- scikit-learn's


def _from_sklearn(name: str, test_size: float, seed: int, classes: bool) -> Split:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError("This dataset comes with scikit-learn: pip install 'lamina[sklearn]'") from error
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
