"""Tables in and out of files: CSV, gzipped or not, and Parquet."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .._files import file_errors, whole_file
from ..errors import ArgumentError, DataError

_DELIMITERS = ",;\t|"
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


def pandas() -> Any:
    """Return the module pandas, imported now."""
    try:
        import pandas as module
    except ImportError as error:
        raise ImportError("Tables need pandas: pip install 'lamina[tabular]'", name="pandas") from error
    return module


def read_table(
    source: Any, delimiter: str | None = None, encoding: str = "utf-8", text_columns: Collection[str] = ()
) -> Any:
    """Read a table.

    Parameters
    ----------
    source : str, path, binary file, data frame or dict of columns
        CSV (gzipped or not) or Parquet, told apart by their first bytes; a pandas or polars frame as it is.
    delimiter : str or None, default None
        Of a CSV file. None takes the comma, or what the first line has instead: `;`, tab or `|`.
    encoding : str, default 'utf-8'
        Of a CSV file.
    text_columns : collection of str, default ()
        Columns of a CSV file whose cells are texts even where they look like numbers.

    Returns
    -------
    pandas.DataFrame
        With texts as column names, without blanks around them. `NA`, `NaN`, `null` and empty cells are
        missing values. Truths and whole numbers that Python writes in another way, as `TRUE` and `007`, stay
        texts.

    Raises
    ------
    FileError, DataError
        When the file can't be read; for what is no table, for columns of equal names and for no rows.

    Examples
    --------
    >>> from lamina import tabular
    >>> tabular.read_table({"rooms": [3, 5], "side": ["north", "south"]}).shape
    (2, 2)
    """
    pandas()  # says what is missing before the file is read
    if not isinstance(source, (str, os.PathLike)) and not hasattr(source, "read"):
        return _checked(_frame_of(source), "The table")
    title = _title_of(source)
    data = _bytes_of(source, title)
    if data[:4] == _PARQUET:
        return _checked(_read_parquet(data, title), title)
    try:
        return _checked(_read_csv(data, delimiter, encoding, text_columns, title), title)
    except DataError as error:
        if title.endswith(".parquet'"):
            raise DataError(f"{title}: expected Parquet, got data that don't begin with 'PAR1'.") from error
        raise


def _read_csv(
    data: bytes, delimiter: str | None, encoding: str, text_columns: Collection[str], title: str
) -> Any:
    pd = pandas()
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    names, used = _header(data, delimiter, encoding, title)
    options = {"sep": used, "encoding": encoding, "index_col": False, "low_memory": False}
    options["skipinitialspace"] = True
    types = {i: str for i, name in enumerate(names) if name in text_columns}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(io.BytesIO(data), dtype=types, **options)
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        reason = " ".join(str(error).replace("Error tokenizing data. C error: ", "").split()).rstrip(".")
        if isinstance(error, pd.errors.ParserWarning):
            reason = _long_row(data.decode(encoding, "replace"), used, len(names)) or reason
        raise DataError(f"{title}: expected a table in CSV, got a bad one: {reason}.") from error
    altered = _perhaps_altered(frame, data, used)
    if altered:
        written = pd.read_csv(io.BytesIO(data), usecols=altered, dtype=str, **options)
        for i, column in zip(altered, written, strict=True):
            if _differs(frame.iloc[:, i], texts := written[column].str.strip()):
                frame.isetitem(i, texts)
    return frame


def _long_row(text: str, delimiter: str, expected: int) -> str | None:
    """Return which row has more fields than the header; an empty one more is a delimiter at the end."""
    import csv

    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in rows:
            if len(row) > expected + (row[-1:] == [""]):
                return f"line {rows.line_num} has {len(row):,} fields, the header {expected:,}"
    except csv.Error:  # such as a field of more than 131,072 characters
        pass
    return None


def _perhaps_altered(frame: Any, data: bytes, delimiter: str) -> list[int]:
    """Return the places of columns whose cells may have been written in another way than Python would."""
    types = pandas().api.types
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]
    zeros = re.search(rb'[\n\r"' + re.escape(delimiter).encode() + rb"] *[+-]?0[0-9]", data) is not None
    return [
        i
        for i, column in enumerate(columns)
        if types.infer_dtype(column, skipna=True) == "boolean" or (zeros and _is_whole(column))
    ]


def _is_whole(column: Any) -> bool:
    return bool(pandas().api.types.is_numeric_dtype(column) and (column.dropna() % 1 == 0).all())


def _differs(values: Any, texts: Any) -> bool:
    """Whether the texts are not what Python writes for the values, but as many different ones."""
    pairs = pandas().DataFrame({"value": values, "text": texts}).dropna().drop_duplicates()
    if pairs["value"].nunique() < len(pairs):
        return False
    known: list[str] = pairs["text"].tolist()
    if all(isinstance(value, bool) for value in pairs["value"]):
        return known != [str(value) for value in pairs["value"]]
    whole = all(re.fullmatch("[+-]?[0-9]+", text) for text in known)
    return whole and any(re.match("[+-]?0[0-9]", text) for text in known)


class Held(io.BytesIO):
    """The bytes of a table that is read twice, and what errors call it."""

    def __init__(self, source: Any) -> None:
        self.title = _title_of(source)
        super().__init__(_bytes_of(source, self.title))

    def is_parquet(self) -> bool:
        """Whether they are Parquet's."""
        return self.getvalue()[:4] == _PARQUET


