"""How training goes: one line that moves in a terminal, a line an epoch in a pipe."""

from __future__ import annotations

import contextlib
import io
import math
import os
import shutil
from time import perf_counter
from typing import Any

from .._progress import Display, Logs, duration
from ..callbacks import ProgressBar

_BAR_WIDTH = 10
_LEAST_SECONDS = 0.05  # between two looks of the line


class Droppable(io.TextIOBase):
    """A stream whose text is dropped where it can't be written: `head` has gone, the disk is full."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write or drop."""
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush or drop."""
        with contextlib.suppress(OSError):
            self._file.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return bool(self._file.isatty())


class TrainingProgress(ProgressBar):
    """The callback of `lamina train`; `quiet` shows nothing."""

    def __init__(self, file: Any, quiet: bool = False) -> None:
        super().__init__(verbose=0)
        if not quiet:
            live = file.isatty() and os.environ.get("TERM") != "dumb"
            self._display = LiveEpochs(file) if live else PlainEpochs(file)


class PlainEpochs(Display):
    """A line an epoch."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.epochs = self.epoch = 0
        self.best, self.best_epoch = math.inf, 0

    def begin_training(self, epochs: int) -> None:
        """Start the clock."""
        self.epochs, self.start = epochs, perf_counter()

    def begin_epoch(self, epoch: int, samples: int | None) -> None:
        """Note which epoch it is."""
        self.epoch, self.samples = epoch, samples

    def end_epoch(self, logs: Logs) -> None:
        """Print the line."""
        self.note(logs)
        print(" - ".join([self.title(), *figures(logs)]), file=self.file, flush=True)

    def note(self, logs: Logs) -> None:
        """Keep the best epoch."""
        value = logs.get("val_loss", logs.get("loss", math.nan))
        if value < self.best:
            self.best, self.best_epoch = value, self.epoch + 1

    def title(self) -> str:
        """`epoch  3/100`."""
        width = len(str(self.epochs))
        return f"epoch {self.epoch + 1:>{width}}/{self.epochs}"


class LiveEpochs(PlainEpochs):
    """One line for the whole training, drawn anew; it goes away when training ends."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.shown = 0
        self.drawn = -math.inf
        self.last: list[str] = []

    def update(self, rows: int, learning_rate: float, logs: Logs) -> None:
        """Move the bar within an epoch."""
        self.draw(rows / self.samples if self.samples else 0.0)

    def end_epoch(self, logs: Logs) -> None:
        """Show the epoch's figures."""
        self.note(logs)
        self.last = figures(logs)
        self.draw(1.0)

    def close(self) -> None:
        """Take the line away."""
        self.show([])
        self.file.write("\r")
        self.file.flush()

    def draw(self, fraction: float) -> None:
        """Draw the line, at most twenty times a second."""
        now = perf_counter()
        if now - self.drawn < _LEAST_SECONDS:
            return
        self.drawn = now
        done = (self.epoch + min(fraction, 1.0)) / self.epochs
        filled = round(done * _BAR_WIDTH)
        bar = f"[{'=' * filled}{' ' * (_BAR_WIDTH - filled)}]"
        best = [f"best {self.best_epoch}"] if self.best_epoch else []
        self.show([f"{self.title()} {bar}", *self.last, *best, duration(now - self.start)])

    def show(self, parts: list[str]) -> None:
        """Put a line over the last one: the parts that fit, of one at least what fits."""
        width = max(shutil.get_terminal_size().columns - 1, 10)
        while len(parts) > 1 and len(" - ".join(parts)) > width:
            parts = parts[:-1]
        text = " - ".join(parts)[:width]
        self.file.write(f"\r{text}{' ' * max(0, self.shown - len(text))}")
        self.file.flush()
        self.shown = len(text)


def figures(logs: Logs) -> list[str]:
    """`loss 0.1234`, `validation 0.1311`, `accuracy 95.1%`."""
    parts = [f"loss {logs['loss']:.4f}"]
    if "val_loss" in logs:
        parts.append(f"validation {logs['val_loss']:.4f}")
    accuracy = logs.get("val_accuracy", logs.get("accuracy"))
    return parts if accuracy is None else [*parts, f"accuracy {accuracy:.2%}"]
