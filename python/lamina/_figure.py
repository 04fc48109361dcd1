"""Figures of plots: made without a display, and written whole or not at all."""

from __future__ import annotations

import io
import math
import numbers
import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ._files import write_whole
from .errors import ArgumentError, DataError, ShapeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    Path = str | os.PathLike[str] | None

TRAINING, VALIDATION, GRID = "#1f5fa8", "#d1661f", "#d9d9d9"
COLORS = (
    *(TRAINING, VALIDATION, "#2a8a57", "#b0307c", "#7a5bc4", "#8a6d1d", "#3c9db3", "#6b6b6b"),
    *("#7fa6d6", "#e0a878"),
)


def palette(count: int) -> list[str]:
    """Return so many colours, no two alike: `COLORS`, and beyond them a rainbow's, darkened for paper."""
    if count <= len(COLORS):
        return list(COLORS[:count])
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    rainbow = colormaps["turbo"](np.linspace(0.04, 0.96, count))[:, :3]
    return [to_hex(color) for color in 0.85 * rainbow]


@cache
def _figure_class() -> Any:
    """Return matplotlib's figure, which besides shows itself in a notebook, also without %matplotlib inline.

    Under %matplotlib inline IPython has a printer for figures, and asks for no method: it shows one picture.
    """
    import matplotlib.figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    class Figure(matplotlib.figure.Figure):  # type: ignore[misc, unused-ignore] # (no types: no matplotlib)
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            FigureCanvasAgg(self)

        def _repr_png_(self) -> bytes:
            memory = io.BytesIO()
            self.savefig(memory, format="png", dpi="figure")
            return memory.getvalue()

        def __reduce__(self) -> tuple[Any, ...]:  # pickle and copy don't find a class inside a function
            return _blank, (), self.__getstate__()

    return Figure


def _blank() -> Figure:
    """Return a figure for pickle to fill."""
    kind = _figure_class()
    figure: Figure = kind.__new__(kind)
    return figure


def panels(count: int, size: tuple[float, float] = (4.6, 3.4)) -> tuple[Figure, list[Any]]:
    """Return a figure with so many panels of a size in inches."""
    try:
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install 'lamina[plot]'") from error
    columns = min(count, 3)
    rows = -(-count // columns)
    extents = (size[0] * columns, size[1] * rows)
    figure: Figure = _figure_class()(figsize=extents, dpi=120, layout="constrained")
    return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(count)]


def one_panel(ax: Any, size: tuple[float, float]) -> tuple[Figure, Any]:
    """Return the panel that the user gave with the whole figure that it is in, or a new one."""
    if ax is None:
        figure, (panel,) = panels(1, size)
        return figure, panel
    whole = ax.figure
    while whole.figure is not whole:  # out of subfigures
        whole = whole.figure
    return whole, ax


def legend_beside(figure: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """Put a legend to the right of the panels, and make the figure wider by what it takes."""
    width, height = figure.get_size_inches()
    columns = math.ceil(len(labels) / max(1, int((height - 0.4) / 0.21)))
    legend = figure.legend(
        handles, labels, loc="outside right upper", ncols=columns, frameon=False, columnspacing=1.2
    )
    canvas: Any = figure.canvas  # of _figure_class
    taken = legend.get_window_extent(canvas.get_renderer()).width / figure.dpi
    figure.set_size_inches(width + taken, height)


def finish(figure: Figure, path: Path) -> Figure:
    """Write the figure where asked to, whole or not at all."""
    if path is None:
        return figure
    ending = os.path.splitext(os.fspath(path))[1][1:].lower() or "png"
    known = figure.canvas.get_supported_filetypes()
    if ending not in known:
        raise ArgumentError(
            f"Expected a path that ends in {', '.join('.' + name for name in sorted(known))}, got '{path}'."
        )
    memory = io.BytesIO()
    figure.savefig(memory, format=ending)
    write_whole(path, memory.getvalue())
    return figure


def classes_of(who: str, values: ArrayLike, what: str) -> NDArray[Any]:
    """Return the class of each row: labels as they are, the largest of a row, 1 above 0.5.

    `who` and `what` name the function and the argument in errors.
    """
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = _plain(who, array, what)
    columns = is_columns(array)
    if not columns and (array.ndim not in (1, 2) or array.shape[1:] == (0,)):
        raise ShapeError(f"{who}: expected {what} of shape (n,), (n, 1) or (n, classes), got {array.shape}.")
    if columns and array.dtype.kind not in "biuf":
        raise ArgumentError(f"{who}: expected numbers in the columns of {what}, got {array.flat[0]!r}.")
    if array.dtype.kind == "f":
        wrong = np.isnan(array) if columns else ~np.isfinite(array)
        if wrong.any():
            row = int(np.argwhere(wrong)[0, 0])
            raise DataError(f"{who}: expected {what} without NaN or infinity, got one in row {row}.")
    if columns:
        result: NDArray[Any] = array.argmax(axis=1)
        return result
    array = array.reshape(len(array))
    if array.dtype.kind == "f":
        if (array == np.floor(array)).all():
            return array.astype(np.int64)
        if array.min() < 0 or array.max() > 1:
            raise ArgumentError(
                f"{who}: expected {what} of whole numbers, of names or of probabilities, "
                f"got fractions from {array.min():.6g} to {array.max():.6g}."
            )
        return (array > 0.5).astype(np.int64)
    return array.astype(np.int64) if array.dtype.kind == "b" else array


def is_columns(array: NDArray[Any]) -> bool:
    """Whether each row has a column for every class."""
    return array.ndim == 2 and array.shape[1] > 1


def _plain(who: str, array: NDArray[Any], what: str) -> NDArray[Any]:
    """Objects as an array of names or of numbers, where they are such."""
    for row, value in enumerate(array):
        if any(map(_is_gap, np.ravel(value))):
            raise DataError(f"{who}: expected {what} without gaps, got {value!r} in row {row}.")
    kinds = (numbers.Real, np.bool_)
    if all(isinstance(value, str) for value in array.flat):
        return array.astype(np.str_)
    if all(isinstance(value, kinds) for value in array.flat):
        return np.array(array.tolist())
    if all(isinstance(value, (str, *kinds)) for value in array.flat):
        raise ArgumentError(f"{who}: expected {what} of names or of numbers, got both.")
    return array


def _is_gap(value: Any) -> bool:
    try:
        return value is None or bool(value != value)
    except TypeError:  # pandas.NA, which is neither equal to itself nor not
        return True
