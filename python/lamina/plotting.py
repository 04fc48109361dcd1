"""Plots. Needs matplotlib, which is imported only when something is drawn.

Each function returns the figure, works without a display, and writes to `path` where one is given, as PNG,
PDF or SVG by the ending. Those that draw one panel draw into `ax` where one is given. In a notebook a figure
at the end of a cell shows itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ._figure import (
    GRID,
    TRAINING,
    VALIDATION,
    classes_of,
    finish,
    legend_beside,
    one_panel,
    palette,
    panels,
)
from ._model_plots import decision_boundary, weights
from .errors import ArgumentError, ShapeError
from .history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from ._figure import Path

__all__ = ["learning_curves", "compare", "confusion_matrix", "decision_boundary", "weights"]

_panels = panels  # by which the command line knows beforehand whether matplotlib is there
_MOST_CELLS = 20  # classes up to which the cells of a confusion matrix have room for numbers
_MOST_INSIDE = 5  # runs up to which a panel has room for the legend


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
    figure, drawn = panels(len(names))
    for panel, name in zip(drawn, names, strict=True):
        _curve(panel, history, name, TRAINING, "training")
        _curve(panel, history, f"val_{name}", VALIDATION, "validation")
        _dress(panel, name)
        if panel.lines:
            panel.legend(frameon=False)
    return finish(figure, path)


def compare(
    histories: Mapping[str, History] | Sequence[History] | History,
    metrics: Sequence[str] | str | None = None,
    path: Path = None,
) -> Figure:
    """Draw several trainings into the same panels: training as lines, validation dashed.

    Parameters
    ----------
    histories : dict of History, sequence of them, or one
        What `fit` returned, by name; without names they are called run 1, run 2, ...
    metrics : sequence of str, str or None, default None
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
    if isinstance(histories, History):
        histories = [histories]
    if isinstance(histories, Mapping):
        runs = {str(name): history for name, history in histories.items()}
    elif isinstance(histories, Iterable):
        runs = {f"run {i}": history for i, history in enumerate(histories, 1)}
    else:
        raise ArgumentError(f"compare: expected objects that fit returned, got {histories!r}.")
    for history in runs.values():
        if not isinstance(history, History):
            raise ArgumentError(f"compare: expected objects that fit returned, got {history!r}.")
    known = _figures(runs.values())
    names = list(known if metrics is None else [metrics] if isinstance(metrics, str) else metrics)
    for name in names:
        if name not in known:
            raise ArgumentError(f"compare: expected metrics of {', '.join(map(repr, known))}, got {name!r}.")
    if not names:
        raise ArgumentError("compare: expected at least one history with an epoch, got none.")
    figure, drawn = panels(len(names))
    handles: dict[str, Any] = {}  # a line of each run that is in any panel
    for panel, name in zip(drawn, names, strict=True):
        for (label, history), color in zip(runs.items(), palette(len(runs)), strict=True):
            for line in (
                _curve(panel, history, name, color, label),
                _curve(panel, history, f"val_{name}", color, None, "--"),
            ):
                if line is not None:
                    handles.setdefault(label, line)
        dashed = any(line.get_linestyle() == "--" for line in panel.lines)
        _dress(panel, f"{name} (dashed: validation)" if dashed else name)
    if len(handles) <= _MOST_INSIDE and max(map(len, handles)) <= 24:
        drawn[0].legend(handles.values(), handles, frameon=False)
    else:
        legend_beside(figure, list(handles.values()), list(handles))
    return finish(figure, path)


def _figures(histories: Any) -> list[str]:
    names = dict.fromkeys(name for history in histories for name in history._names())
    return [name for name in names if not name.startswith("val_") and name != "learning_rate"]


def _curve(
    panel: Any, history: History, name: str, color: str, label: str | None, style: str = "-"
) -> Any | None:
    """Draw one figure of a history, and return its line, None where it has none."""
    epochs, values = history._series(name)
    if not values:
        return None
    marker = "o" if len(values) < 25 else ""
    (line,) = panel.plot(
        epochs, values, style, color=color, label=label, marker=marker, markersize=3.5, linewidth=1.8
    )
    return line


