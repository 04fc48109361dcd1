"""The column to predict: classes or numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import ArgumentError, DataError, FormatError
from . import _fields, _styles, _values
from ._columns import mean_and_scale
from ._tables import pandas

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_WHOLE_CLASSES = 20
_MOST_CLASSES = 1000
_MOST_DIFFERENT = 0.5  # classes of a row


@dataclass(frozen=True)
class ClassTarget:
    """Labels, and how many rows of training had each."""

    task: ClassVar[str] = "classification"
    name: str
    classes: list[Any]  # as they stand in the table: texts, whole numbers or truths
    counts: list[int]

    @classmethod
    def fit(cls, name: str, series: Any, left_out: int = 0) -> ClassTarget:
        """Learn from a column without missing cells; so many rows were left out for having none."""
        codes, texts = _values.factorized(series)
        if len(texts) < 2:
            missing = f"and {left_out:,} cells that count as missing, as None, NA and null do"
            got = f"'{texts[0]}' {missing if left_out else 'alone'}"
            raise DataError(f"Target '{name}': expected two classes or more, got {got}.")
        if len(texts) > _MOST_DIFFERENT * len(series):
            raise DataError(_too_different(name, series, texts))
        if len(texts) > _MOST_CLASSES:
            raise DataError(
                f"Target '{name}': expected at most {_MOST_CLASSES:,} classes, got {len(texts):,} different "
                "values."
            )
        first = [series.iloc[int(np.argmax(codes == code))] for code in range(len(texts))]
        labels = [_plain(value) for value in first]
        order = sorted(range(len(texts)), key=lambda code: _order(labels[code]))
        counts = np.bincount(codes, minlength=len(texts))
        return cls(name, [labels[code] for code in order], [int(counts[code]) for code in order])

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> ClassTarget:
        """Read what `to_fields` wrote."""
        classes, counts = _fields.items(fields, "classes"), _fields.items(fields, "counts")
        if not all(
            isinstance(label, (str, bool)) or _fields.as_number(label) is not None for label in classes
        ):
            raise FormatError("Tabular model: expected texts, numbers or truths as classes in the metadata.")
        names = {_values.text_of(label) for label in classes}
        if len(names) != len(classes) or len(classes) < 2 or len(counts) != len(classes):
            raise FormatError("Tabular model: expected two different classes or more, with their counts.")
        if not all(isinstance(count, int) and 0 <= count < 2**62 for count in counts):
            raise FormatError("Tabular model: expected whole numbers as counts of the classes.")
        return cls(_fields.text(fields, "name"), classes, counts)

    def to_fields(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {"task": self.task, **asdict(self)}

    def names(self) -> list[str]:
        """Return the labels as texts."""
        return [_values.text_of(label) for label in self.classes]

    def encode(self, series: Any) -> NDArray[np.int64]:
        """Return the index of each row's class. `DataError` for a label that is none of them."""
        codes, texts = _values.factorized(series)
        index = {name: i for i, name in enumerate(self.names())}
        values = _by_value(self.names())  # 01 and TRUE in a file are 1 and True in a frame
        places = [index.get(text, values.get(_value_of(text), -1)) for text in texts]
        labels = np.array([*places, -1], dtype=np.int64)[codes]
        if (bad := labels < 0).any():
            shown = ", ".join(f"'{name}'" for name in self.names()[:8])
            shown += "" if len(self.classes) <= 8 else f" and {len(self.classes) - 8:,} more"
            raise DataError(
                f"Target '{self.name}': expected one of {shown}, got {_values.first_bad(series, bad)}."
            )
        return labels

    def decode(self, output: NDArray[np.float32]) -> NDArray[Any]:
        """Return the most probable label of each row."""
        kinds = {type(label) for label in self.classes}
        labels = np.array(self.classes, dtype=None if len(kinds) == 1 and kinds != {str} else object)
        decoded: NDArray[Any] = labels[output.argmax(axis=1)]
        return decoded

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return len(self.classes)


