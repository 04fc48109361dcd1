"""Ways to write numbers: `1,234.5` and `1.234,5`, with a currency or a percent sign."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import FormatError
from . import _fields

_CURRENCIES = ("$", "€", "£")
_PERCENT = "%"
_SIGNS = ("", *_CURRENCIES, _PERCENT)


def _pattern(decimal: str, group: str) -> re.Pattern[str]:
    point, comma = re.escape(decimal), re.escape(group)
    whole = rf"(?:[1-9][0-9]{{0,2}}(?:{comma}[0-9]{{3}})+|[0-9]+)"
    return re.compile(rf"[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?")


_MAYBE = re.compile(rf"[-+0-9.,eE\s{re.escape(''.join(_SIGNS))}]+")  # quick to say no to most texts
_PATTERNS = {".": _pattern(".", ","), ",": _pattern(",", ".")}


@dataclass(frozen=True)
class Style:
    """How the numbers of a column are written. The other of point and comma stands between thousands."""

    decimal: str  # "." or ","
    sign: str  # a currency, which a cell may lack; "%", which it must have; or ""

    def number(self, text: str) -> float:
        """Return what a text says, NaN where it is no number of this style."""
        text = text.strip()
        if self.sign == _PERCENT:
            if not text.endswith(_PERCENT):
                return float("nan")
            text = text[:-1].rstrip()
        elif self.sign:
            text = self._without_currency(text)
        if not _PATTERNS[self.decimal].fullmatch(text):
            return float("nan")
        return float(text.replace("," if self.decimal == "." else ".", "").replace(",", "."))

    def fits(self, text: str) -> bool:
        """Whether a text is a number of this style."""
        value = self.number(text)
        return value == value

    def example(self) -> str:
        """Return a number as the style writes it."""
        number = "1,234.5" if self.decimal == "." else "1.234,5"
        return f"{number}%" if self.sign == _PERCENT else f"{self.sign}{number}"

    def _without_currency(self, text: str) -> str:
        minus = text[:1] if text[:1] in ("+", "-") else ""
        bare = text[len(minus) :].lstrip()
        if bare.startswith(self.sign):
            return minus + bare[1:].lstrip()
        return text[:-1].rstrip() if text.endswith(self.sign) else text


PLAIN = Style(".", "")


def best(texts: Sequence[str], counts: Sequence[int], plain: Sequence[bool]) -> Style | None:
    """Return the style of most cells; None where as many are plain numbers, or where none are numbers.

    `counts` are the cells that have each text, and `plain` says which texts are numbers without a style. Of
    `1,240` alone the comma is one between thousands.
    """
    most = sum(count for count, is_plain in zip(counts, plain, strict=True) if is_plain)
    pairs = [(text, n) for text, n in zip(texts, counts, strict=True) if may_be_number(text)]
    all_cells = sum(n for _, n in pairs)
    found = None
    for sign in _SIGNS:
        if sign and not any(sign in text for text, _ in pairs):
            continue
        for decimal in _PATTERNS:
            if most == all_cells:
                return found
            style = Style(decimal, sign)
            fitting = sum(n for text, n in pairs if style.fits(text))
            if fitting > most:
                most, found = fitting, style
    return found


def may_be_number(text: str) -> bool:
    """Whether a text has no characters but those of numbers."""
    return _MAYBE.fullmatch(text) is not None


def looks_like_number(text: str) -> bool:
    """Whether a text is a number of any style."""
    styles = (Style(decimal, sign) for sign in _SIGNS for decimal in _PATTERNS)
    return may_be_number(text) and any(style.fits(text) for style in styles)


def to_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields without a style that is none, as files have them."""
    return {name: value for name, value in fields.items() if name != "style" or value is not None}


def from_fields(fields: Mapping[str, Any]) -> Style | None:
    """Read the style of a column or target; None where there is none, as in files before there were any."""
    if "style" not in fields:
        return None
    style = _fields.mapping(fields, "style")
    decimal, sign = _fields.text(style, "decimal"), _fields.text(style, "sign")
    if decimal not in _PATTERNS:
        raise FormatError(f"Tabular model: expected '.' or ',' as 'decimal', got '{decimal[:50]}'.")
    if sign not in _SIGNS:
        raise FormatError(f"Tabular model: expected a currency or '%' as 'sign', got '{sign[:50]}'.")
    return Style(decimal, sign)
