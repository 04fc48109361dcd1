"""Callbacks: what `fit` calls as it goes. Arguments, defaults and meaning are those of Keras 3.

A figure that a callback watches must exist: `fit` raises `ArgumentError` before it starts, where Keras warns.
"""

from __future__ import annotations

import os
import string
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ._callback import Callback, Logs, Monitor, _number, _whole
from ._files import make_folder, open_text
from ._notebook import LivePlot
from ._progress import Display, display_for
from ._rate_callbacks import LearningRateScheduler, ReduceLROnPlateau
from ._tensorboard import TensorBoard
from .errors import ArgumentError

__all__ = [
    "Callback",
    "EarlyStopping",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "LearningRateScheduler",
    "CSVLogger",
    "TensorBoard",
    "LivePlot",
    "TerminateOnNaN",
    "LambdaCallback",
    "ProgressBar",
]


class EarlyStopping(Monitor):
    """Ends training when a figure has stopped improving.

    Parameters
    ----------
    monitor : str, default 'val_loss'
        The figure to watch: 'loss', 'val_loss', 'val_accuracy', ...
    min_delta : float, default 0
        Changes of less count as none.
    patience : int, default 0
        Epochs without improvement after which training ends.
    verbose : int, default 0
        1 prints what it does.
    mode : 'auto', 'min' or 'max', default 'auto'
        Which values are better; 'auto' knows it for the loss and for the metrics of lamina.
    baseline : float or None, default None
        Patience runs until the figure is better than this, too.
    restore_best_weights : bool, default False
        Whether to end with the weights and statistics of the best epoch rather than those of the last.
    start_from_epoch : int, default 0
        Epochs before this one are not looked at.

    Raises
    ------
    ArgumentError
        For an argument that is not allowed; by `fit`, for a figure that isn't there.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(1)])
    >>> trainer = lm.Trainer(model, "sgd", "mse", seed=0)
    >>> stop = lm.callbacks.EarlyStopping(monitor="loss", patience=2, min_delta=10.0)
    >>> history = trainer.fit(np.eye(2), np.ones(2), epochs=50, callbacks=[stop], verbose=0)
    >>> len(history)  # the first epoch, and two without a gain of 10
    3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = _whole("EarlyStopping", "patience", patience)
        self.verbose = verbose
        self.baseline = None if baseline is None else _number("EarlyStopping", "baseline", baseline)
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = _whole("EarlyStopping", "start_from_epoch", start_from_epoch)
        self.best: float = float("nan")
        self.best_epoch = 0
        self.best_weights: list[np.ndarray[Any, np.dtype[np.float32]]] | None = None
        self.stopped_epoch = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew.

        Examples
        --------
        >>> stop = lm.callbacks.EarlyStopping("loss")
        >>> stop.on_train_begin()
        >>> stop.best, stop.wait
        (inf, 0)
        """
        self.best, self.best_epoch, self.best_weights = self._worst(), 0, None
        self.wait, self.stopped_epoch = 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the best, and end training when patience is exhausted.

        Examples
        --------
        >>> stop = lm.callbacks.EarlyStopping("loss", patience=9)
        >>> stop.on_train_begin()
        >>> for epoch, loss in enumerate([3.0, 1.0, 2.0]):
        ...     stop.on_epoch_end(epoch, {"loss": loss})
        >>> stop.best, stop.best_epoch, stop.wait
        (1.0, 1, 1)
        """
        value = self._value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        better = self._improves(value, self.best)
        if better:
            self.best = value
        if better or (self.restore_best_weights and self.best_weights is None):
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
        if better and (self.baseline is None or self._improves(value, self.baseline)):
            self.wait = 0
            return
        self.wait += 1
        if not better and self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.trainer.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restore the best weights where asked to.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> stop = lm.callbacks.EarlyStopping("loss", mode="max", restore_best_weights=True, verbose=1)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=9, callbacks=[stop], verbose=0)
        Epoch 2: early stopping
        Restoring model weights from the end of the best epoch: 1.
        """
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, its epoch and weights, and how long it has waited.

        Examples
        --------
        >>> sorted(lm.callbacks.EarlyStopping().state_dict())
        ['best', 'best_epoch', 'best_weights', 'wait']
        """
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "wait": self.wait,
            "best_weights": self.best_weights,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Examples
        --------
        >>> stop = lm.callbacks.EarlyStopping()
        >>> stop.load_state_dict({"best": 0.5, "best_epoch": 7, "best_weights": None, "wait": 2})
        >>> stop.best
        0.5
        """
        self.best, self.best_epoch, self.wait = state["best"], state["best_epoch"], state["wait"]
        self.best_weights = state["best_weights"]


