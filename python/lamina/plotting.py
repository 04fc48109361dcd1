"""Plots. Needs matplotlib, which is imported only when something is drawn.

Each function returns the figure, works without a display, and writes to `path` where one is given, as PNG,
PDF or SVG by the ending. Those that draw one panel draw into `ax` where one is given.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrays import as_rows
from ._files import write_whole
from ._layer import Layer
from .errors import ArgumentError, ShapeError
from .history import History
from .model import Sequential

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    Path = str | os.PathLike[str] | None

__all__ = ["learning_curves", "compare", "confusion_matrix", "decision_boundary", "weights"]

_TRAINING, _VALIDATION, _GRID = "#1f5fa8", "#d1661f", "#d9d9d9"
_COLORS = (
    *(_TRAINING, _VALIDATION, "#2a8a57", "#b0307c", "#7a5bc4", "#8a6d1d", "#3c9db3", "#6b6b6b"),
    *("#7fa6d6", "#e0a878"),
)
_MOST_CELLS = 20  # classes up to which the cells of a confusion matrix have room for numbers


# ---- training


def learning_curves(history: History, path: Path = None) -> Figure:
    """Draw one panel for the loss and one for each metric, training and validation together.

    `path` is where to write it. `ImportError` without matplotlib, `ArgumentError` for an empty history.

    Examples
    --------
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", metrics=["mae"], seed=0)
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=3, verbose=0)
    >>> len(lm.plotting.learning_curves(history).axes)  # loss and mae
    2
    """
    names = _figures([history])
    if not names:
        raise ArgumentError("History.plot: expected at least one epoch, got an empty history.")
    figure, panels = _panels(len(names))
    for panel, name in zip(panels, names, strict=True):
        _curve(panel, history, name, _TRAINING, "training")
        _curve(panel, history, f"val_{name}", _VALIDATION, "validation")
        _dress(panel, name)
        if panel.lines:
            panel.legend(frameon=False)
    return _finish(figure, path)


def compare(
    histories: Mapping[str, History] | Sequence[History],
    metrics: Sequence[str] | None = None,
    path: Path = None,
) -> Figure:
    """Draw several trainings into the same panels: training as lines, validation dashed.

    Parameters
    ----------
    histories : dict of History, or sequence of them
        What `fit` returned, by name; in a sequence they are called run 1, run 2, ...
    metrics : sequence of str or None, default None
        The figures to draw, one panel each, such as 'loss'; None draws all.
    path : str, path or None, default None
        Where to write it.

    Raises
    ------
    ArgumentError
        For what is no history, for no epochs, for a figure that none of them has.

    Examples
    --------
    >>> def train(optimizer):
    ...     trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), optimizer, "mse", seed=0)
    ...     return trainer.fit(np.eye(4), np.ones(4), epochs=5, verbose=0)
    >>> figure = lm.plotting.compare({"SGD": train("sgd"), "Adam": train("adam")})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['SGD', 'Adam']
    """
    runs = (
        dict(histories)
        if isinstance(histories, Mapping)
        else {f"run {i}": history for i, history in enumerate(histories, 1)}
    )
    for history in runs.values():
        if not isinstance(history, History):
            raise ArgumentError(f"compare: expected objects that fit returned, got {history!r}.")
    known = _figures(runs.values())
    names = list(known if metrics is None else metrics)
    for name in names:
        if name not in known:
            raise ArgumentError(f"compare: expected metrics of {', '.join(map(repr, known))}, got {name!r}.")
    if not names:
        raise ArgumentError("compare: expected at least one history with an epoch, got none.")
    figure, panels = _panels(len(names))
    for panel, name in zip(panels, names, strict=True):
        for i, (label, history) in enumerate(runs.items()):
            color = _COLORS[i % len(_COLORS)]
            _curve(panel, history, name, color, label)
            _curve(panel, history, f"val_{name}", color, None, "--")
        dashed = any(line.get_linestyle() == "--" for line in panel.lines)
        _dress(panel, f"{name} (dashed: validation)" if dashed else name)
    panels[0].legend(frameon=False)
    return _finish(figure, path)


def _figures(histories: Any) -> list[str]:
    names = dict.fromkeys(name for history in histories for name in history._names())
    return [name for name in names if not name.startswith("val_") and name != "learning_rate"]


def _curve(panel: Any, history: History, name: str, color: str, label: str | None, style: str = "-") -> None:
    epochs, values = history._series(name)
    if values:
        marker = "o" if len(values) < 25 else ""
        panel.plot(
            epochs, values, style, color=color, label=label, marker=marker, markersize=3.5, linewidth=1.8
        )


def _dress(panel: Any, title: str) -> None:
    panel.set_title(title.replace("_", " "), fontsize=11, loc="left")
    panel.set_xlabel("epoch")
    panel.grid(color=_GRID, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.xaxis.get_major_locator().set_params(integer=True)


# ---- classification


def confusion_matrix(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    labels: Sequence[Any] | None = None,
    normalize: str | None = None,
    ax: Axes | None = None,
    path: Path = None,
) -> Figure:
    """Draw how often each class was taken for each: a row a true class, a column a predicted one.

    Parameters
    ----------
    y_true : array of shape (n,), (n, 1) or (n, classes)
        Classes: integers or strings; one-hot rows.
    y_pred : array of shape (n,), (n, 1) or (n, classes)
        Classes, too, or what `model.predict` gave: the largest of a row counts, and a single probability
        above 0.5 is class 1.
    labels : sequence or None, default None
        Names of the classes 0, 1, 2, ... or, for classes that are no such numbers, of those that occur,
        sorted.
    normalize : 'true', 'pred', 'all' or None, default None
        Whether to show fractions: of rows, of columns, of everything.
    ax : matplotlib axes or None, default None
        Where to draw.
    path : str, path or None, default None
        Where to write it.

    Raises
    ------
    ShapeError, ArgumentError
        For arrays of different lengths, for labels that are too few.

    Examples
    --------
    >>> figure = lm.plotting.confusion_matrix([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], labels=["cat", "dog"])
    >>> [text.get_text() for text in figure.axes[0].texts]  # row by row
    ['1', '1', '1', '2']
    """
    if normalize not in (None, "true", "pred", "all"):
        raise ArgumentError(
            f"confusion_matrix: expected normalize to be 'true', 'pred', 'all' or None, got {normalize!r}."
        )
    truth, guess = _classes(y_true, "y_true"), _classes(y_pred, "y_pred")
    if len(truth) != len(guess) or len(truth) == 0:
        raise ShapeError(
            "confusion_matrix: expected y_true and y_pred of equally many rows, at least one, "
            f"got {len(truth)} and {len(guess)}."
        )
    names, rows, columns = _class_names(truth, guess, labels)
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (rows, columns), 1)
    shown = counts
    if normalize is not None:
        axis = {"true": 1, "pred": 0, "all": None}[normalize]
        total = counts.sum(axis=axis, keepdims=True)
        shown = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    size = min(max(3.2, 0.55 * len(names) + 1.4), 12.0)
    figure, panel = _panel(ax, (size, size))
    _matrix(panel, shown, names, normalize)
    panel.set_title(f"accuracy {np.trace(counts) / counts.sum():.4g}", fontsize=11, loc="left")
    return _finish(figure, path)


def _matrix(panel: Any, shown: NDArray[Any], names: list[str], normalize: str | None) -> None:
    panel.imshow(shown, cmap="Blues", vmin=0, vmax=max(shown.max(), 1e-9))
    places = range(len(names))
    long = max(map(len, names)) > 3
    panel.set_xticks(places, names, rotation=45 if long else 0, ha="right" if long else "center")
    panel.set_yticks(places, names)
    panel.set_xlabel("predicted")
    panel.set_ylabel("true")
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    if len(names) > _MOST_CELLS:
        return
    for (row, column), value in np.ndenumerate(shown):
        text = f"{value:.2f}" if normalize is not None and value else f"{value:.0f}"
        color = "white" if value > 0.55 * shown.max() else ("#3b3b3b" if value else "#b9b9b9")
        panel.text(column, row, text, ha="center", va="center", color=color, fontsize=9)


def _classes(values: ArrayLike, what: str) -> NDArray[Any]:
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


def _class_names(
    truth: NDArray[Any], guess: NDArray[Any], labels: Sequence[Any] | None
) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    """Names of the classes, and the index of each row's true and predicted one."""
    found = np.unique(np.concatenate([truth, guess]))
    if found.dtype.kind in "iu" and found[0] >= 0 and labels is not None:
        found = np.arange(max(int(found[-1]) + 1, len(labels)))
    if labels is None:
        labels = found.tolist()
    if len(labels) != len(found):
        raise ArgumentError(
            f"confusion_matrix: expected labels for {len(found)} classes, got {len(labels)} of them."
        )
    return [str(name) for name in labels], np.searchsorted(found, truth), np.searchsorted(found, guess)


