"""Figures of plots: made without a display, and written whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ._files import write_whole
from .errors import ArgumentError, ShapeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    Path = str | os.PathLike[str] | None

TRAINING, VALIDATION, GRID = "#1f5fa8", "#d1661f", "#d9d9d9"
COLORS = (
    *(TRAINING, VALIDATION, "#2a8a57", "#b0307c", "#7a5bc4", "#8a6d1d", "#3c9db3", "#6b6b6b"),
    *("#7fa6d6", "#e0a878"),
)


def panels(count: int, size: tuple[float, float] = (4.6, 3.4)) -> tuple[Figure, list[Any]]:
    """Return a figure with so many panels of a size in inches."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install 'lamina[plot]'") from error
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(size[0] * columns, size[1] * rows), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(count)]


def one_panel(ax: Any, size: tuple[float, float]) -> tuple[Figure, Any]:
    """Return the panel that the user gave, or a new one."""
    if ax is not None:
        return ax.figure, ax
    figure, (panel,) = panels(1, size)
    return figure, panel


def finish(figure: Figure, path: Path) -> Figure:
    """Write the figure where asked to, whole or not at all."""
    if path is None:
        return figure
    import io

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


def classes_of(values: ArrayLike, what: str) -> NDArray[Any]:
    """Return the class of each row: labels as they are, the largest of a row, 1 above 0.5."""
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] > 1:
        result: NDArray[Any] = array.argmax(axis=1)
        return result
    if array.ndim not in (1, 2):
        raise ShapeError(
            f"confusion_matrix: expected {what} of shape (n,), (n, 1) or (n, classes), got {array.shape}."
        )
    array = array.reshape(len(array))
    if array.dtype.kind == "f":
        whole = array == np.floor(array)
        return (array if whole.all() else array > 0.5).astype(np.int64)
    return array.astype(np.int64) if array.dtype.kind == "b" else array
