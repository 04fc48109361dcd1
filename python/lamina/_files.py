"""Files that lamina writes and reads in Python, with errors of its own."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from .errors import FileError


@contextmanager
def file_errors(path: str | os.PathLike[str], done: str) -> Iterator[None]:
    """Turn an `OSError` into lamina's: "File 'x.csv': can't be read: ..."."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        what = "Folder" if done == "made" else "File"
        reason = error.strerror or str(error)
        raise FileError(f"{what} '{os.fspath(path)}': can't be {done}: {reason}.") from error


def open_text(path: str | os.PathLike[str], mode: str) -> Any:
    """Open a text file to write or append to. `FileError` where that can't be."""
    with file_errors(path, "written"):
        return open(path, mode, newline="", encoding="utf-8")


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder and those above it. `FileError` where that can't be."""
    with file_errors(path, "made"):
        os.makedirs(path, exist_ok=True)


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file, whole or not at all. `FileError` where that can't be."""
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Give a file that takes the place, and the mode, of the one at `path` when all is well in the end.

    Symbolic links are followed; pipes and devices are written into. `FileError` where that can't be.
    """
    with file_errors(path, "written"):
        place = os.path.realpath(path)
        if os.path.islink(place):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        there = os.stat(place) if os.path.exists(place) else None
        if there is not None and not stat.S_ISREG(there.st_mode) and not stat.S_ISDIR(there.st_mode):
            with open(place, "wb") as file:
                yield file
            return
        folder, base = os.path.split(place)
        temporary = os.path.join(folder, f".{base[:200]}.{os.urandom(6).hex()}")
        try:
            with open(temporary, "xb") as file:
                yield file
                if there is not None:
                    with suppress(OSError):
                        os.chmod(temporary, stat.S_IMODE(there.st_mode))
            os.replace(temporary, place)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
