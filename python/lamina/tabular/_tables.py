"""Tables in and out of files: CSV, gzipped or not, and Parquet."""

from __future__ import annotations

import io
import os
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
        missing values.

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
    pd = pandas()
    if not isinstance(source, (str, os.PathLike)) and not hasattr(source, "read"):
        return _checked(_frame_of(source), "The table")
    title = f"File '{os.fspath(source)}'" if isinstance(source, (str, os.PathLike)) else "Standard input"
    data = _bytes_of(source, title)
    if data[:4] == _PARQUET:
        return _checked(_read_parquet(data, title), title)
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
    names, used = _header(data, delimiter, encoding, title)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(data),
                sep=used,
                encoding=encoding,
                index_col=False,
                low_memory=False,
                skipinitialspace=True,
                dtype={i: str for i, name in enumerate(names) if name in text_columns},
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        reason = " ".join(str(error).replace("Error tokenizing data. C error: ", "").split()).rstrip(".")
        raise DataError(f"{title}: expected a table in CSV, got a bad one: {reason}.") from error
    return _checked(frame, title)


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
        delimiter = "," if "," in text else max(_DELIMITERS, key=text.count)
    try:
        names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]
    except (csv.Error, TypeError, ValueError) as error:
        raise ArgumentError(f"Expected a delimiter of one character, got {delimiter!r}.") from error
    if not names:
        raise DataError(f"{title}: expected a header and rows, got an empty file.")
    _check_names([name for name in names if name], title)
    return names, delimiter


def _read_parquet(data: bytes, title: str) -> Any:
    _needs_pyarrow()
    try:
        return pandas().read_parquet(io.BytesIO(data))
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