def _dress(panel: Any, title: str) -> None:
    panel.set_title(title.replace("_", " "), fontsize=11, loc="left")
    panel.set_xlabel("epoch")
    panel.grid(color=GRID, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    epochs = [epoch for line in panel.lines for epoch in line.get_xdata()]
    if epochs:  # all of them, also where the values are NaN
        margin = 0.05 * (max(epochs) - min(epochs)) or 0.5
        panel.set_xlim(min(epochs) - margin, max(epochs) + margin)


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
        Names of the classes 0, 1, 2, ..., which are also the columns. Classes that are names are shown in
        this order; or, where these are other names, those that occur are called so, sorted.
    normalize : 'true', 'pred', 'all' or None, default None
        Whether to show fractions: of rows, of columns, of everything.
    ax : matplotlib axes or None, default None
        Where to draw.
    path : str, path or None, default None
        Where to write it.

    Raises
    ------
    ShapeError, ArgumentError
        For arrays of different lengths, for labels that are too few, for names in one array and columns or
        numbers in the other without labels that say which is which.
    DataError
        For NaN.

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
    truth, guess = (
        classes_of("confusion_matrix", values, what)
        for values, what in ((y_true, "y_true"), (y_pred, "y_pred"))
    )
    if len(truth) != len(guess) or len(truth) == 0:
        raise ShapeError(
            "confusion_matrix: expected y_true and y_pred of equally many rows, at least one, "
            f"got {len(truth)} and {len(guess)}."
        )
    for values in (y_true, y_pred):
        shape = np.shape(values)
        if labels is not None and len(shape) == 2 and len(labels) < shape[1]:
            raise ArgumentError(
                f"confusion_matrix: expected labels for {shape[1]} classes, got {len(labels)} of them."
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
    figure, panel = one_panel(ax, (size, size))
    _matrix(panel, shown, names, normalize)
    panel.set_title(f"accuracy {np.trace(counts) / counts.sum():.4g}", fontsize=11, loc="left")
    return finish(figure, path)


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


def _class_names(
    truth: NDArray[Any], guess: NDArray[Any], labels: Sequence[Any] | None
) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    """Names of the classes, and the index of each row's true and predicted one."""
    counted = [array.dtype.kind in "iu" for array in (truth, guess)]
    found = None if counted[0] != counted[1] else np.unique(np.concatenate([truth, guess]))
    if found is None or (not all(counted) and labels is not None and set(found.tolist()) <= set(labels)):
        return _by_name(truth, guess, labels)
    if labels is None:
        labels = found.tolist()
    elif all(counted) and found[0] >= 0:
        found = np.arange(max(int(found[-1]) + 1, len(labels)))
    if len(labels) != len(found):
        raise ArgumentError(
            f"confusion_matrix: expected labels for {len(found)} classes, got {len(labels)} of them."
        )
    return [str(name) for name in labels], np.searchsorted(found, truth), np.searchsorted(found, guess)


def _by_name(
    truth: NDArray[Any], guess: NDArray[Any], labels: Sequence[Any] | None
) -> tuple[list[str], NDArray[Any], NDArray[Any]]:
    """Return what `_class_names` does where the labels say which name is which number."""
    names = [] if labels is None else list(labels)
    places = {name: i for i, name in enumerate(names)}
    indices = []
    for array, what, other in ((truth, "y_true", "y_pred"), (guess, "y_pred", "y_true")):
        if array.dtype.kind not in "iu":
            unknown = [name for name in np.unique(array).tolist() if name not in places]
            if unknown:
                raise ArgumentError(
                    f"confusion_matrix: expected labels to hold every name in {what}, "
                    f"such as {unknown[0]!r}, in the order of the columns or numbers in {other}, "
                    f"got {'none' if labels is None else names}."
                )
            array = np.array([places[name] for name in array.tolist()])
        indices.append(array)
    for array in indices:
        if array.min() < 0 or array.max() >= len(names):
            raise ArgumentError(
                f"confusion_matrix: expected class numbers from 0 to {len(names) - 1}, as many as labels, "
                f"got {array.min()} to {array.max()}."
            )
    return [str(name) for name in names], indices[0], indices[1]