@dataclass(frozen=True)
class NumberTarget:
    """Numbers: the network predicts (y - mean) / scale."""

    task: ClassVar[str] = "regression"
    name: str
    mean: float
    scale: float
    style: _styles.Style | None = None  # None: as Python writes numbers

    @classmethod
    def fit(cls, name: str, series: Any, style: _styles.Style | None = None) -> NumberTarget:
        """Learn from a column without missing cells."""
        return cls(name, *mean_and_scale(numbers(name, series, style), name), style)

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> NumberTarget:
        """Read what `to_fields` wrote."""
        mean, scale = _fields.number(fields, "mean"), _fields.number(fields, "scale", positive=True)
        return cls(_fields.text(fields, "name"), mean, scale, _styles.from_fields(fields))

    def to_fields(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return _styles.to_fields({"task": self.task, **asdict(self)})

    def encode(self, series: Any) -> NDArray[np.float32]:
        """Return the standardised numbers. `DataError` for a cell that is none."""
        return ((numbers(self.name, series, self.style) - self.mean) / self.scale).astype(np.float32)

    def decode(self, output: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the numbers in the table's units."""
        return output[:, 0].astype(np.float64) * self.scale + self.mean

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return 1


Target = ClassTarget | NumberTarget


def numbers(name: str, series: Any, style: _styles.Style | None = None) -> NDArray[np.float64]:
    """Return a target as finite numbers. `DataError` for anything else."""
    values = _values.numbers_of(series, style)
    if (bad := np.isnan(values)).any():
        raise DataError(f"Target '{name}': expected numbers, got {_values.first_bad(series, bad)}.")
    _values.check_finite(values, name)
    return values


def task_of(series: Any, task: str, style: _styles.Style | None = None) -> tuple[str, str]:
    """Return the task, and why: texts, truths and few different whole numbers are classes.

    `DataError` for dates, unless they are to be classes, and for numbers that are not all of one style.
    """
    if task not in ("auto", "classification", "regression"):
        raise ArgumentError(f"Expected task to be 'auto', 'classification' or 'regression', got {task!r}.")
    if task == "classification":
        return task, "as asked"
    types = pandas().api.types
    _, texts = _values.factorized(series)
    if types.is_datetime64_any_dtype(series) or _values.are_dates(texts):
        raise DataError(
            f"Target '{series.name}': expected numbers or classes, got dates such as '{texts[0]}'; a column "
            "of numbers, such as the days since a date, can be predicted."
        )
    if task == "regression":
        return task, "as asked"
    if types.is_bool_dtype(series) or not (types.is_numeric_dtype(series) or _values.has_texts(series)):
        return "classification", "the target is no number"
    values = _values.numbers_of(series, style)
    if (bad := np.isnan(values)).any():
        _check_style(series, bad)
        return "classification", "the target is no number"
    distinct = len(np.unique(values))
    if not (values == np.floor(values)).all():
        return "regression", "the target has fractions"
    if distinct > _MOST_WHOLE_CLASSES or (distinct > 2 and distinct > len(values) / 3):
        return "regression", f"the target is {distinct:,} different whole numbers"
    return "classification", f"the target is {distinct} different whole numbers"


def _check_style(series: Any, bad: NDArray[np.bool_]) -> None:
    """`DataError` for numbers of one style beside numbers, `bad`, of another."""
    _, texts = _values.factorized(series[bad])
    if bad.mean() < 0.5 and any(_styles.looks_like_number(text) for text in texts):
        good = _values.text_of(series[~bad].iloc[0])
        raise DataError(
            f"Target '{series.name}': expected numbers that are all written in one way, got "
            f"{_values.first_bad(series, bad)} beside '{good}'; write all in one way, or ask for a "
            "classification."
        )


def _too_different(name: str, series: Any, texts: list[str]) -> str:
    """Return why a target of so many classes can't be learnt."""
    start = f"Target '{name}': expected classes of several rows each, got {len(texts):,} different values in "
    style = _values.style_of(series)
    bad = np.isnan(_values.numbers_of(series, style))
    hint = "choose another target"
    if not bad.any():
        hint = "--task regression predicts numbers"
    elif bad.mean() < 0.5:
        hint = f"most are numbers: empty cells such as {_values.first_bad(series, bad)} to predict numbers"
    return f"{start}{len(series):,} rows, such as '{texts[0][:40]}'; {hint}."


def _value_of(text: str) -> float | str | None:
    """Return the number or the truth that a text stands for, None for any other."""
    if text.lower() in ("true", "false"):
        return text.lower()
    return _styles.PLAIN.number(text) if _styles.PLAIN.fits(text) else None


def _by_value(names: list[str]) -> dict[float | str | None, int]:
    """Return the index of each class by its value, where no other class has the same."""
    values = [_value_of(name) for name in names]
    counts = Counter(values)
    return {value: i for i, value in enumerate(values) if value is not None and counts[value] == 1}


def target_from(fields: dict[str, Any]) -> Target:
    """Read a target of any kind. `FormatError` for what is none."""
    task = _fields.text(fields, "task")
    if task == ClassTarget.task:
        return ClassTarget.from_fields(fields)
    if task == NumberTarget.task:
        return NumberTarget.from_fields(fields)
    raise FormatError(f"Tabular model: expected the task classification or regression, got '{task[:50]}'.")


def _plain(value: Any) -> Any:
    """Return a label as JSON keeps it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (bool, int)):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, float) else _values.text_of(value)


def _order(label: Any) -> tuple[bool, Any]:
    return (True, label) if isinstance(label, str) else (False, label)
