"""Plots of a model: where it draws the line, and what its units look for."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arguments import _whole
from ._arrays import as_rows
from ._figure import classes_of, finish, one_panel, palette
from ._layer import Layer
from .errors import ArgumentError, DataError, ShapeError
from .model import Sequential

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ._figure import Path


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
        and its share how strong it is. Names, whole numbers and what an estimator with `classes_` predicts
        are classes, each with its colour.
    x : array of shape (n, d)
        The data: they say what part of the plane to draw.
    y : array of shape (n,), (n, 1) or (n, classes), or None
        Classes, which colour the points: names, or whole numbers, which count the outputs where there are
        several.
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
        For an x without two features, for features that aren't there, for a y of another length.
    DataError
        For NaN or infinity in x or y, and for NaN in what the model predicts.

    Examples
    --------
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    >>> model = lm.Sequential([lm.Input((2,)), lm.Dense(8, "tanh"), lm.Dense(1, "sigmoid")], seed=0)
    >>> figure = lm.plotting.decision_boundary(model, x, y, path="boundary.png")
    """
    with np.errstate(over="ignore"):
        points = np.asarray(as_rows(x, "x"), dtype=np.float32)
    if points.ndim != 2 or points.shape[1] < 2 or len(points) == 0:
        raise ShapeError(f"decision_boundary: expected x of shape (n, 2) or wider, got {points.shape}.")
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        raise DataError(
            "decision_boundary: expected finite float32 numbers in x, "
            f"got NaN or infinity in row {int(finite.argmin())}."
        )
    labels = None if y is None else classes_of("decision_boundary", y, "y")
    if labels is not None and len(labels) != len(points):
        raise ShapeError(
            f"decision_boundary: expected y of {len(points)} rows, as many as x, got {len(labels)}."
        )
    first, second = _two_of(features, points.shape[1])
    resolution = _whole("resolution", resolution, 2, "decision_boundary")
    sides = [_side(points[:, feature], resolution) for feature in (first, second)]
    grid = np.tile(points.mean(axis=0), (resolution * resolution, 1))
    grid[:, first], grid[:, second] = (part.ravel() for part in np.meshgrid(*sides))
    output, names = _outputs(model, grid)
    if labels is not None and names is not None and np.asarray(y).shape[1:] == (len(names),):
        labels = np.array(names)[labels] if len(names) > 1 else labels  # y has columns
    places = _places(output.shape[1], names, [] if labels is None else np.unique(labels).tolist())
    figure, panel = one_panel(ax, (4.6, 4.2))
    colors = palette(max(output.shape[1] - 1, 1, *places.values()) + 1)
    _surface(panel, sides, output.reshape(resolution, resolution, -1), colors)
    if labels is not None:
        for label in np.unique(labels):
            rows = points[labels == label]
            panel.scatter(
                rows[:, first], rows[:, second], s=16, color=colors[places[label.item()]],
                edgecolors="white", linewidths=0.6, label=str(label),
            )  # fmt: skip
        panel.legend(fontsize=8, loc="upper right")
    panel.set(xlim=sides[0][[0, -1]], ylim=sides[1][[0, -1]])
    panel.locator_params(nbins=6)
    panel.set_xlabel(f"feature {first}")
    panel.set_ylabel(f"feature {second}")
    return finish(figure, path)


def _two_of(features: Any, count: int) -> tuple[int, int]:
    try:
        first, second = (operator.index(feature) for feature in features)
        right = 0 <= first < count and 0 <= second < count and first != second
    except (TypeError, ValueError):
        right = False
    if not right or any(isinstance(feature, (bool, np.bool_)) for feature in features):
        raise ArgumentError(
            f"decision_boundary: expected the indices of two of {count} features, such as (0, 1), "
            f"got {features!r}."
        )
    return first, second


def _outputs(model: Any, grid: NDArray[np.float32]) -> tuple[NDArray[Any], list[Any] | None]:
    """Return what the model makes of each row, in columns, and the columns' classes where they are known.

    Class labels become a column for each class with 1 where it is predicted. A single column of numbers is
    not classes, but its classes may be known, too.
    """
    function = getattr(model, "predict_proba", getattr(model, "predict", model))
    output = np.asarray(function(grid))
    if output.shape[:1] != (len(grid),) or output.size == 0:
        raise ShapeError(
            f"decision_boundary: expected predictions of {len(grid)} rows, got shape {output.shape}."
        )
    output = output.reshape(len(grid), -1)
    known = getattr(model, "classes_", None)
    names = np.asarray(known).tolist() if known is not None and np.ndim(known) == 1 else None
    if output.dtype.kind == "f" and np.isnan(output).any():
        raise DataError("decision_boundary: expected predictions without NaN, got NaN.")
    if output.shape[1] == 1 and _are_labels(model, output, names):
        found, index = np.unique(output, return_inverse=True)
        labels = found.tolist()
        names = labels if names is None or not set(labels) <= set(names) else names
        place = np.array([names.index(label) for label in labels])
        output = (place[index.reshape(-1, 1)] == np.arange(max(len(names), 2))).astype(np.float32)
    elif names is not None and len(names) != max(output.shape[1], 2):
        names = None
    if output.shape[1] == 1 and not np.isfinite(output).all():
        raise DataError("decision_boundary: expected finite predictions, got infinity.")
    return output, names