def decision_boundary(
    model: Any,
    x: ArrayLike,
    y: ArrayLike | None = None,
    features: tuple[int, int] = (0, 1),
    resolution: int = 200,
    ax: Axes | None = None,
    path: Path = None,
) -> Figure:
    """Colour the plane of two features by what the model makes of each point, with the data upon it.

    Parameters
    ----------
    model : Sequential, estimator, or function of an array of shape (n, d)
        Of an estimator `predict_proba` is taken where it has one, else `predict`. One output is drawn as it
        is, with a line at 0.5 where all lie in [0, 1], else at 0; of several the largest gives the colour,
        and its share how strong it is.
    x : array of shape (n, d)
        The data: they say what part of the plane to draw.
    y : array of shape (n,), (n, 1) or (n, classes), or None
        Classes, which colour the points.
    features : pair of int, default (0, 1)
        Which two of the d features span the plane; the others are kept at their means.
    resolution : int, default 200
        Points along each side.
    ax : matplotlib axes or None, default None
        Where to draw.
    path : str, path or None, default None
        Where to write it.

    Raises
    ------
    ShapeError, ArgumentError
        For an x without two features, for features that aren't there.

    Examples
    --------
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> model = lm.Sequential([lm.Input((2,)), lm.Dense(8, "tanh"), lm.Dense(1, "sigmoid")], seed=0)
    >>> figure = lm.plotting.decision_boundary(model, x, y, path="boundary.png")
    """
    points = np.asarray(as_rows(x, "x"), dtype=np.float32)
    if points.ndim != 2 or points.shape[1] < 2 or len(points) == 0:
        raise ShapeError(f"decision_boundary: expected x of shape (n, 2) or wider, got {points.shape}.")
    first, second = features
    if not all(isinstance(f, int) and 0 <= f < points.shape[1] for f in features) or first == second:
        raise ArgumentError(
            f"decision_boundary: expected two of {points.shape[1]} features, got {features!r}."
        )
    if isinstance(resolution, bool) or not isinstance(resolution, int) or resolution < 2:
        raise ArgumentError(
            f"decision_boundary: expected resolution to be a whole number of at least 2, got {resolution!r}."
        )
    sides = [_side(points[:, feature], resolution) for feature in features]
    grid = np.tile(points.mean(axis=0), (resolution * resolution, 1))
    grid[:, first], grid[:, second] = (part.ravel() for part in np.meshgrid(*sides))
    function = getattr(model, "predict_proba", getattr(model, "predict", model))
    output = np.asarray(function(grid)).reshape(resolution, resolution, -1)
    figure, panel = _panel(ax, (4.6, 4.2))
    _surface(panel, sides, output)
    if y is not None:
        classes = _classes(y, "y")
        for i, label in enumerate(np.unique(classes)):
            rows = points[classes == label]
            panel.scatter(
                rows[:, first], rows[:, second], s=16, color=_COLORS[i % len(_COLORS)],
                edgecolors="white", linewidths=0.6, label=str(label),
            )  # fmt: skip
        panel.legend(fontsize=8, loc="upper right")
    panel.set(xlim=sides[0][[0, -1]], ylim=sides[1][[0, -1]])
    panel.locator_params(nbins=6)
    panel.set_xlabel(f"feature {first}")
    panel.set_ylabel(f"feature {second}")
    return _finish(figure, path)


