"""From the columns of a table to the inputs of a network."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError, DataError, FormatError, StateError
from . import _fields, _styles, _values
from ._columns import BooleanColumn, CategoryColumn, Column, DateColumn, NumberColumn, column_from
from ._tables import pandas, quoted, read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ID_NAME = re.compile(
    r"(.*[_\s.-])?(id|idx|index|key|uuid|guid|row_?(number|names?|id)|unnamed: \d+)|.*[a-z](Id|ID)", re.ASCII
)
_NUMBERS_AT_LEAST = 0.9  # of the cells of a column with texts, for the texts to be markers
_NUMBERS_TO_TELL = 0.5  # of the cells of a column that is one of texts, for a note
_MOST_MARKERS = 5
_DIFFERENT_AT_LEAST = 0.9  # of the cells of a text column that tells rows apart and nothing else
_FEW_ROWS = 20
_LARGEST_STEP = 2.0  # on average, of what numbers rows: some of them are held back


class Preprocessor:
    """Learns from a table how to make numbers of its columns.

    Numbers are standardised, also those written as `1,234.5`, `1.234,5`, `$5` or `5%`, where all of a column
    are; truths, and words such as yes and no, become 0 and 1; other texts become one
    input a category; dates (ISO 8601) become a trend and the sine and cosine of year, week and day. Missing
    cells get the median or the most frequent value and, where the table that was learnt from had some, an
    input that says so. Columns that are constant, empty, or the names of rows are left out.

    Parameters
    ----------
    categorical, numeric : iterable of str, default ()
        Columns that are categories, or numbers, whatever they look like.
    drop : iterable of str, default ()
        Columns to leave out.
    keep : iterable of str, default ()
        Columns to use although they look like the ids of rows.
    max_categories : int, default 100
        Categories of a column with an input each: the most frequent ones. The others share one, and so do
        categories never seen before.

    Attributes
    ----------
    columns : list of Column
        Those that are used, in their order.
    dropped : dict
        Why each of the other columns is left out.
    notes : list of str
        What somebody should know about the columns.
    feature_names : list of str
        The inputs, in their order.

    Examples
    --------
    >>> from lamina import tabular
    >>> table = {"rooms": list(range(1, 41)), "side": ["north", "south"] * 20}
    >>> preprocessor = tabular.Preprocessor()
    >>> frame = tabular.read_table(table)
    >>> preprocessor.fit(frame).column_names, preprocessor.feature_names
    (['rooms', 'side'], ['rooms', 'side=north', 'side=south'])
    >>> preprocessor.transform(frame).shape
    (40, 3)
    """

    def __init__(
        self,
        *,
        categorical: Iterable[str] = (),
        numeric: Iterable[str] = (),
        drop: Iterable[str] = (),
        keep: Iterable[str] = (),
        max_categories: int = 100,
    ) -> None:
        names = [categorical, numeric, drop, keep]
        if any(isinstance(given, str) for given in names):
            raise ArgumentError("Preprocessor: expected lists of column names, got a text.")
        self.categorical, self.numeric, self.drop, self.keep = (list(given) for given in names)
        if isinstance(max_categories, bool) or not isinstance(max_categories, int) or max_categories < 1:
            raise ArgumentError(
                f"Expected max_categories to be a whole number of at least 1, got {max_categories!r}."
            )
        self.max_categories = max_categories
        self.columns: list[Column] = []
        self.dropped: dict[str, str] = {}
        self.notes: list[str] = []
        self._text_target: str | None = None  # read as text, too

    @property
    def feature_names(self) -> list[str]:
        """The inputs, in their order.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> preprocessor.feature_names
        ['rooms', 'side=north', 'side=south']
        """
        return [feature for column in self.columns for feature in column.features()]

    @property
    def column_names(self) -> list[str]:
        """The columns that are used, in their order.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> preprocessor.column_names
        ['rooms', 'side']
        """
        return [column.name for column in self.columns]

    def fit(self, table: Any, rows: NDArray[np.int64] | None = None) -> Preprocessor:
        """Learn from a table without its target: anything that `read_table` takes. Returns itself.

        `rows` are the indices of the rows to train with, all by default. The kind of a column is that of all
        rows; means, medians and categories are those of the rows to train with.

        `DataError` where no column is of use, and for infinite numbers; `ArgumentError` for columns that were
        named and are not there.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2, "country": ["A"] * 4}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> preprocessor.column_names, preprocessor.dropped
        (['rooms', 'side'], {'country': "is constant, 'A'"})
        """
        frame = read_table(table, text_columns=self.categorical)
        for name in [*self.categorical, *self.numeric, *self.drop, *self.keep]:
            if name not in frame.columns:
                near = nearest(name, frame.columns)
                hint = "." if near is None else f"; is it '{near}'?"
                raise ArgumentError(f"Expected columns among {quoted(frame.columns)}, got '{name}'{hint}")
        self.columns, self.dropped, self.notes = [], {}, []
        learnt = frame if rows is None else frame.iloc[rows]
        for name in frame.columns:
            column = self._column(name, frame[name], learnt[name])
            if column is not None:
                self.columns.append(column)
        if not self.columns:
            reasons = [f"'{name}' {reason}" for name, reason in self.dropped.items()]
            known = "; ".join([*reasons, *self.notes])
            raise DataError(
                f"Expected a column to learn from, got none: {known or 'there is no other column'}."
            )
        return self

    def transform(
        self, table: Any, unknown: str = "error", notes: list[str] | None = None
    ) -> NDArray[np.float32]:
        """Return the inputs.

        Parameters
        ----------
        table : anything that `read_table` takes
            Columns in any order; those that are not used may be there or not.
        unknown : 'error' or 'ignore', default 'error'
            What to do with a category that was not there to learn from. 'ignore' takes it for none.
        notes : list or None, default None
            Gets a text for each thing that was ignored.

        Returns
        -------
        numpy.ndarray
            float32, `(rows, len(feature_names))`.

        Raises
        ------
        DataError
            For columns that are not there, with their names; for unknown categories and for cells that are no
            number, no truth or no date, with column, cell and row. Rows are counted from 1.
        StateError
            Before `fit`.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> preprocessor.transform({"side": ["south"], "rooms": [2.5]})  # 2.5 is the mean
        array([[0., 0., 1.]], dtype=float32)
        >>> preprocessor.transform({"side": ["west"], "rooms": [2.5]}, unknown="ignore")
        array([[0., 0., 0.]], dtype=float32)
        """
        if unknown not in ("error", "ignore"):
            raise ArgumentError(f"Expected unknown to be 'error' or 'ignore', got {unknown!r}.")
        if not self.columns:
            raise StateError("Preprocessor: expected fit before transform.")
        frame = read_table(table, text_columns=self.text_columns)
        if missing := [name for name in self.column_names if name not in frame.columns]:
            raise DataError(_lacking(missing, list(frame.columns)))
        inputs = np.empty((len(frame), len(self.feature_names)), dtype=np.float32)
        begin = 0
        for column in self.columns:
            values = column.transform(frame[column.name], unknown, notes)
            inputs[:, begin : begin + values.shape[1]] = values
            begin += values.shape[1]
        return inputs

    @property
    def text_columns(self) -> list[str]:
        """The columns whose cells are texts even where they look like numbers.

        They are the categories, and numbers that Python writes in another way, such as `1.234,5`.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> preprocessor.text_columns
        ['side']
        """
        names = [column.name for column in self.columns if _is_read_as_text(column)]
        return names if self._text_target is None else [*names, self._text_target]

    # ---- files

    def to_json(self) -> str:
        """Return all that `transform` needs, as a text.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> preprocessor.to_json()
        '{"columns": [{"kind": "number", "name": "rooms", ..., "dropped": {}}'
        """
        return json.dumps(self.to_fields(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Preprocessor:
        """Read the `text` that `to_json` wrote. `FormatError` for anything else; runs no code.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> copy = tabular.Preprocessor.from_json(preprocessor.to_json())
        >>> bool((copy.transform(table) == preprocessor.transform(table)).all())
        True
        """
        return cls.from_fields(_fields.parse(text))

    def to_fields(self) -> dict[str, Any]:
        """Return what JSON can hold.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> preprocessor.to_fields()["columns"][0]
        {'kind': 'number', 'name': 'rooms', ..., 'mean': 2.5, ...}
        """
        return {"columns": [column.to_fields() for column in self.columns], "dropped": self.dropped}

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Preprocessor:
        """Read the `fields` that `to_fields` wrote. `FormatError` for anything else.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [1, 2, 3, 4], "side": ["north", "south"] * 2}
        >>> preprocessor = tabular.Preprocessor().fit(table)
        >>> tabular.Preprocessor.from_fields(preprocessor.to_fields()).column_names
        ['rooms', 'side']
        """
        self = cls()
        self.columns = [column_from(entry) for entry in _fields.objects(fields, "columns")]
        names = self.column_names
        if not names or len(set(names)) != len(names):
            raise FormatError("Tabular model: expected columns of different names in the metadata.")
        dropped = _fields.mapping(fields, "dropped")
        self.dropped = {name: _fields.text(dropped, name) for name in dropped}
        return self

    # ---- what a column is

    def _column(self, name: str, whole: Any, learnt: Any) -> Column | None:
        if name in self.drop:
            return self._left_out(name, "as asked")
        codes, texts = _values.factorized(learnt)
        if not texts:
            return self._left_out(name, "is empty")
        if len(texts) == 1 and (codes >= 0).all():
            return self._left_out(name, f"is constant, '{texts[0][:40]}'")
        if name in self.categorical:
            return self._category(name, whole, learnt)
        if name in self.numeric:
            return self._number(name, whole, learnt, _values.style_of(whole))
        return self._by_looks(name, whole, learnt)

    def _by_looks(self, name: str, whole: Any, learnt: Any) -> Column | None:
        codes, texts = _values.factorized(whole)
        types = pandas().api.types
        numeric = types.is_numeric_dtype(whole)
        style = _values.style_of(whole)
        if types.is_bool_dtype(whole) or (not numeric and _values.are_truths(texts)):
            return BooleanColumn.fit(name, learnt)
        if types.is_datetime64_any_dtype(whole) or _values.are_dates(texts):
            return DateColumn.fit(name, learnt)
        values = _values.numbers_of(whole, style)
        known, numbers = int((codes >= 0).sum()), int((~np.isnan(values)).sum())
        if numeric or numbers == known:
            if name not in self.keep and self._is_id(name, values):
                return self._left_out(name, "looks like the id of a row")
            return self._number(name, whole, learnt, style)
        if numbers >= _NUMBERS_TO_TELL * known:
            _, strange = _values.factorized(whole[np.isnan(values)])
            few = numbers >= _NUMBERS_AT_LEAST * known and len(strange) <= _MOST_MARKERS
            if few and not any(_styles.looks_like_number(text) for text in strange):
                return self._number(name, whole, learnt, style)
            self.notes.append(_mixed(name, numbers, known, strange))
        if name not in self.keep and len(texts) >= max(_DIFFERENT_AT_LEAST * known, _FEW_ROWS):
            return self._left_out(name, f"has {len(texts):,} different texts in {known:,} rows")
        return self._category(name, whole, learnt)

    def _number(self, name: str, whole: Any, learnt: Any, style: _styles.Style | None) -> Column | None:
        if np.isnan(_values.numbers_of(learnt, style)).all():
            return self._left_out(name, "has no numbers")
        column = NumberColumn.fit(name, learnt, whole, name in self.numeric, style)
        if column.lenient:
            column.check_style(whole)
        if style is not None:
            self.notes.append(f"column '{name}': {_values.style_note(whole, style)}")
        if column.markers:
            listed = quoted(column.markers, _MOST_MARKERS)
            self.notes.append(f"column '{name}': {listed} counts as missing, the rest are numbers")
        return column

    def _category(self, name: str, whole: Any, learnt: Any) -> Column:
        column = CategoryColumn.fit(name, learnt, self.max_categories).with_untrained(whole)
        if column.other:
            self.notes.append(
                f"column '{name}': {len(_values.factorized(learnt)[1]):,} categories; the "
                f"{self.max_categories} most frequent have an input each, the others share one"
            )
        if column.untrained:
            they = "it counts" if len(column.untrained) == 1 else "they count"
            self.notes.append(
                f"column '{name}': no training row has {quoted(column.untrained, 5)}; {they} as none"
            )
        return column

    def _is_id(self, name: str, values: NDArray[np.float64]) -> bool:
        whole = len(values) >= _FEW_ROWS and bool((values == np.floor(values)).all())
        if not whole or len(np.unique(values)) < len(values):
            return False
        if _ID_NAME.fullmatch(name) or _ID_NAME.fullmatch(name.lower()):
            return True
        steps = np.diff(values)
        if ((steps > 0).all() or (steps < 0).all()) and np.abs(steps).mean() <= _LARGEST_STEP:
            self.notes.append(f"column '{name}' looks like the number of a row: leave it out if it is")
        return False

    def _left_out(self, name: str, reason: str) -> Column | None:
        self.dropped[name] = reason
        return None


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like another, or None where none is."""
    folded = {other.casefold(): other for other in names}
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.75)
    return folded[near[0]] if near else None


def _is_read_as_text(column: Column) -> bool:
    return isinstance(column, CategoryColumn) or (
        isinstance(column, NumberColumn) and column.style is not None
    )


def _mixed(name: str, numbers: int, known: int, strange: list[str]) -> str:
    """Return a note on a column of texts, most of which are numbers."""
    start = f"column '{name}': {numbers:,} of {known:,} cells are numbers"
    other = next((text for text in strange if _styles.looks_like_number(text)), None)
    if other is not None:
        return f"{start}, and others, such as '{other}', are written in another way; write all in one way"
    listed = quoted(strange, _MOST_MARKERS)
    return f"{start}, {listed} not; --numeric (numeric=) takes the column for numbers, the rest for missing"


def _lacking(missing: list[str], names: list[str]) -> str:
    near = {name: nearest(name, names) for name in missing}
    hints = [f"'{other}' for '{name}'" for name, other in near.items() if other is not None]
    noun = "the column" if len(missing) == 1 else "the columns"
    hint = f"; is it {', '.join(hints)}?" if hints else "."
    return f"Expected {noun} {quoted(missing)}, got a table without{hint}"
