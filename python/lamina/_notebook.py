"""What shows in a notebook: learning curves that grow as training goes, and tables."""

from __future__ import annotations

import io
import os
from time import perf_counter
from typing import Any

from ._callback import Callback, Logs, _number
from ._files import write_whole
from ._progress import in_notebook
from .errors import ArgumentError, StateError
from .history import History


class LivePlot(Callback):
    """Draws the learning curves anew as training goes: below a notebook's cell, or into a file.

    Parameters
    ----------
    path : str, path or None, default None
        A PNG file to write each time, whole, for a viewer that follows it; None shows the plot in the
        notebook.
    interval : float, default 1.0
        Seconds between two drawings, at least; drawing takes no more than a fifth of the time in any case.
        The end of training is always drawn.

    Raises
    ------
    ArgumentError
        For an argument that is not allowed.
    StateError
        By `fit`, outside of a notebook without a path.
    ImportError
        By `fit`, without matplotlib.

    Examples
    --------
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", seed=0)
    >>> live = lm.callbacks.LivePlot("live.png")
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=3, verbose=0, callbacks=[live])
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, interval: float = 1.0) -> None:
        self.path = None if path is None else os.fspath(path)
        self.interval = _number("LivePlot", "interval", interval)
        if self.interval < 0:
            raise ArgumentError(f"LivePlot: expected interval to be at least 0, got {interval!r}.")
        self._history = History()
        self._handle: Any = None
        self._next = 0.0  # the time of the next drawing
        self._drawn = 0  # epochs that the last drawing shows

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin with an empty history.

        Examples
        --------
        >>> live = lm.callbacks.LivePlot("live.png")
        >>> live.on_train_begin()
        """
        self._history, self._handle, self._next, self._drawn = History(), None, 0.0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Draw, unless it was just done.

        Examples
        --------
        >>> live = lm.callbacks.LivePlot("live.png")
        >>> live.on_train_begin()
        >>> live.on_epoch_end(0, {"loss": 0.5})
        >>> import os
        >>> os.path.exists("live.png")
        True
        """
        self._history._append(epoch, logs or {})
        if perf_counter() >= self._next:
            self._draw()

    def _check(self) -> None:
        from ._figure import panels

        panels(1)  # says so where matplotlib is missing
        if self.path is None and not in_notebook():
            raise StateError("LivePlot: expected a notebook, or path='live.png' to draw into, got neither.")

    def _close(self) -> None:
        """Draw the end, however training ended."""
        if len(self._history) > self._drawn:
            self._draw()

    def _draw(self) -> None:
        from .plotting import learning_curves

        start = perf_counter()
        memory = io.BytesIO()
        learning_curves(self._history).savefig(memory, format="png")
        self._drawn = len(self._history)
        if self.path is not None:
            write_whole(self.path, memory.getvalue())
        else:
            self._show(memory.getvalue())
        now = perf_counter()
        self._next = now + max(self.interval, 4 * (now - start))

    def _show(self, png: bytes) -> None:
        from IPython.display import Image, display

        image = Image(data=png, format="png")
        if self._handle is None:
            self._handle = display(image, display_id=True)
        else:
            self._handle.update(image)


def show_table(text: str, html: str) -> None:
    """Show a table below a notebook's cell, as HTML where it can, else as text."""
    from IPython.display import display

    display({"text/plain": text, "text/html": html}, raw=True)