def _side(values: NDArray[Any], resolution: int) -> NDArray[np.float32]:
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, resolution, dtype=np.float32)


def _surface(panel: Any, sides: list[NDArray[np.float32]], output: NDArray[Any]) -> None:
    """Colours of the plane, and the lines between classes. `output` is (resolution, resolution, outputs)."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    extent = (*sides[0][[0, -1]], *sides[1][[0, -1]])
    if output.shape[2] == 1:
        values = output[:, :, 0]
        probable = values.min() >= 0 and values.max() <= 1
        middle = 0.5 if probable else 0.0
        reach = 0.5 if probable else max(float(np.abs(values).max()), 1e-9)
        ends: list[Any] = [_pale(_COLORS[0]), "#f7f7f7", _pale(_COLORS[1])]
        colors = LinearSegmentedColormap.from_list("classes", ends)
        panel.imshow(
            values, extent=extent, origin="lower", aspect="auto", cmap=colors,
            vmin=middle - reach, vmax=middle + reach,
        )  # fmt: skip
        if values.min() < middle < values.max():
            panel.contour(*sides, values, levels=[middle], colors="#3b3b3b", linewidths=1.2)
        return
    best = output.argmax(axis=2)
    share = np.take_along_axis(output, best[:, :, None], axis=2)
    probable = output.min() >= 0 and np.allclose(output.sum(axis=2), 1, atol=1e-3)
    strength = 0.15 + 0.4 * (share - 1 / output.shape[2]) / (1 - 1 / output.shape[2]) if probable else 0.4
    palette = np.array([to_rgb(_COLORS[i % len(_COLORS)]) for i in range(output.shape[2])])
    image = 1 - strength * (1 - palette[best])  # towards white where no class has much of a share
    panel.imshow(np.clip(image, 0, 1), extent=extent, origin="lower", aspect="auto")
    for label in np.unique(best)[1:]:
        lead = output[:, :, label] - np.delete(output, label, axis=2).max(axis=2)
        panel.contour(*sides, lead, levels=[0], colors="#3b3b3b", linewidths=1.0)


def _pale(color: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return tuple(1 - 0.5 * (1 - part) for part in to_rgb(color))


# ---- weights


def weights(
    model: Sequential,
    layer: str | int | None = None,
    shape: tuple[int, ...] | None = None,
    units: int = 64,
    path: Path = None,
) -> Figure:
    """Draw the weights that lead to each unit of a layer as a picture of the inputs: blue up, red down.

    Parameters
    ----------
    model : Sequential
        A built model.
    layer : str, int or None, default None
        The layer, by name or index; None is the first with a kernel.
    shape : tuple of int or None, default None
        Height and width of the inputs, for colours with channels; None is the model's input shape, or a
        square.
    units : int, default 64
        The first so many units are drawn.
    path : str, path or None, default None
        Where to write it.

    Raises
    ------
    ArgumentError, ShapeError
        For a layer without a kernel, for a shape that doesn't fit it, where no shape can be guessed.
    StateError
        Before the model is built.

    Examples
    --------
    >>> model = lm.Sequential([lm.Input((28, 28)), lm.Flatten(), lm.Dense(12, "relu")], seed=0)
    >>> figure = lm.plotting.weights(model, path="weights.png")
    """
    kernel = _kernel_of(model, layer)
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise ArgumentError(f"weights: expected units to be a whole number of at least 1, got {units!r}.")
    count = min(units, kernel.shape[1])
    extents = _picture_shape(model, kernel.shape[0], shape)
    reach = max(float(np.abs(kernel[:, :count]).max()), 1e-9)
    pictures = kernel[:, :count].T.reshape(count, *extents)
    mosaic = _mosaic(pictures, min(count, math.ceil(math.sqrt(count * 1.6))))
    height, width = mosaic.shape[:2]
    figure, panel = _panel(None, (8.0, min(8.0 * height / width + 0.2, 24.0)))
    if mosaic.ndim == 3:  # colours: grey is zero
        panel.imshow(np.nan_to_num(0.5 + mosaic / (2 * reach), nan=1.0))
    else:
        panel.imshow(mosaic, cmap="RdBu", vmin=-reach, vmax=reach)
    panel.set_axis_off()
    return _finish(figure, path)


def _mosaic(pictures: NDArray[np.float32], columns: int) -> NDArray[np.float32]:
    """Lay pictures (n, height, width, ...) out row by row, with gaps of NaN between them."""
    count, height, width = pictures.shape[:3]
    gap = max(1, min(height, width) // 8)
    rows = -(-count // columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, *pictures.shape[3:])
    result = np.full(shape, np.nan, dtype=np.float32)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        result[top : top + height, left : left + width] = picture
    return result


def _kernel_of(model: Sequential, layer: str | int | None) -> NDArray[np.float32]:
    model._used("give its weights")
    if layer is None:
        found = [each for each in model.layers if _has_kernel(each)]
        if not found:
            raise ArgumentError("weights: expected a model with a Dense layer, got one without.")
        chosen = found[0]
    else:
        chosen = model.get_layer(layer) if isinstance(layer, str) else model.get_layer(index=layer)
        if not _has_kernel(chosen):
            raise ArgumentError(f"weights: expected a layer with a kernel, got '{chosen.name}'.")
    return np.asarray(chosen.kernel)


def _has_kernel(layer: Layer) -> bool:
    return "kernel" in layer._weight_names() and layer.kernel.ndim == 2


def _picture_shape(model: Sequential, inputs: int, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """Return (height, width) or (height, width, 3)."""
    if shape is not None:
        extents = tuple(shape)
        if len(extents) not in (2, 3) or math.prod(extents) != inputs or extents[2:] not in ((), (1,), (3,)):
            raise ShapeError(f"weights: expected a shape of {inputs} inputs, such as (28, 28), got {shape}.")
    else:
        given = tuple(extent for extent in model.input_shape[1:] if extent is not None)
        side = math.isqrt(inputs)
        if len(given) in (2, 3) and math.prod(given) == inputs and given[2:] in ((), (1,), (3,)):
            extents = given
        elif side * side == inputs:
            extents = (side, side)
        else:
            raise ShapeError(f"weights: expected shape=(height, width) for {inputs} inputs, got none.")
    return extents[:2] if extents[2:] == (1,) else extents


# ---- figures


def _panels(count: int, size: tuple[float, float] = (4.6, 3.4)) -> tuple[Figure, list[Any]]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install 'lamina[plot]'") from error
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(size[0] * columns, size[1] * rows), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    return figure, panels


def _panel(ax: Any, size: tuple[float, float]) -> tuple[Figure, Any]:
    if ax is not None:
        return ax.figure, ax
    figure, panels = _panels(1, size)
    return figure, panels[0]


def _finish(figure: Figure, path: Path) -> Figure:
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