def read_cells(held: Held, delimiter: str | None, encoding: str) -> Any:
    """Read a table that `read_table` has read, without a change to its cells.

    Those of a CSV file are texts, empty where they are; those of a Parquet file have its types.
    """
    data = held.getvalue()
    if held.is_parquet():
        return _checked(_read_parquet(data, held.title, dtype_backend="numpy_nullable"), held.title)
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    frame = pandas().read_csv(
        io.BytesIO(data),
        sep=_header(data, delimiter, encoding, held.title)[1],
        encoding=encoding,
        index_col=False,
        skipinitialspace=True,
        dtype=str,
        keep_default_na=False,
        na_filter=False,
    )
    return _checked(frame, held.title)


def write_table(frame: Any, path: str) -> None:
    """Write a frame as CSV, gzipped CSV or Parquet, as the ending of the path says, whole or not at all."""
    if path.endswith(".parquet"):
        _needs_pyarrow()
    with whole_file(path) as file:
        if path.endswith(".parquet"):
            frame.to_parquet(file, index=False)
        else:
            compression = {"method": "gzip", "mtime": 1} if path.endswith(".gz") else None
            frame.to_csv(file, index=False, compression=compression)


def quoted(names: Iterable[str], most: int = 20) -> str:
    """Return `'a', 'b' and 3 more`."""
    listed = [f"'{name}'" for name in names]
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more:,} more" if more > 0 else "")


def _title_of(source: Any) -> str:
    if isinstance(source, (str, os.PathLike)):
        return f"File '{os.fspath(source)}'"
    return source.title if isinstance(source, Held) else "Standard input"


def _bytes_of(source: Any, title: str) -> bytes:
    if hasattr(source, "read"):
        data = source.read()
        data = data.encode() if isinstance(data, str) else data
    else:
        with file_errors(source, "read"):
            if "\0" in os.fspath(source):
                raise DataError("Expected the path of a table, got one with a NUL.")
            with open(source, "rb") as file:
                data = file.read()
    if data[:2] != _GZIP:
        return bytes(data)
    import gzip
    import zlib

    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{title}: expected gzipped data, got damaged ones: {error}.") from error


def _header(data: bytes, delimiter: str | None, encoding: str, title: str) -> tuple[list[str], str]:
    """Names of the columns and the delimiter."""
    import csv

    lines = data[:1_000_000].splitlines()
    first = next((line for line in lines if line.strip()), b"")
    try:
        text = first.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{title}: expected text in {encoding.removesuffix('-sig')}, got other bytes: {error.reason}."
        ) from error
    except LookupError as error:
        raise ArgumentError(f"Expected a known encoding, got '{encoding}'.") from error
    if "\0" in text:
        raise DataError(f"{title}: expected a table in CSV or Parquet, got binary data.")
    if delimiter is None:
        bare = re.sub('"[^"]*"', "", text)
        delimiter = "," if "," in bare else max(_DELIMITERS, key=bare.count)
    try:
        names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]
    except (csv.Error, TypeError, ValueError) as error:
        raise ArgumentError(f"Expected a delimiter of one character, got {delimiter!r}.") from error
    if not names:
        raise DataError(f"{title}: expected a header and rows, got an empty file.")
    _check_names([name for name in names if name], title)
    return names, delimiter


def _read_parquet(data: bytes, title: str, **options: Any) -> Any:
    _needs_pyarrow()
    try:
        return pandas().read_parquet(io.BytesIO(data), **options)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{title}: expected Parquet, got damaged data: {reason}.") from error


def _needs_pyarrow() -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ImportError("Parquet files need pyarrow: pip install pyarrow", name="pyarrow") from error


def _frame_of(source: Any) -> Any:
    pd = pandas()
    if isinstance(source, pd.DataFrame):
        return source.copy(deep=False)
    if type(source).__module__.split(".")[0] == "polars" and hasattr(source, "get_columns"):
        return pd.DataFrame({column.name: column.to_list() for column in source.get_columns()})
    if isinstance(source, Mapping):
        try:
            return pd.DataFrame(source)
        except ValueError as error:
            raise DataError(f"Expected columns of equal lengths, got others: {error}.") from error
    raise ArgumentError(f"Expected a path, a data frame or a dict of columns, got a {type(source).__name__}.")


def _checked(frame: Any, title: str) -> Any:
    frame.columns = [str(name).strip() for name in frame.columns]
    _check_names(list(frame.columns), title)
    if len(frame) == 0:
        raise DataError(f"{title}: expected rows below the header, got none.")
    return frame.reset_index(drop=True)


def _check_names(names: list[str], title: str) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"{title}: expected columns of different names, got '{twice}' twice.")
