"""What training tells: the figures of every epoch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._files import open_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["History"]


class History:
    """The figures of every epoch.

    `history.history` is a dict of lists: `loss`, each metric, `val_loss` and so on where there is validation
    data, and `learning_rate`, that of the epoch's last update. `history.epoch` lists the epochs, counted from
    0. `history.params` holds `epochs`, `steps`, `batch_size` and `metrics`.

    Examples
    --------
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", metrics=["mae"], seed=0)
    >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=3, validation_split=0.25, verbose=0)
    >>> history.epoch, list(history.history)
    ([0, 1, 2], ['loss', 'mae', 'val_loss', 'val_mae', 'learning_rate'])
    """

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        self.params: dict[str, Any] = dict(params or {})
        self.epoch: list[int] = []
        self._rows: list[dict[str, float]] = []

    @property
    def history(self) -> dict[str, list[float]]:
        """The figures by name, in order of epochs.

        A figure that some epochs lack (validation with `validation_freq=2`) has a shorter list.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=3, verbose=0)
        >>> len(history.history["loss"]), history.history["learning_rate"]
        (3, [0.01, 0.01, 0.01])
        """
        return {name: [row[name] for row in self._rows if name in row] for name in self._names()}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write one line an epoch: `epoch` and the figures; empty cells where an epoch lacks one.

        `FileError` where the file can't be written.

        Parameters
        ----------
        path : str or path
            The file.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> trainer.fit(np.eye(4), np.ones(4), epochs=3, verbose=0).to_csv("curves.csv")
        >>> lm.datasets.csv("curves.csv", target="loss")[0].shape
        (3, 2)
        """
        import csv

        names = self._names()
        with open_text(path, "w") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["epoch", *names])
            for epoch, row in zip(self.epoch, self._rows, strict=True):
                writer.writerow([epoch, *(repr(row[name]) if name in row else "" for name in names)])

    def plot(self, path: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the learning curves, loss and metrics, of training and validation.

        Needs matplotlib. Returns the figure, which a notebook shows; with a path also writes it there, as
        PNG, PDF or SVG by the ending. `FileError` where the file can't be written.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> history = trainer.fit(np.eye(4), np.ones(4), epochs=3, verbose=0)
        >>> figure = history.plot("curves.png")
        """
        from . import plotting

        return plotting.learning_curves(self, path)

    def _append(self, epoch: int, logs: Mapping[str, float]) -> None:
        self.epoch.append(epoch)
        self._rows.append(dict(logs))

    def _amend(self, logs: Mapping[str, Any]) -> None:
        """Take over what callbacks added to the logs of the last epoch."""
        for name, value in logs.items():
            self._rows[-1].setdefault(name, value)

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for row in self._rows for name in row))

    def _series(self, name: str) -> tuple[list[int], list[float]]:
        """Epochs, counted from 1, and values of one figure."""
        pairs = [
            (epoch + 1, row[name]) for epoch, row in zip(self.epoch, self._rows, strict=True) if name in row
        ]
        return [epoch for epoch, _ in pairs], [value for _, value in pairs]

    def __len__(self) -> int:
        return len(self.epoch)

    def __repr__(self) -> str:
        if not self._rows:
            return "History(0 epochs)"
        last = ", ".join(f"{name}={value:.4g}" for name, value in self._rows[-1].items())
        return f"History({len(self)} epochs; last: {last})"
