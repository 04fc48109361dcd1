"""Cells of a column as texts, numbers, truths and times."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError
from . import _styles
from ._tables import pandas

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRUE_WORDS = ("true", "yes", "t", "y")
FALSE_WORDS = ("false", "no", "f", "n")
SECONDS_A_DAY = 86400.0

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?( ?(Z|[+-]\d{2}:?\d{2}))?)?", re.ASCII
)


def text_of(value: Any) -> str:
    """Return a cell as a text; 1, 1.0 and '1' are the same."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).strip()


def factorized(series: Any) -> tuple[NDArray[np.int64], list[str]]:
    """Return each row's index among the distinct texts, -1 where the cell is missing, and the texts."""
    codes, uniques = _codes(series)
    texts = [text_of(value) for value in uniques]
    distinct = {text: i for i, text in enumerate(dict.fromkeys(text for text in texts if text))}
    places = np.array([distinct.get(text, -1) for text in texts] + [-1], dtype=np.int64)
    return places[codes], list(distinct)


def numbers_of(series: Any, style: _styles.Style | None = None) -> NDArray[np.float64]:
    """Return the cells as float64: NaN where a cell is missing or no number. None is the style of Python."""
    pd = pandas()
    if style is not None and not pd.api.types.is_numeric_dtype(series):
        return _by_distinct(series, lambda cells: np.array([_styled(cell, style) for cell in cells]))
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    if not pd.api.types.is_numeric_dtype(series):
        return _by_distinct(series, lambda cells: numbers_of(pd.to_numeric(cells, errors="coerce")))
    return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))


def _styled(cell: Any, style: _styles.Style) -> float:
    if isinstance(cell, str):
        return style.number(cell)
    return float(numbers_of(pandas().Series([cell], dtype=object))[0])


def style_of(series: Any) -> _styles.Style | None:
    """Return how the numbers of a column are written: as most cells are; None for numbers of Python."""
    if not has_texts(series):
        return None
    codes, texts = factorized(series)
    if not any(map(_styles.may_be_number, texts)):
        return None
    plain = ~np.isnan(numbers_of(pandas().Series(texts, dtype=object)))
    if plain.all():
        return None
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    return _styles.best(texts, counts.tolist(), plain.tolist())


def style_note(series: Any, style: _styles.Style) -> str:
    """Return how a cell is read that shows the style."""
    _, texts = factorized(series)
    plain = ~np.isnan(numbers_of(pandas().Series(texts, dtype=object)))
    shown = next(text for i, text in enumerate(texts) if not plain[i] and style.fits(text))
    return f"read as numbers, '{shown}' as {style.number(shown):.15g}"


def has_texts(series: Any) -> bool:
    """Whether cells of a column may be texts."""
    types = pandas().api.types
    return bool(types.is_object_dtype(series) or types.is_string_dtype(series))


def check_finite(values: NDArray[np.float64], name: str) -> None:
    """`DataError` for infinity."""
    if np.isinf(values).any():
        row = int(np.argmax(np.isinf(values)))
        raise DataError(f"Column '{name}': expected finite numbers, got {values[row]} in row {row + 1}.")


def truth_of(text: str) -> float:
    """Return 1 or 0 for a word or number that says so, else NaN."""
    word = text.lower()
    if word in TRUE_WORDS or word == "1":
        return 1.0
    return 0.0 if word in FALSE_WORDS or word == "0" else np.nan


def are_truths(texts: list[str]) -> bool:
    """Whether two texts are a pair such as 'yes' and 'no'."""
    words = {text.lower() for text in texts}
    if words in ({"true"}, {"false"}):
        return True
    return any(words == {true, false} for true, false in zip(TRUE_WORDS, FALSE_WORDS, strict=True))


def are_dates(texts: list[str]) -> bool:
    """Whether all texts are dates, with or without a time, as ISO 8601 writes them."""
    if not texts or not all(_ISO.fullmatch(text) for text in texts):
        return False
    return not np.isnan(days_of(pandas().Series(texts, dtype=object))).any()


def days_of(series: Any) -> NDArray[np.float64]:
    """Return days since the first of January 1970, UTC; NaN where a cell is missing or no date."""
    pd = pandas()
    if not pd.api.types.is_datetime64_any_dtype(series):
        return _by_distinct(series, lambda cells: days_of(_as_dates(cells)))
    if series.dt.tz is not None:
        series = series.dt.tz_convert("UTC")
    values = series.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    days = values.astype(np.int64) / (1e6 * SECONDS_A_DAY)
    return np.where(np.isnat(values), np.nan, days)


def _by_distinct(series: Any, function: Callable[[Any], NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return a function of each cell, called for the distinct ones alone; NaN where a cell is missing."""
    codes, uniques = _codes(series.astype(object))
    values: NDArray[np.float64] = np.append(function(pandas().Series(uniques, dtype=object)), np.nan)
    return np.asarray(values[codes])


def _codes(series: Any) -> Any:
    try:
        return pandas().factorize(series)
    except TypeError:  # cells such as lists, as Parquet may have them
        return pandas().factorize(
            series.map(lambda cell: cell if pandas().api.types.is_scalar(cell) else str(cell))
        )


def _as_dates(cells: Any) -> Any:
    return pandas().to_datetime(cells.map(_iso_text), errors="coerce", utc=True, format="ISO8601")


def _iso_text(value: Any) -> str | None:
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    text = value.strip() if isinstance(value, str) else ""
    return text if _ISO.fullmatch(text) else None


def first_bad(series: Any, bad: NDArray[np.bool_]) -> str:
    """Return `'x' in row 3 (and 2 more)` for the cells that are bad."""
    row = int(np.argmax(bad))
    more = int(bad.sum()) - 1
    return f"'{text_of(series.iloc[row])}' in row {row + 1}" + (f" (and {more:,} more)" if more else "")