class ModelCheckpoint(Monitor):
    """Saves the model as training goes.

    Parameters
    ----------
    filepath : str or path
        Where to; `{epoch}` (from 1), `{batch}` and every figure may stand in it, as in
        'run-{epoch:02d}-{val_loss:.3f}.safetensors'. Missing folders are made.
    monitor : str, default 'val_loss'
        The figure that `save_best_only` watches.
    verbose : int, default 0
        1 prints what it does.
    save_best_only : bool, default False
        Whether to save only when the figure is better than ever before.
    save_weights_only : bool, default False
        Whether to save the weights without the architecture.
    mode : 'auto', 'min' or 'max', default 'auto'
        Which values are better.
    save_freq : 'epoch' or int, default 'epoch'
        When to save: after every epoch, or after so many batches.
    initial_value_threshold : float or None, default None
        The best value so far, to be improved on.

    Raises
    ------
    ArgumentError
        For an argument that is not allowed; by `fit`, for a figure that isn't there.
    FileError
        Where the file can't be written.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(1)])
    >>> trainer = lm.Trainer(model, "sgd", "mse", seed=0)
    >>> keep = lm.callbacks.ModelCheckpoint("best.safetensors", monitor="loss", save_best_only=True)
    >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=2, callbacks=[keep], verbose=0)
    >>> lm.load_model("best.safetensors").output_shape
    (None, 1)
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        if save_freq != "epoch":
            _whole("ModelCheckpoint", "save_freq", save_freq, 1)
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._epoch = 0
        self._batches = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin to count batches. The best value stays, as in Keras.

        Examples
        --------
        >>> keep = lm.callbacks.ModelCheckpoint("best.safetensors", initial_value_threshold=0.5)
        >>> keep.on_train_begin()
        >>> keep.best
        0.5
        """
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch, for the names of files written within it.

        Examples
        --------
        >>> keep = lm.callbacks.ModelCheckpoint("{epoch}-{batch}.safetensors", save_freq=1, verbose=1)
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(1), np.ones(1), callbacks=[keep], verbose=0)
        Epoch 1: saved the model to 1-1.safetensors
        """
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Save after so many batches.

        Examples
        --------
        >>> keep = lm.callbacks.ModelCheckpoint("{batch}.safetensors", save_freq=2, verbose=1)
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(3), np.ones(3), batch_size=1, callbacks=[keep], verbose=0)
        Epoch 1: saved the model to 2.safetensors
        """
        self._batches += 1
        if self.save_freq != "epoch" and self._batches >= int(self.save_freq):
            self._batches = 0
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save after the epoch.

        Examples
        --------
        >>> keep = lm.callbacks.ModelCheckpoint("{epoch:02d}.safetensors", verbose=1)
        >>> keep.set_trainer(lm.Trainer(lm.Sequential([lm.Input((2,)), lm.Dense(1)]), loss="mse"))
        >>> keep.on_epoch_end(6)
        Epoch 7: saved the model to 07.safetensors
        """
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and the batches since the last save.

        Examples
        --------
        >>> lm.callbacks.ModelCheckpoint("best.safetensors", initial_value_threshold=0.5).state_dict()
        {'best': 0.5, 'batches': 0}
        """
        return {"best": self.best, "batches": self._batches}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Examples
        --------
        >>> keep = lm.callbacks.ModelCheckpoint("best.safetensors", save_best_only=True)
        >>> keep.load_state_dict({"best": 0.5, "batches": 0})
        >>> keep.best
        0.5
        """
        self.best, self._batches = state["best"], state["batches"]

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        if self.save_best_only and not self._is_best(epoch, logs):
            return
        names: dict[str, Any] = {"epoch": epoch + 1, **logs}
        if batch is not None:
            names["batch"] = batch + 1
        try:
            path = self.filepath.format(**names)
        except (KeyError, ValueError) as error:
            raise ArgumentError(
                f"ModelCheckpoint: expected a filepath with some of {', '.join(map(repr, names))}, "
                f"got '{self.filepath}'."
            ) from error
        folder = os.path.dirname(path)
        if folder:
            make_folder(folder)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: saved the model to {path}")

    def _is_best(self, epoch: int, logs: Logs) -> bool:
        value = self._value(logs)
        if value is None:
            return False
        best = self._worst() if self.best is None else self.best
        if not self._improves(value, best):
            if self.verbose > 0:
                print(f"Epoch {epoch + 1}: {self.monitor} did not improve from {best:.5f}")
            return False
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: {self.monitor} improved from {best:.5f} to {value:.5f}")
        self.best = value
        return True

    def _check(self) -> None:
        if self.save_best_only:
            super()._check()

    def _wants_batches(self) -> bool:
        return self.save_freq != "epoch" or type(self) is not ModelCheckpoint

    def _needed_logs(self) -> Iterable[str]:
        fields = {
            name.split(".")[0].split("[")[0]
            for _, name, _, _ in string.Formatter().parse(self.filepath)
            if name
        }
        allowed = {"epoch"} if self.save_freq == "epoch" else {"epoch", "batch"}
        return [*([self.monitor] if self.save_best_only else []), *sorted(fields - allowed)]


class CSVLogger(Callback):
    """Writes a line an epoch to a CSV file, as the epoch ends. Epochs count from 0.

    Parameters
    ----------
    filename : str or path
        The file.
    separator : str, default ','
        What stands between two cells.
    append : bool, default False
        Whether to go on with a file that is there. The header is written to an empty file only.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(1)])
    >>> trainer = lm.Trainer(model, "sgd", "mse", seed=0)
    >>> log = lm.callbacks.CSVLogger("log.csv")
    >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=2, callbacks=[log], verbose=0)
    >>> with open("log.csv") as file:
    ...     print(file.readline().strip())
    epoch,loss,learning_rate
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._file: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file, and write the header.

        Examples
        --------
        >>> log = lm.callbacks.CSVLogger("log.csv")
        >>> log.set_params({"metrics": ["loss", "val_loss"]})
        >>> log.on_train_begin()
        >>> log.on_train_end()
        >>> np.loadtxt("log.csv", str).tolist()
        'epoch,loss,val_loss'
        """
        self._close()
        self._file = open_text(self.filename, "a" if self.append else "w")
        if self._file.tell() == 0:
            self._write(["epoch", *self.params["metrics"]])

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write a line; NA for validation figures of an epoch without validation.

        Examples
        --------
        >>> log = lm.callbacks.CSVLogger("log.csv")
        >>> log.set_params({"metrics": ["loss", "val_loss"]})
        >>> log.on_train_begin()
        >>> log.on_epoch_end(0, {"loss": 0.5})
        >>> log.on_train_end()
        >>> np.loadtxt("log.csv", str).tolist()
        ['epoch,loss,val_loss', '0,0.5,NA']
        """
        figures = logs or {}
        self._write([epoch, *(figures.get(name, "NA") for name in self.params["metrics"])])

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the file.

        Examples
        --------
        >>> log = lm.callbacks.CSVLogger("log.csv")
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=2, callbacks=[log], verbose=0)
        >>> len(np.loadtxt("log.csv", str))  # lines, with the header
        3
        """
        self._close()

    def _write(self, cells: list[Any]) -> None:
        import csv

        csv.writer(self._file, delimiter=self.separator, lineterminator="\n").writerow(cells)
        self._file.flush()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class TerminateOnNaN(Callback):
    """Ends training when the loss of a batch is NaN or infinite, before that batch moves the weights.

    The warning names loss, epoch and batch, and the history holds the loss. Without this callback training
    goes on, after the same warning.

    Examples
    --------
    >>> import warnings
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.SGD(1e30), "mse", seed=0)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", lm.NumericalWarning)
    ...     stop = lm.callbacks.TerminateOnNaN()
    ...     history = trainer.fit(np.eye(4), np.ones(4), epochs=9, callbacks=[stop], verbose=0)
    >>> len(history) < 9
    True
    """


class LambdaCallback(Callback):
    """Makes a callback from functions.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable or None
        `f(epoch, logs)`.
    on_train_begin, on_train_end : callable or None
        `f(logs)`.
    on_train_batch_begin, on_train_batch_end : callable or None
        `f(batch, logs)`.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(1)])
    >>> trainer = lm.Trainer(model, "sgd", "mse", seed=0)
    >>> tell = lm.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print("epoch", epoch))
    >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=2, callbacks=[tell], verbose=0)
    epoch 0
    epoch 1
    """

    def __init__(
        self,
        on_epoch_begin: Callable[[int, Logs | None], object] | None = None,
        on_epoch_end: Callable[[int, Logs | None], object] | None = None,
        on_train_begin: Callable[[Logs | None], object] | None = None,
        on_train_end: Callable[[Logs | None], object] | None = None,
        on_train_batch_begin: Callable[[int, Logs | None], object] | None = None,
        on_train_batch_end: Callable[[int, Logs | None], object] | None = None,
    ) -> None:
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        for name, hook in hooks.items():
            if hook is not None and not callable(hook):
                raise ArgumentError(f"LambdaCallback: expected {name} to be a function, got {hook!r}.")
            if hook is not None:
                setattr(self, name, hook)
        self._batches = on_train_batch_begin is not None or on_train_batch_end is not None

    def _wants_batches(self) -> bool:
        return self._batches or super()._wants_batches()


class ProgressBar(Callback):
    """Shows how training goes. `fit` adds one by itself, as its `verbose` says.

    Parameters
    ----------
    verbose : 0, 1, 2 or 'auto', default 'auto'
        0 is silent; 1 a live bar (tqdm where it is installed) with loss, metrics, learning rate, samples per
        second and time left, and a line an epoch; 2 a line an epoch. 'auto' is 1 in a terminal or notebook
        and 2 elsewhere.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(1)])
    >>> trainer = lm.Trainer(model, "sgd", "mse", seed=0)
    >>> _ = trainer.fit(np.eye(2), np.ones(2), callbacks=[lm.callbacks.ProgressBar(verbose=0)])
    """

    def __init__(self, verbose: int | str = "auto") -> None:
        self.verbose = verbose
        self._display: Display = display_for(verbose)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew.

        Examples
        --------
        >>> bar = lm.callbacks.ProgressBar(verbose=0)
        >>> bar.set_params({"epochs": 3})
        >>> bar.on_train_begin()
        """
        self._display.begin_training(self.params["epochs"])

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Show an empty bar.

        Examples
        --------
        >>> bar = lm.callbacks.ProgressBar(verbose=0)
        >>> bar.set_params({"epochs": 3, "samples": 100})
        >>> bar.on_epoch_begin(0)
        """
        self._display.begin_epoch(epoch, self.params.get("samples"))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Show the epoch's line.

        Examples
        --------
        >>> bar = lm.callbacks.ProgressBar(verbose=2)
        >>> bar.set_params({"epochs": 3})
        >>> bar.on_train_begin()
        >>> bar.on_epoch_begin(0)
        >>> bar.on_epoch_end(0, {"loss": 0.5})
        Epoch 1/3 - ... - loss: 0.5
        """
        self._display.end_epoch(logs or {})

    def _update(self, rows: int, learning_rate: float, logs: Logs) -> None:
        self._display.update(rows, learning_rate, logs)

    def _trained(self, rows: int) -> None:
        self._display.trained(rows)

    def _close(self) -> None:
        self._display.close()
