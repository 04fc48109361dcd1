"""What users hand over, as NumPy arrays that the core reads in place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ._dlpack import has_dlpack, read_dlpack
from .errors import DTypeError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLASSES_ADVICE = "np.unique(labels, return_inverse=True) turns class names into integers"


def as_array(value: Any, what: str) -> NDArray[Any]:
    """Return a numeric array of native byte order; `what` names it in errors.

    Arrays of bool, integers, float16, float32 and float64 come back as they are, those of other libraries on
    the CPU as views of their memory. Lists, data frames and everything that NumPy can read are converted
    once, long doubles to float64.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise DTypeError(
            f"{what}: expected an array without a mask, got a masked array; "
            f"fill it first, as in {what}.filled(0)."
        )
    array = value if isinstance(value, np.ndarray) else _from_object(value, what)
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    if kind not in "biuf":
        _reject(array, value, what)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array if type(array) in (np.ndarray, np.memmap) else np.asarray(array)


_FLOAT32 = np.dtype(np.float32)


def as_rows(value: Any, what: str) -> NDArray[Any]:
    """`as_array`, with at least one dimension and with rows that are contiguous in memory.

    Rows may lie at any distance from each other; only an array whose rows are not contiguous is copied.
    """
    if type(value) is np.ndarray and value.dtype is _FLOAT32 and value.flags.carray and value.ndim > 0:
        return value  # nothing to do for most; predicting one row takes 2 us in all
    array = as_array(value, what)
    if array.ndim == 0:
        raise ShapeError(f"{what}: expected an array of rows, got a single {array.dtype} number.")
    if not array.flags.aligned or (array.ndim > 1 and len(array) > 0 and not array[0].flags.c_contiguous):
        return np.ascontiguousarray(array)
    return array


def as_float32(value: Any, what: str) -> NDArray[np.float32]:
    """Return a contiguous float32 array of any number of dimensions."""
    array = as_array(value, what)
    return np.ascontiguousarray(array, dtype=np.float32).reshape(array.shape)


def is_mapped(array: NDArray[Any]) -> bool:
    """Whether the array is a memory map or a view of one."""
    base: Any = array
    while base is not None:
        if isinstance(base, np.memmap) or type(base).__module__ == "mmap":
            return True
        base = base.obj if isinstance(base, memoryview) else getattr(base, "base", None)
    return False


def is_frame(value: Any) -> bool:
    """Whether it is a pandas or polars frame or series. Imports neither."""
    for name in ("pandas", "polars"):
        module = sys.modules.get(name)
        if module is not None and isinstance(value, (module.DataFrame, module.Series)):
            return True
    return False


def is_array_like(value: Any) -> bool:
    """Whether it is one array of data, rather than a stream of batches."""
    return (
        isinstance(value, np.ndarray) or is_frame(value) or hasattr(value, "__array__") or has_dlpack(value)
    )


def _from_object(value: Any, what: str) -> NDArray[Any]:
    if is_frame(value):
        return _from_frame(value, what)
    if has_dlpack(value):
        return read_dlpack(value, what)
    try:
        return np.asarray(value)
    except ValueError as error:  # lists of different lengths
        raise ShapeError(f"{what}: expected rows of one shape, got lists of different lengths.") from error


def _from_frame(frame: Any, what: str) -> NDArray[Any]:
    array: NDArray[Any] = np.asarray(frame.to_numpy())
    if array.dtype.kind in "biuf":
        return array
    columns = (
        {str(name): frame[name] for name in frame.columns} if hasattr(frame, "columns") else {what: frame}
    )
    bad = [name for name, column in columns.items() if not _is_numeric(column)]
    if bad:
        dtypes = ", ".join(f"'{name}' ({columns[name].dtype})" for name in bad[:5])
        raise DTypeError(
            f"{what}: expected columns of numbers, got {dtypes}"
            f"{' and others' if len(bad) > 5 else ''}; {_CLASSES_ADVICE}, one-hot columns serve as features."
        )
    # Numbers of several types, or with missing values: those become NaN, which is reported by its row.
    if type(frame).__module__.startswith("pandas"):
        return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))
    stacked = [np.asarray(column.to_numpy(), dtype=np.float64) for column in columns.values()]
    return np.stack(stacked, axis=1) if hasattr(frame, "columns") else stacked[0]


def _is_numeric(column: Any) -> bool:
    dtype = column.dtype
    if hasattr(dtype, "is_numeric"):  # polars
        return bool(dtype.is_numeric() or dtype == sys.modules["polars"].Boolean)
    numeric: bool = sys.modules["pandas"].api.types.is_numeric_dtype(dtype)
    return numeric and getattr(dtype, "kind", "f") != "c"


def _reject(array: NDArray[Any], value: Any, what: str) -> None:
    advice = ""
    if hasattr(value, "toarray"):
        advice = f"; a sparse matrix becomes an array by {what}.toarray()"
    elif array.dtype.kind in "USTO":
        advice = (
            f"; {_CLASSES_ADVICE}"
            if array.dtype.kind != "O"
            else f"; {what}.astype(float) if it holds numbers"
        )
    elif array.dtype.kind == "V" and array.dtype.names:
        advice = "; numpy.lib.recfunctions.structured_to_unstructured makes a plain one"
    raise DTypeError(f"{what}: expected an array of numbers, got dtype {array.dtype}{advice}.")
