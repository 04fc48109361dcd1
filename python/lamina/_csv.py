"""CSV files of numbers, read some lines at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO, TYPE_CHECKING

import numpy as np

from ._files import file_errors
from .errors import ArgumentError, DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LINES = 4096  # read at a time


@contextmanager
def open_csv(path: str) -> Iterator[IO[str]]:
    """Open a text file, also `.gz`; errors in it are lamina's."""
    import gzip
    import zlib

    try:
        with file_errors(path, "read"):
            if path.endswith(".gz"):
                with gzip.open(path, "rt", newline="", encoding="utf-8-sig") as file:
                    yield file
            else:
                with open(path, newline="", encoding="utf-8-sig") as file:
                    yield file
    except (UnicodeDecodeError, EOFError, zlib.error) as error:
        raise DataError(f"csv: expected a text file, got '{path}': {error}.") from error


def read_head(file: IO[str], path: str, delimiter: str) -> tuple[list[str] | None, int]:
    """Return the header, if the first line is one, and the number of columns."""
    import csv

    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '\r\n"':
        raise ArgumentError(f"csv: expected delimiter to be one character, got {delimiter!r}.")
    try:
        lines = (cells for cells in csv.reader(file, delimiter=delimiter) if cells)
        first = next(lines, None)
        if first is None or (numbers_of(first) is None and next(lines, None) is None):
            raise DataError(f"csv: expected lines of numbers, got none in '{path}'.")
    except csv.Error as error:
        raise DataError(f"csv: expected a text file, got '{path}': {error}.") from error
    return (None if numbers_of(first) is not None else [cell.strip() for cell in first]), len(first)


def read_pieces(path: str, delimiter: str, header: bool, width: int) -> Iterator[NDArray[np.float64]]:
    """Yield `(rows, width)` arrays of the numbers below the header."""
    import csv

    with open_csv(path) as file:
        reader = csv.reader(file, delimiter=delimiter)
        while header:
            header = not next(reader)  # empty lines may stand above the header
        at = reader.line_num  # lines read so far
        while lines := list(islice(file, _LINES)):
            if any(line.strip() for line in lines):
                yield _parsed(lines, at, path, delimiter, width)
            at += len(lines)


def _parsed(lines: list[str], at: int, path: str, delimiter: str, width: int) -> NDArray[np.float64]:
    try:  # NumPy's parser is ten times as fast; what it can't read goes the slow way
        table = np.loadtxt(
            [line for line in lines if line.strip()], np.float64, None, delimiter=delimiter, ndmin=2
        )
        if table.shape[1] == width:
            return table
    except (ValueError, TypeError):
        pass
    return _parsed_slowly(lines, at, path, delimiter, width)


def _parsed_slowly(lines: list[str], at: int, path: str, delimiter: str, width: int) -> NDArray[np.float64]:
    import csv

    rows = []
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells) and len(cells) < 2:
                continue
            line = f"line {at + reader.line_num} of '{path}'"
            if len(cells) != width:
                raise DataError(f"csv: expected {width} cells in {line}, got {len(cells)}.")
            values = numbers_of(cells)
            if values is None:
                bad = next(cell for cell in cells if numbers_of([cell]) is None)
                raise DataError(f"csv: expected numbers in {line}, got {bad!r}.")
            rows.append(values)
    except csv.Error as error:
        raise DataError(f"csv: expected a text file, got '{path}': {error}.") from error
    return np.array(rows, dtype=np.float64).reshape(len(rows), width)


def read_table(path: str, delimiter: str) -> tuple[list[str] | None, NDArray[np.float64]]:
    """Read the header and all numbers."""
    with open_csv(path) as file:
        header, width = read_head(file, path, delimiter)
    pieces = read_pieces(path, delimiter, header is not None, width)
    return header, np.concatenate(list(chain([np.empty((0, width))], pieces)))


def numbers_of(cells: list[str]) -> list[float] | None:
    """Return the cells as numbers; None if one isn't."""
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return None


def column_of(header: list[str] | None, target: str | int, width: int) -> int:
    """Return the index of the column that a user means. `ArgumentError` where there is none."""
    if isinstance(target, str):
        if header is None or target not in header:
            known = (
                "a header, got none"
                if header is None
                else f"one of {', '.join(map(repr, header))}, got {target!r}"
            )
            raise ArgumentError(f"csv: expected target to be {known}.")
        return header.index(target)
    if isinstance(target, bool) or not isinstance(target, int) or not -width <= target < width:
        raise ArgumentError(f"csv: expected target to be one of {width} columns, got {target!r}.")
    return target % width
