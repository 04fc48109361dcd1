"""How each kind of column becomes numbers for a network. A codec is fitted once and then never changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import DataError, FormatError
from . import _fields, _styles, _values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[Any]  # float64; float32 of zeros and ones

_SHOWN = 8  # categories in a message
_FARTHEST = 1e6  # deviations from the mean: float32 and the products in a network stay finite


@dataclass(frozen=True)
class Column:
    """A column of the table: its name, and whether it has an input that says "missing"."""

    kind: ClassVar[str]
    name: str
    indicator: bool

    def features(self) -> list[str]:
        """Return the names of the inputs that the column becomes."""
        return [*self._own_features(), *([f"{self.name} missing"] if self.indicator else [])]

    def transform(self, series: Any, unknown: str = "error", notes: list[str] | None = None) -> Matrix:
        """Return the inputs, one row a cell. `DataError` for a cell that the column can't have."""
        values, missing = self._encode(series, unknown, [] if notes is None else notes)
        return np.column_stack([values, missing]) if self.indicator else values

    def describe(self) -> str:
        """Return what the column becomes, for a person."""
        raise NotImplementedError

    def to_fields(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return _styles.to_fields({"kind": self.kind, **asdict(self)})

    def _own_features(self) -> list[str]:
        return [self.name]

    def _encode(self, series: Any, unknown: str, notes: list[str]) -> tuple[Matrix, NDArray[np.bool_]]:
        raise NotImplementedError


def mean_and_scale(known: Matrix, name: str) -> tuple[float, float]:
    """Return mean and standard deviation; 1 for the deviation of equal numbers."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = float(known.mean()), float(known.std())
    if not np.isfinite([mean, scale]).all():
        raise DataError(f"Column '{name}': expected numbers below 1e150, got {np.abs(known).max():.3g}.")
    return mean, scale if scale > 0 else 1.0


def _standardised(values: Matrix, mean: float, scale: float) -> Matrix:
    with np.errstate(over="ignore"):
        return np.clip((values - mean) / scale, -_FARTHEST, _FARTHEST)


def _filled(values: Matrix, fill: float) -> tuple[Matrix, NDArray[np.bool_]]:
    missing = np.isnan(values)
    return np.where(missing, fill, values), missing


@dataclass(frozen=True)
class NumberColumn(Column):
    """(x - mean) / scale, with the median where x is missing."""

    kind: ClassVar[str] = "number"
    mean: float
    scale: float
    fill: float
    markers: list[str]  # texts that stand for "missing", such as '?'
    lenient: bool  # whether any text that is no number stands for "missing"
    style: _styles.Style | None = None  # None: as Python writes numbers

    @classmethod
    def fit(
        cls, name: str, series: Any, whole: Any, lenient: bool, style: _styles.Style | None = None
    ) -> NumberColumn:
        """Learn from rows of a column; texts in the whole of it that are no numbers become markers."""
        values = _values.numbers_of(whole, style)
        _values.check_finite(values, name)
        _, markers = _values.factorized(whole[np.isnan(values)])
        values = _values.numbers_of(series, style)
        known = values[~np.isnan(values)]
        mean, scale = mean_and_scale(known, name)
        missing = bool(np.isnan(values).any())
        fill = float(np.median(known))
        return cls(name, missing, mean, scale, fill, [] if lenient else sorted(markers), lenient, style)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> NumberColumn:
        """Read what `to_fields` wrote."""
        mean, fill = _fields.number(fields, "mean"), _fields.number(fields, "fill")
        scale = _fields.number(fields, "scale", positive=True)
        markers, lenient = _fields.texts(fields, "markers"), _fields.flag(fields, "lenient")
        return cls(*_common(fields), mean, scale, fill, markers, lenient, _styles.from_fields(fields))

    def describe(self) -> str:
        """Return mean and scale, and how the numbers are written."""
        style = "" if self.style is None else f" as in {self.style.example()}"
        return f"number{style}, mean {self.mean:.4g}, deviation {self.scale:.4g}"

    def _encode(self, series: Any, unknown: str, notes: list[str]) -> tuple[Matrix, NDArray[np.bool_]]:
        values = _values.numbers_of(series, self.style)
        _values.check_finite(values, self.name)
        suspects = np.isnan(values) & series.notna().to_numpy()
        if suspects.any():
            codes, texts = _values.factorized(series)
            known = np.array([self._is_missing(text) for text in texts] + [True])  # the last: no text at all
            if (bad := suspects & ~known[codes]).any():
                like = "" if self.style is None else f" such as '{self.style.example()}'"
                raise DataError(
                    f"Column '{self.name}': expected numbers{like}, got {_values.first_bad(series, bad)}."
                )
        values, missing = _filled(values, self.fill)
        return _standardised(values, self.mean, self.scale)[:, None], missing

    def check_style(self, series: Any) -> None:
        """`DataError` for numbers that are written in another way than most."""
        codes, texts = _values.factorized(series)
        other = np.array([_styles.looks_like_number(text) for text in texts] + [False])
        bad = np.isnan(_values.numbers_of(series, self.style)) & other[codes]
        if bad.any():
            raise DataError(
                f"Column '{self.name}': expected numbers that are all written in one way, got "
                f"{_values.first_bad(series, bad)} beside others."
            )

    def _is_missing(self, text: str) -> bool:
        """Whether a text that is no number stands for none; one of another style never does by leniency."""
        return text in self.markers or (self.lenient and not _styles.looks_like_number(text))


@dataclass(frozen=True)
class BooleanColumn(Column):
    """1 or 0, with the more frequent one where it is missing."""

    kind: ClassVar[str] = "boolean"
    fill: float

    @classmethod
    def fit(cls, name: str, series: Any) -> BooleanColumn:
        """Learn from a column of truths, or of words such as yes and no."""
        values = _truths(series)
        return cls(name, bool(np.isnan(values).any()), float(np.nanmean(values) >= 0.5))

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> BooleanColumn:
        """Read what `to_fields` wrote."""
        return cls(*_common(fields), _fields.number(fields, "fill"))

    def describe(self) -> str:
        """Return the kind alone."""
        return "boolean"

    def _encode(self, series: Any, unknown: str, notes: list[str]) -> tuple[Matrix, NDArray[np.bool_]]:
        values = _truths(series)
        codes, _ = _values.factorized(series)
        if (bad := np.isnan(values) & (codes >= 0)).any():
            raise DataError(
                f"Column '{self.name}': expected true or false, got {_values.first_bad(series, bad)}."
            )
        values, missing = _filled(values, self.fill)
        return values[:, None], missing


def _truths(series: Any) -> Matrix:
    codes, texts = _values.factorized(series)
    return np.array([_values.truth_of(text) for text in texts] + [np.nan])[codes]


@dataclass(frozen=True)
class CategoryColumn(Column):
    """One input a category, 1 for the row's own; the most frequent one where it is missing."""

    kind: ClassVar[str] = "category"
    categories: list[str]
    fill: str
    other: bool  # whether rarer categories share an input
    untrained: list[str] = field(default_factory=list)  # without an input, and yet no surprise

    @classmethod
    def fit(cls, name: str, series: Any, most: int) -> CategoryColumn:
        """Learn from a column, with inputs for so many categories at most."""
        codes, texts = _values.factorized(series)
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        order = np.argsort(-counts, kind="stable")
        kept = [texts[i] for i in order[:most]]
        return cls(name, bool((codes < 0).any()), sorted(kept), kept[0], len(texts) > most)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> CategoryColumn:
        """Read what `to_fields` wrote."""
        categories, fill = _fields.texts(fields, "categories"), _fields.text(fields, "fill")
        if fill not in categories:
            raise FormatError(f"Tabular model: expected 'fill' among the categories, got '{fill[:50]}'.")
        other, untrained = _fields.flag(fields, "other"), _fields.texts(fields, "untrained")
        return cls(*_common(fields), categories, fill, other, untrained)

    def with_untrained(self, series: Any) -> CategoryColumn:
        """Return a column that expects the categories of a larger table, too, and takes them for none."""
        _, texts = _values.factorized(series)
        return replace(self, untrained=[] if self.other else sorted(set(texts) - set(self.categories)))

    def describe(self) -> str:
        """Return the categories, or how many."""
        listed = ", ".join(self.categories)
        if len(listed) > 60 or self.other:
            listed = f"{len(self.categories)}" + (" and others" if self.other else "")
        return f"category: {listed}"

    def _own_features(self) -> list[str]:
        names = [f"{self.name}={category}" for category in self.categories]
        return [*names, *([f"{self.name}: other"] if self.other else [])]

    def _encode(self, series: Any, unknown: str, notes: list[str]) -> tuple[Matrix, NDArray[np.bool_]]:
        codes, texts = _values.factorized(series)
        index = {category: i for i, category in enumerate(self.categories)}
        nowhere = len(self.categories)  # the input of rarer categories, or none at all
        places = np.array([index.get(text, nowhere) for text in texts] + [index[self.fill]], dtype=np.int64)
        rows = places[codes]
        strange = np.array([text not in index and text not in self.untrained for text in texts] + [False])
        if (bad := strange[codes]).any() and not self.other:
            if unknown == "error":
                raise DataError(
                    f"Column '{self.name}': expected one of {self._listed()}, "
                    f"got the unknown category {_values.first_bad(series, bad)}; "
                    "unknown='ignore' takes it for none."
                )
            notes.append(
                f"column '{self.name}': the unknown category {_values.first_bad(series, bad)} counts as none"
            )
        values = np.zeros((len(rows), nowhere + 1), dtype=np.float32)
        values[np.arange(len(rows)), rows] = 1.0
        return values[:, : nowhere + self.other], codes < 0

    def _listed(self) -> str:
        shown = ", ".join(f"'{category}'" for category in self.categories[:_SHOWN])
        more = len(self.categories) - _SHOWN
        return shown if more <= 0 else f"{shown} and {more} more"


@dataclass(frozen=True)
class DateColumn(Column):
    """A trend, standardised, and sine and cosine of year, week and, where times vary, day."""

    kind: ClassVar[str] = "date"
    mean: float  # of days since 1970, as all here
    scale: float
    fill: float
    times: bool

    _PERIODS: ClassVar[dict[str, float]] = {"year": 365.2425, "week": 7.0, "day": 1.0}

    @classmethod
    def fit(cls, name: str, series: Any) -> DateColumn:
        """Learn from a column of dates."""
        days = _values.days_of(series)
        known = days[~np.isnan(days)]
        mean, scale = mean_and_scale(known, name)
        times = bool(np.ptp(known % 1.0) > 0)
        return cls(name, bool(np.isnan(days).any()), mean, scale, float(np.median(known)), times)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> DateColumn:
        """Read what `to_fields` wrote."""
        mean, fill = _fields.number(fields, "mean"), _fields.number(fields, "fill")
        scale = _fields.number(fields, "scale", positive=True)
        return cls(*_common(fields), mean, scale, fill, _fields.flag(fields, "times"))

    def describe(self) -> str:
        """Return which cycles are used."""
        return f"date: trend, {', '.join(self._cycles())}"

    def _cycles(self) -> dict[str, float]:
        return {name: days for name, days in self._PERIODS.items() if self.times or name != "day"}

    def _own_features(self) -> list[str]:
        waves = [
            f"{self.name}: {function} {cycle}" for cycle in self._cycles() for function in ("sin", "cos")
        ]
        return [f"{self.name}: trend", *waves]

    def _encode(self, series: Any, unknown: str, notes: list[str]) -> tuple[Matrix, NDArray[np.bool_]]:
        days = _values.days_of(series)
        codes, _ = _values.factorized(series)
        if (bad := np.isnan(days) & (codes >= 0)).any():
            raise DataError(
                f"Column '{self.name}': expected dates such as 2024-02-29 or 2024-02-29 13:45, "
                f"got {_values.first_bad(series, bad)}."
            )
        days, missing = _filled(days, self.fill)
        parts = [_standardised(days, self.mean, self.scale)]
        for period in self._cycles().values():
            angle = 2 * np.pi * days / period
            parts += [np.sin(angle), np.cos(angle)]
        return np.column_stack(parts), missing


_KINDS: dict[str, Any] = {cls.kind: cls for cls in (NumberColumn, BooleanColumn, CategoryColumn, DateColumn)}


def column_from(fields: dict[str, Any]) -> Column:
    """Read a column of any kind. `FormatError` for what is none."""
    kind = _fields.text(fields, "kind")
    if kind not in _KINDS:
        raise FormatError(f"Tabular model: expected a column of {_or(_KINDS)}, got '{kind[:50]}'.")
    column: Column = _KINDS[kind].from_fields(fields)
    return column


def _common(fields: dict[str, Any]) -> tuple[str, bool]:
    return _fields.text(fields, "name"), _fields.flag(fields, "indicator")


def _or(names: Iterable[str]) -> str:
    return " or ".join(f"'{name}'" for name in names)
