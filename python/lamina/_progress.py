"""What stands on the screen while a model is trained."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from .errors import ArgumentError

Logs = Mapping[str, float]

_BAR_WIDTH = 20


class Display:
    """Nothing at all: verbose=0."""

    def begin_training(self, epochs: int) -> None:
        """Before the first epoch."""

    def begin_epoch(self, epoch: int, samples: int | None) -> None:
        """Before an epoch of so many rows; None when nobody knows."""

    def update(self, rows: int, learning_rate: float, logs: Logs) -> None:
        """At most twenty times a second."""

    def trained(self, rows: int) -> None:
        """After the epoch's last batch, before validation."""

    def end_epoch(self, logs: Logs) -> None:
        """After validation."""

    def close(self) -> None:
        """However training ended."""


class Lines(Display):
    """A line an epoch: verbose=2."""

    def __init__(self) -> None:
        self.epochs = self.epoch = self.rows = 0
        self.samples: int | None = None
        self.start = self.end = 0.0

    def begin_training(self, epochs: int) -> None:
        """Note the number of epochs."""
        self.epochs = epochs

    def begin_epoch(self, epoch: int, samples: int | None) -> None:
        """Start the clock."""
        self.epoch, self.samples, self.rows = epoch, samples, 0
        self.start = self.end = perf_counter()

    def trained(self, rows: int) -> None:
        """Stop the clock that samples per second go by."""
        self.rows, self.end = rows, perf_counter()

    def end_epoch(self, logs: Logs) -> None:
        """Print the line."""
        seconds = perf_counter() - self.start
        rate = self.rows / max(self.end - self.start, 1e-9)
        parts = [self.title(), duration(seconds), f"{rate:,.0f} samples/s"]
        if "learning_rate" in logs:
            parts.append(f"lr {logs['learning_rate']:.4g}")
        parts += figures(logs)
        print(" - ".join(parts), flush=True)

    def title(self) -> str:
        """`Epoch 3/10`."""
        width = len(str(self.epochs))
        return f"Epoch {self.epoch + 1:>{width}}/{self.epochs}"


class LiveLine(Lines):
    """A bar in one line of the terminal, without tqdm."""

    shown = 0

    def update(self, rows: int, learning_rate: float, logs: Logs) -> None:
        """Draw the bar over the last one."""
        rate = rows / max(perf_counter() - self.start, 1e-9)
        parts = [f"{rate:,.0f} samples/s"]
        if self.samples:
            done = min(rows / self.samples, 1.0)
            filled = round(done * _BAR_WIDTH)
            bar = f"[{'=' * filled}{' ' * (_BAR_WIDTH - filled)}]"
            parts = [f"{bar} {done:4.0%}", f"{duration((self.samples - rows) / rate)} left", *parts]
        self._show(" - ".join([self.title(), *parts, f"lr {learning_rate:.4g}", *figures(logs)]))

    def end_epoch(self, logs: Logs) -> None:
        """Replace the bar by the epoch's line."""
        self._show("")
        super().end_epoch(logs)

    def close(self) -> None:
        """Leave the bar where it is, and the cursor below it."""
        if self.shown:
            print(flush=True)
            self.shown = 0

    def _show(self, text: str) -> None:
        import shutil

        text = text[: shutil.get_terminal_size().columns - 1]
        print(f"\r{text}{' ' * max(0, self.shown - len(text))}\r{text}", end="", flush=True)
        self.shown = len(text)


class TqdmBar(Lines):
    """tqdm's bar, in a terminal or a notebook."""

    def __init__(self) -> None:
        super().__init__()
        self.bar: Any = None

    def begin_epoch(self, epoch: int, samples: int | None) -> None:
        """Open a bar for the epoch."""
        super().begin_epoch(epoch, samples)
        self.close()
        self.bar = _tqdm()(
            total=samples,
            desc=self.title(),
            unit=" samples",
            unit_scale=True,
            leave=False,
            file=sys.stdout,
            dynamic_ncols=True,
            miniters=0,
            mininterval=0.05,
        )

    def update(self, rows: int, learning_rate: float, logs: Logs) -> None:
        """Move the bar."""
        self.bar.set_postfix_str(", ".join([f"lr {learning_rate:.4g}", *figures(logs)]), refresh=False)
        self.bar.update(rows - self.bar.n)

    def end_epoch(self, logs: Logs) -> None:
        """Replace the bar by the epoch's line."""
        self.close()
        super().end_epoch(logs)

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def display_for(verbose: int | str) -> Display:
    """Return the display that a user's `verbose` asks for."""
    if verbose not in (0, 1, 2, "auto"):
        raise ArgumentError(f"Expected verbose to be 0, 1, 2 or 'auto', got {verbose!r}.")
    if verbose == 0:
        return Display()
    if verbose == 2 or (verbose == "auto" and not is_interactive()):
        return Lines()
    try:
        _tqdm()
    except ImportError:
        return LiveLine()
    return TqdmBar()


def in_notebook() -> bool:
    """Whether the code runs in a notebook's kernel. Imports nothing."""
    shell = sys.modules.get("IPython")
    get = getattr(shell, "get_ipython", None)
    return get is not None and getattr(get(), "kernel", None) is not None


def is_interactive() -> bool:
    """Whether somebody watches: a terminal that can move its cursor, or a notebook."""
    if in_notebook():
        return True
    return os.environ.get("TERM") != "dumb" and bool(getattr(sys.stdout, "isatty", lambda: False)())


def duration(seconds: float) -> str:
    """`42 ms`, `1.42 s`, `12.3 s`, `3:05 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min"


def figures(logs: Logs) -> list[str]:
    """`loss: 0.1234`, ..., without the learning rate."""
    return [
        f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}"
        for name, value in logs.items()
        if name != "learning_rate"
    ]


def _tqdm() -> Any:
    if in_notebook():
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about widgets that are not installed
            from tqdm.auto import tqdm as automatic

        return automatic
    from tqdm import tqdm

    return tqdm
