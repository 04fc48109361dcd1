"""MNIST and its like: where their IDX files are, and what these hold."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._download import cache_folder, fetch
from ._files import file_errors
from .errors import ArgumentError, FileError, FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pair = tuple[NDArray[Any], NDArray[Any]]

_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_STEMS = ("train-images", "train-labels", "t10k-images", "t10k-labels")


@dataclass(frozen=True)
class IdxData:
    """Four IDX files of a name, and where to get them."""

    title: str
    folder: str  # within the cache
    installed: tuple[str, ...]  # folders where a package of the system puts them
    mirrors: tuple[str, ...]
    files: dict[str, tuple[int, str]]  # size and SHA-256 of what the mirrors have

    def read(self, path: str | os.PathLike[str] | None, download: bool) -> tuple[Pair, Pair]:
        """Read training and testing data from a folder, or from wherever they are."""
        if path is not None and not isinstance(path, (str, os.PathLike)):
            raise ArgumentError(f"datasets: expected the path of a folder, or None, got {path!r}.")
        folder = self.find(download) if path is None else os.fspath(path)
        pairs: list[Pair] = []
        for part in ("train", "t10k"):
            x, y = (read_idx(_needed(folder, f"{part}-{kind}", self.title)) for kind in ("images", "labels"))
            if len(x) != len(y) or x.ndim != 3 or y.ndim != 1:
                raise FormatError(
                    f"{self.title}: expected as many labels as images in '{folder}', "
                    f"got {y.shape} and {x.shape}."
                )
            pairs.append((x, y))
        return pairs[0], pairs[1]

    def find(self, download: bool) -> str:
        """Return the folder that has all four files; downloads them where none has."""
        own, also = (
            os.path.join(cache_folder(), name) for name in (self.folder, self.folder.replace("-", "_"))
        )
        folders = list(dict.fromkeys([own, also, *self.installed]))
        for folder in folders:
            if all(_path(folder, stem) is not None for stem in _STEMS):
                return folder
        if not download:
            looked = ", ".join(f"'{folder}'" for folder in folders)
            raise FileError(
                f"{self.title}: expected train-images-idx3-ubyte[.gz] and its three companions, looked in "
                f"{looked}; pass the folder as path, or download=True."
            )
        for name, (size, digest) in self.files.items():
            if _path(own, name.partition("-idx")[0]) is None:
                fetch(self.title, self.mirrors, name, own, size, digest)
        return own


def _needed(folder: str, stem: str, title: str) -> str:
    path = _path(folder, stem)
    if path is None:
        raise FileError(f"{title}: expected {stem}-idx{_rank(stem)}-ubyte[.gz] in '{folder}', found none.")
    return path


def _path(folder: str, stem: str) -> str | None:
    for joint in ("-", "."):
        for ending in (".gz", ""):
            path = os.path.join(folder, f"{stem}{joint}idx{_rank(stem)}-ubyte{ending}")
            if os.path.isfile(path):
                return path
    return None


def _rank(stem: str) -> int:
    return 3 if stem.endswith("images") else 1


def read_idx(path: str) -> NDArray[Any]:
    """Read the array of an IDX file, gzipped or not."""
    with file_errors(path, "read"):
        data = _bytes(path)
    start = 4 + 4 * data[3] if len(data) >= 4 else 0
    if len(data) < max(start, 4) or data[:2] != b"\0\0" or data[2] not in _TYPES:
        raise FormatError(f"Expected an IDX file, got '{path}', which begins otherwise.")
    shape = tuple(int(extent) for extent in np.frombuffer(data[4:start], ">u4"))
    dtype = np.dtype(_TYPES[data[2]])
    expected = start + dtype.itemsize * int(np.prod(shape, dtype=object))
    if len(data) != expected:
        raise FormatError(f"Expected {expected} bytes in '{path}', got {len(data)}.")
    return np.frombuffer(data, dtype, offset=start).reshape(shape).copy()  # writable, as a user expects


def _bytes(path: str) -> bytes:
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


FASHION_MNIST = IdxData(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    installed=("/usr/share/datasets/fashion-mnist",),
    mirrors=(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    files={
        "train-images-idx3-ubyte.gz": (
            26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        "train-labels-idx1-ubyte.gz": (
            29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        "t10k-images-idx3-ubyte.gz": (
            4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        "t10k-labels-idx1-ubyte.gz": (
            5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    },
)  # fmt: skip
MNIST = IdxData(
    title="MNIST",
    folder="mnist",
    installed=(),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
    files={
        "train-images-idx3-ubyte.gz": (
            9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        "train-labels-idx1-ubyte.gz": (
            28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        "t10k-images-idx3-ubyte.gz": (
            1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        "t10k-labels-idx1-ubyte.gz": (
            4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    },
)  # fmt: skip
