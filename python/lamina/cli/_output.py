"""What commands print: tables, notes, JSON, and tables they read from stdin."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any


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
