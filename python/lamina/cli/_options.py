"""Types of options, and options that commands share."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable

# One of the names with commas between; a name that is empty is left out later.
_FIELD = re.compile(r'(\s*"(?:[^"]|"")*"\s*(?=,|\Z)|[^,]*)(?:,|\Z)')


def at_least(least: int) -> Callable[[str], int]:
    """Return a type for whole numbers."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value < 2**31:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got '{text}'")
        return value

    return parse


def seed(text: str) -> int:
    """Return a seed."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"expected a whole number in [0, 2**63), got '{text}'")
    return value


def fraction(text: str) -> float:
    """Return a number from 0 to 1, without 1."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"expected a number in [0, 1), got '{text}'")
    return value


def positive(text: str) -> float:
    """Return a number above 0."""
    value = _number(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got '{text}'")
    return value


def units(text: str) -> list[int]:
    """Return the units of hidden layers: `64,64`, or `none`."""
    if text == "none":
        return []
    parts = text.split(",")
    if not all(part.strip().isascii() and part.strip().isdigit() for part in parts):
        raise argparse.ArgumentTypeError(f"expected units such as 64,64, or none, got '{text}'")
    values = [int(part[:12]) for part in parts]
    if not all(1 <= value <= 100_000 for value in values):
        raise argparse.ArgumentTypeError(f"expected from 1 to 100000 units a layer, got '{text}'")
    return values


def names(text: str) -> list[str]:
    """Return the names of columns: `a,b`; a name with a comma stands in double quotes as in CSV.

    Not by the module csv: it takes no newlines outside quotes, which names of columns can have.
    """
    fields = [field.strip() for field in _FIELD.findall(text)]
    plain = [
        field[1:-1].replace('""', '"') if len(field) > 1 and field[0] == field[-1] == '"' else field
        for field in fields
    ]
    return [name.strip() for name in plain if name.strip()]


def activation(text: str) -> str:
    """Return the name of an activation."""
    from .. import activations

    known = [name for name in activations.__all__ if name != "get"]
    if text not in known:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(known)}, got '{text}'")
    return text


def encoding(text: str) -> str:
    """Return the name of an encoding of texts."""
    try:
        "a".encode(text)
    except (LookupError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"expected a known encoding of text, got '{text}'") from error
    return text


def table_file(text: str) -> str:
    """Return the path of a table to write, or '-'."""
    endings = (".csv", ".csv.gz", ".parquet")
    if text != "-" and not text.endswith(endings):
        raise argparse.ArgumentTypeError(
            f"expected a name that ends in {', '.join(endings[:-1])} or {endings[-1]}, got '{text}'"
        )
    return text


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add what commands need that read a table."""
    parser.add_argument(
        "--delimiter", metavar="C", type=_delimiter, help="of the CSV file (default: found in its first line)"
    )
    parser.add_argument(
        "--encoding",
        metavar="NAME",
        type=encoding,
        default="utf-8",
        help="of the CSV file (default: %(default)s)",
    )


def add_unknown(parser: argparse.ArgumentParser) -> None:
    """Add what commands need that predict."""
    parser.add_argument(
        "--unknown",
        choices=["error", "ignore"],
        default="error",
        help="what a category does that was not there in training (default: %(default)s)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add what every command has for machines."""
    parser.add_argument("--json", action="store_true", help="print JSON on stdout, for machines")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _delimiter(text: str) -> str:
    value = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(value) != 1:
        raise argparse.ArgumentTypeError(f"expected one character, or tab, got '{text}'")
    return value
