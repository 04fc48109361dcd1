"""Plots. Needs matplotlib, which is imported only when something is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .history import History

__all__ = ["learning_curves"]

_TRAINING, _VALIDATION, _GRID = "#1f5fa8", "#d1661f", "#d9d9d9"


def learning_curves(history: History) -> Figure:
    """Draw one panel for the loss and one for each metric, training and validation together.

    Works without a display. `ImportError` without matplotlib, `ArgumentError` for an empty history.

    Examples
    --------
    >>> from lamina import plotting
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", metrics=["mae"], seed=0)
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=3, verbose=0)
    >>> len(plotting.learning_curves(history).axes)  # loss and mae
    2
    """
    names = [name for name in history._names() if not name.startswith("val_") and name != "learning_rate"]
    if not names:
        raise ArgumentError("History.plot: expected at least one epoch, got an empty history.")
    figure, panels = _panels(len(names))
    for panel, name in zip(panels, names, strict=True):
        _draw(panel, history, name)
    return figure


def _panels(count: int) -> tuple[Figure, list[Any]]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Plots need matplotlib: pip install matplotlib") from error
    columns = min(count, 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(4.6 * columns, 3.4 * rows), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    return figure, panels


def _draw(panel: Any, history: History, name: str) -> None:
    for key, label, color in ((name, "training", _TRAINING), (f"val_{name}", "validation", _VALIDATION)):
        epochs, values = history._series(key)
        if values:
            marker = "o" if len(values) < 25 else ""
            panel.plot(epochs, values, color=color, label=label, marker=marker, markersize=3.5, linewidth=1.8)
    panel.set_title(name.replace("_", " "), fontsize=11, loc="left")
    panel.set_xlabel("epoch")
    panel.grid(color=_GRID, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.xaxis.get_major_locator().set_params(integer=True)
    if panel.lines:
        panel.legend(frameon=False)
