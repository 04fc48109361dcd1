"""What commands print: tables, notes, JSON, and tables they read from stdin."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from .._files import file_errors
from ..errors import FileError, FormatError

# What moves the cursor, colours or turns a terminal's text: C0, C1, separators of lines, marks of direction.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""Return a text with its control characters as `\x1b` or `\n`: a terminal would obey them."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def tell(text: str) -> None:
    """Print a line on stderr, where that is possible."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def counted(count: int, noun: str) -> str:
    """Return `1 row`, `1,234 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def print_table(rows: Sequence[Sequence[str]], file: Any = None) -> None:
    """Print columns, each as wide as it must be."""
    shown = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        print(" " + "  ".join(cells).rstrip(), file=file)


def print_notes(notes: Iterable[str], file: Any = None) -> None:
    """Print what somebody should know, on stderr by default."""
    for note in notes:
        text = f"note: {visible(note)}"
        if file is None:
            tell(text)
        else:
            print(text, file=file)


def scores_report(scores: dict[str, Any], rows: str) -> str:
    """Return the scores as tables; `rows` says of what, in the plural."""
    from ..tabular._text import scores_text

    return scores_text(_visible_labels(scores), rows.removesuffix("s") if scores["rows"] == 1 else rows)


def _visible_labels(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _visible_labels(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_visible_labels(item) for item in value]
    return visible(value) if isinstance(value, str) else value


def print_json(value: Any) -> None:
    """Print JSON on stdout; NaN and infinity become null."""
    print(json.dumps(_without_nan(value), indent=2, ensure_ascii=False, allow_nan=False))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table_from(source: Any, options: argparse.Namespace, text_columns: Collection[str]) -> Any:
    """Read the table at a path, on stdin where it is '-', or in a binary file."""
    from ..tabular import read_table

    return read_table(table_source(source), options.delimiter, options.encoding, text_columns)


def table_source(source: Any) -> Any:
    """Return what `read_table` takes for the path that the user gave."""
    return _stdin() if source == "-" else source


def _stdin() -> io.BytesIO:
    try:
        if sys.stdin is None:
            raise FileError("Standard input: can't be read: it is closed.")
        return io.BytesIO(sys.stdin.buffer.read())
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"Standard input: can't be read: {error.strerror or error}.") from error


@contextlib.contextmanager
def model_errors(path: str) -> Iterator[None]:
    """Say of a file that is no model just that."""
    try:
        yield
    except FormatError as error:
        if "expected a safetensors " not in str(error):
            raise
        raise FormatError(
            f"File '{path}': is no model of lamina, or one cut short: it has no whole safetensors header."
        ) from error


def check_other_file(options: argparse.Namespace, output: str, *inputs: str) -> None:
    """Wrong usage where the output would replace an input; '-' is stdin."""
    for path in inputs:
        if _same_file(output, path):
            what = "its input" if path == "-" else f"'{path}'"
            options.error(f"argument -o/--output: expected another file than {what}, got '{output}'")


def _same_file(output: str, path: str) -> bool:
    with contextlib.suppress(OSError, ValueError):
        if path == "-":
            return sys.stdin is not None and os.path.samestat(os.fstat(sys.stdin.fileno()), os.stat(output))
        if os.path.realpath(output) == os.path.realpath(path):
            return True
        return os.path.samefile(output, path)
    return False


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
