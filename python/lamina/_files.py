"""Files that lamina writes and reads in Python, with errors of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
    name = os.fspath(path)
    folder, base = os.path.split(name)
    temporary = os.path.join(folder, f".{base}.{os.urandom(6).hex()}")
    with file_errors(name, "written"):
        try:
            with open(temporary, "xb") as file:
                file.write(data)
            os.replace(temporary, name)
        except BaseException:
            if os.path.exists(temporary):
                os.unlink(temporary)
            raise
