"""Batches as tuples of arrays: what a `Dataset` cuts, joins and holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrays import as_rows
from .errors import ArgumentError, DataError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Parts = tuple[NDArray[Any], ...]

_NAMES = ("x", "y", "sample_weight")


def parts_of(item: Any) -> Parts:
    """Return a batch as a tuple of one, two or three arrays of equally many rows."""
    several = isinstance(item, (tuple, list)) and len(item) in (1, 2, 3)
    if isinstance(item, tuple) and not several:
        raise ArgumentError(
            f"Dataset: expected batches of x, (x, y) or (x, y, sample_weight), got a tuple of {len(item)}."
        )
    values = tuple(item) if several else (item,)
    while len(values) > 1 and values[-1] is None:
        values = values[:-1]
    parts = tuple(as_rows(value, what) for value, what in zip(values, _NAMES, strict=False))
    lengths = [len(part) for part in parts]
    if min(lengths) != max(lengths):
        raise ShapeError(f"Dataset: expected arrays of equally many rows in a batch, got {lengths}.")
    return parts


def item_of(parts: Parts) -> Any:
    """Return the parts of a batch as a dataset yields them: x alone, or a tuple."""
    return parts[0] if len(parts) == 1 else parts


def cut(batches: Iterable[Parts], sizes: Iterator[int]) -> Iterator[Parts]:
    """Yield the same rows in batches of the sizes given; the last one may be smaller."""
    held: list[Parts] = []
    count, size = 0, None
    for parts in batches:
        rows, at = len(parts[0]), 0
        while rows > at:
            size = next(sizes) if size is None else size
            taken = min(rows - at, size - count)
            if taken == size:  # a view of what came in
                yield tuple(part[at : at + taken] for part in parts)
                size = None
            else:  # a copy, as whoever yields batches may write into the next one's memory
                held.append(tuple(part[at : at + taken].copy() for part in parts))
                count += taken
                if count == size:
                    yield _joined(held)
                    held, count, size = [], 0, None
            at += taken
    if held:
        yield _joined(held)


def _joined(held: list[Parts]) -> Parts:
    if len(held) == 1:
        return held[0]
    for parts in held[1:]:
        _check_alike(held[0], parts)
    return tuple(np.concatenate(pieces) for pieces in zip(*held, strict=True))


def with_room(held: list[NDArray[Any]], parts: Parts, rows: int, most: int) -> list[NDArray[Any]]:
    """Buffers with room for so many rows, of types that hold both what they hold and the new parts."""
    if not held:
        return [np.empty((min(2 * rows, most), *part.shape[1:]), part.dtype) for part in parts]
    _check_alike(held, parts)
    room = len(held[0]) if len(held[0]) >= rows else min(2 * rows, most)
    result = []
    for buffer, part in zip(held, parts, strict=True):
        dtype = np.result_type(buffer, part)
        if dtype != buffer.dtype or room != len(buffer):
            new = np.empty((room, *buffer.shape[1:]), dtype)
            new[: len(buffer)] = buffer
            buffer = new
        result.append(buffer)
    return result


def _check_alike(first: Iterable[NDArray[Any]], other: Parts) -> None:
    shapes = [[part.shape[1:] for part in parts] for parts in (first, other)]
    if shapes[0] != shapes[1]:
        one, two = (", ".join(map(str, each)) for each in shapes)
        raise DataError(
            f"Dataset: expected rows of the same shapes in all batches, got {one} and then {two}."
        )