def _are_labels(model: Any, output: NDArray[Any], names: list[Any] | None) -> bool:
    if output.dtype.kind != "f":
        return True
    if not hasattr(model, "predict") or hasattr(model, "predict_proba") or isinstance(model, Sequential):
        return False  # numbers that say how much
    return names is not None or bool((output == np.floor(output)).all() and output.min() != output.max())


def _places(outputs: int, names: list[Any] | None, labels: list[Any]) -> dict[Any, int]:
    """Return the index of the colour of each class: its output's where that is known, else in their order."""
    if names is not None:
        order = [*names, *(label for label in labels if label not in names)]
        return {label: i for i, label in enumerate(order)}
    count = max(outputs, 2)  # a single output tells 0 and 1, or -1 and 1
    if all(isinstance(label, int) and 0 <= label < count for label in labels):
        return {label: int(label) for label in labels}
    if count == 2 and set(labels) <= {-1, 1}:
        return {-1: 0, 1: 1}
    return {label: i for i, label in enumerate(labels)}


def _side(values: NDArray[Any], resolution: int) -> NDArray[np.float32]:
    low, high = float(values.min()), float(values.max())
    margin = 0.08 * (high - low) or max(1.0, 0.08 * abs(low))
    return np.linspace(low - margin, high + margin, resolution, dtype=np.float32)


def _surface(panel: Any, sides: list[NDArray[np.float32]], output: NDArray[Any], colors: list[str]) -> None:
    """Colours of the plane, and the lines between classes. `output` is (resolution, resolution, outputs)."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    extent = (*sides[0][[0, -1]], *sides[1][[0, -1]])
    if output.shape[2] == 1:
        values = output[:, :, 0]
        probable = values.min() >= 0 and values.max() <= 1
        middle = 0.5 if probable else 0.0
        reach = 0.5 if probable else max(float(np.abs(values).max()), 1e-9)
        ends: list[Any] = [_pale(colors[0]), "#f7f7f7", _pale(colors[1])]
        blend = LinearSegmentedColormap.from_list("classes", ends)
        panel.imshow(
            values, extent=extent, origin="lower", aspect="auto", cmap=blend,
            vmin=middle - reach, vmax=middle + reach,
        )  # fmt: skip
        if values.min() < middle < values.max():
            panel.contour(*sides, values, levels=[middle], colors="#3b3b3b", linewidths=1.2)
        return
    best = output.argmax(axis=2)
    share = np.take_along_axis(output, best[:, :, None], axis=2)
    probable = output.min() >= 0 and np.allclose(output.sum(axis=2), 1, atol=1e-3)
    strength = 0.15 + 0.4 * (share - 1 / output.shape[2]) / (1 - 1 / output.shape[2]) if probable else 0.4
    hues = np.array([to_rgb(color) for color in colors])
    image = 1 - strength * (1 - hues[best])  # towards white where no class has much of a share
    panel.imshow(np.clip(image, 0, 1), extent=extent, origin="lower", aspect="auto")
    for label in np.unique(best)[1:]:
        lead = output[:, :, label] - np.delete(output, label, axis=2).max(axis=2)
        panel.contour(*sides, lead, levels=[0], colors="#3b3b3b", linewidths=1.0)


def _pale(color: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return tuple(1 - 0.5 * (1 - part) for part in to_rgb(color))


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
    count = min(_whole("units", units, 1, "weights"), kernel.shape[1])
    extents = _picture_shape(model, kernel.shape[0], shape)
    reach = max(float(np.abs(kernel[:, :count]).max()), 1e-9)
    pictures = kernel[:, :count].T.reshape(count, *extents)
    mosaic = _mosaic(pictures, min(count, math.ceil(math.sqrt(count * 1.6))))
    height, width = mosaic.shape[:2]
    figure, panel = one_panel(None, (8.0, min(8.0 * height / width + 0.2, 24.0)))
    if mosaic.ndim == 3:  # colours: grey is zero
        panel.imshow(np.nan_to_num(0.5 + mosaic / (2 * reach), nan=1.0))
    else:
        panel.imshow(mosaic, cmap="RdBu", vmin=-reach, vmax=reach)
    panel.set_axis_off()
    return finish(figure, path)


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
