"""What commands print: tables, notes, JSON, and tables they read from stdin."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from .._files import file_errors


def print_table(rows: Sequence[Sequence[str]], file: Any = None) -> None:
    """Print columns, each as wide as it must be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        print(" " + "  ".join(cells).rstrip(), file=file)


def print_notes(notes: Iterable[str], file: Any = None) -> None:
    """Print what somebody should know, on stderr by default."""
    for note in notes:
        print(f"note: {note}", file=file or sys.stderr)


def print_json(value: Any) -> None:
    """Print JSON on stdout; NaN and infinity become null."""
    print(json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table_from(path: str, options: argparse.Namespace, text_columns: Collection[str]) -> Any:
    """Read the table at a path, or on stdin where it is '-'."""
    from ..tabular import read_table

    source = sys.stdin.buffer if path == "-" else path
    return read_table(source, options.delimiter, options.encoding, text_columns)


def check_writable(path: str | os.PathLike[str]) -> None:
    """`FileError` where no file could be written, for what takes long before it writes."""
    folder = os.path.dirname(os.path.abspath(path))
    with file_errors(path, "written"):
        if os.path.isdir(path):
            raise IsADirectoryError(21, "Is a directory")
        if not os.path.isdir(folder):
            raise FileNotFoundError(2, f"No folder '{folder}'")
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
