"""Fields of JSON objects out of a file that nobody trusts: the right type, or a `FormatError`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from ..errors import FormatError


def parse(text: str) -> dict[str, Any]:
    """Return the object that a JSON text holds."""
    try:
        value = json.loads(text)
    except (RecursionError, ValueError) as error:
        raise FormatError("Tabular model: expected JSON in the metadata, got something else.") from error
    if not isinstance(value, dict):
        raise FormatError(f"Tabular model: expected a JSON object, got a {type(value).__name__}.")
    return value


def text(fields: Mapping[str, Any], name: str) -> str:
    """Return a text."""
    value = fields.get(name)
    if not isinstance(value, str):
        raise _wrong(name, "a text", value)
    return value


def flag(fields: Mapping[str, Any], name: str) -> bool:
    """Return true or false."""
    value = fields.get(name)
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def number(fields: Mapping[str, Any], name: str, positive: bool = False) -> float:
    """Return a finite number."""
    value = as_number(fields.get(name))
    if value is None or (positive and value <= 0):
        raise _wrong(name, "a positive number" if positive else "a finite number", fields.get(name))
    return value


def as_number(value: Any) -> float | None:
    """Return a finite float, or None for what is no such number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def items(fields: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list."""
    value = fields.get(name)
    if not isinstance(value, list):
        raise _wrong(name, "a list", value)
    return value


def objects(fields: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of objects."""
    values = items(fields, name)
    for value in values:
        if not isinstance(value, dict):
            raise _wrong(name, "a list of objects", value)
    return values


def mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object."""
    value = fields.get(name)
    if not isinstance(value, dict):
        raise _wrong(name, "an object", value)
    return value


def texts(fields: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of texts that differ."""
    values = items(fields, name)
    if not all(isinstance(value, str) for value in values) or len(set(values)) != len(values):
        raise _wrong(name, "a list of texts that differ", values)
    return values


def _wrong(name: str, expected: str, value: Any) -> FormatError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return FormatError(f"Tabular model: expected {expected} as '{name}' in the metadata, got {shown}.")
