"""The base class of callbacks, and what those share that watch a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ArgumentError

if TYPE_CHECKING:
    from .model import Sequential
    from .trainer import Trainer

Logs = dict[str, float]

# Metrics that are better when larger; all others of lamina are better when smaller.
_LARGER_IS_BETTER = {
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "Precision",
    "Recall",
    "F1Score",
    "AUC",
    "R2Score",
}


class Callback:
    """Something that `fit` calls as it goes; a callback of your own is a subclass.

    `self.trainer` and `self.model` are set before the first call, `self.params` to a dict of `epochs`,
    `steps`, `batch_size` and `metrics` (the names in the logs). `self.trainer.stop_training = True` ends
    training after the epoch, or after the batch when it is set in a batch's hook. Epochs and batches count
    from 0. Training is fastest when no callback has a batch's hook.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(1)])
    >>> trainer = lm.Trainer(model, "sgd", "mse", seed=0)
    >>> class Announce(lm.callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, sorted(logs))
    >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=2, callbacks=[Announce()], verbose=0)
    0 ['learning_rate', 'loss']
    1 ['learning_rate', 'loss']
    """

    trainer: Trainer
    model: Sequential
    params: dict[str, Any]

    def set_trainer(self, trainer: Trainer) -> None:
        """Take the `trainer` that is about to call.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse")
        >>> callback = lm.callbacks.Callback()
        >>> callback.set_trainer(trainer)
        >>> callback.model is trainer.model
        True
        """
        self.trainer = trainer
        self.model = trainer.model

    def set_params(self, params: dict[str, Any]) -> None:
        """Take `params`: `epochs`, `steps`, `batch_size` and `metrics` of the training to come.

        Examples
        --------
        >>> callback = lm.callbacks.Callback()
        >>> callback.set_params({"epochs": 5, "steps": 1, "batch_size": 32, "metrics": ["loss"]})
        >>> callback.params["epochs"]
        5
        """
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch of a `fit`; `logs` is empty.

        Examples
        --------
        >>> class Announce(lm.callbacks.Callback):
        ...     def on_train_begin(self, logs=None):
        ...         print(self.params["epochs"], "epochs to go")
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=3, callbacks=[Announce()], verbose=0)
        3 epochs to go
        """

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, with its `logs`; not when training ends by an error or by Ctrl-C.

        Examples
        --------
        >>> class Announce(lm.callbacks.Callback):
        ...     def on_train_end(self, logs=None):
        ...         print(sorted(logs))
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=3, callbacks=[Announce()], verbose=0)
        ['learning_rate', 'loss']
        """

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before `epoch`; `logs` is empty.

        Examples
        --------
        >>> class Announce(lm.callbacks.Callback):
        ...     def on_epoch_begin(self, epoch, logs=None):
        ...         print("epoch", epoch)
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=2, callbacks=[Announce()], verbose=0)
        epoch 0
        epoch 1
        """

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After `epoch` and its validation; `logs` holds its figures.

        What is added to `logs` goes to the history.

        Examples
        --------
        >>> class Root(lm.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         logs["rmse"] = logs["loss"] ** 0.5
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> history = trainer.fit(np.eye(2), np.ones(2), callbacks=[Root()], verbose=0)
        >>> list(history.history)
        ['loss', 'learning_rate', 'rmse']
        """

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before `batch`; `logs` is empty.

        Examples
        --------
        >>> class Announce(lm.callbacks.Callback):
        ...     def on_train_batch_begin(self, batch, logs=None):
        ...         print("batch", batch)
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), batch_size=1, callbacks=[Announce()], verbose=0)
        batch 0
        batch 1
        """

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After `batch`; `logs` holds the means of the epoch so far.

        Examples
        --------
        >>> class Announce(lm.callbacks.Callback):
        ...     def on_train_batch_end(self, batch, logs=None):
        ...         print(batch, list(logs))
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), batch_size=1, callbacks=[Announce()], verbose=0)
        0 ['loss']
        1 ['loss']
        """

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before a validation; `logs` is empty.

        Examples
        --------
        >>> class Announce(lm.callbacks.Callback):
        ...     def on_test_begin(self, logs=None):
        ...         print("validation")
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> data = np.eye(2), np.ones(2)
        >>> _ = trainer.fit(*data, validation_data=data, callbacks=[Announce()], verbose=0)
        validation
        """

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After a validation; `logs` holds its figures, without `val_`.

        Examples
        --------
        >>> class Announce(lm.callbacks.Callback):
        ...     def on_test_end(self, logs=None):
        ...         print(list(logs))
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> data = np.eye(2), np.ones(2)
        >>> _ = trainer.fit(*data, validation_data=data, callbacks=[Announce()], verbose=0)
        ['loss']
        """

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint should hold: numbers, strings, lists, dicts and arrays.

        Examples
        --------
        >>> class Count(lm.callbacks.Callback):
        ...     epochs = 0
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.epochs += 1
        ...     def state_dict(self):
        ...         return {"epochs": self.epochs}
        >>> count = Count()
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=3, callbacks=[count], verbose=0)
        >>> count.state_dict()
        {'epochs': 3}
        """
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back the `state` that `state_dict` gave, after `on_train_begin`.

        Examples
        --------
        >>> class Count(lm.callbacks.Callback):
        ...     epochs = 0
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.epochs += 1
        ...     def state_dict(self):
        ...         return {"epochs": self.epochs}
        ...     def load_state_dict(self, state):
        ...         self.epochs = state["epochs"]
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=3, callbacks=[Count()], verbose=0)
        >>> trainer.save("run.safetensors")
        >>> again, count = lm.Trainer.load("run.safetensors"), Count()
        >>> _ = again.fit(np.eye(2), np.ones(2), epochs=5, initial_epoch=3, callbacks=[count], verbose=0)
        >>> count.epochs
        5
        """

    def _wants_batches(self) -> bool:
        cls = type(self)
        return (
            cls.on_train_batch_begin is not Callback.on_train_batch_begin
            or cls.on_train_batch_end is not Callback.on_train_batch_end
        )

    def _needed_logs(self) -> Iterable[str]:
        """Names that must be in the logs; checked before training starts."""
        return ()

    def _check(self) -> None:
        """Raise what can be known to be wrong before training starts; `trainer` and `params` are set."""

    def _close(self) -> None:
        """Let go of files and lines, however training ended."""


class Monitor(Callback):
    """A callback that watches one figure, and knows which of two values is better."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        name = type(self).__name__
        if mode not in ("auto", "min", "max"):
            raise ArgumentError(f"{name}: expected mode to be 'auto', 'min' or 'max', got {mode!r}.")
        if not isinstance(monitor, str):
            raise ArgumentError(f"{name}: expected monitor to be the name of a figure, got {monitor!r}.")
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(_number(name, "min_delta", min_delta))
        self._larger_is_better = False

    def _check(self) -> None:
        """Work out which values are better; `ArgumentError` for a function whose direction nobody told."""
        if self.mode != "auto":
            self._larger_is_better = self.mode == "max"
            return
        direction = self.trainer._direction(self.monitor.removeprefix("val_"))
        if direction is None:
            raise ArgumentError(
                f"{type(self).__name__}: expected mode='min' or mode='max' for monitor='{self.monitor}', "
                "whose better values are not known, got mode='auto'."
            )
        self._larger_is_better = direction == "max"

    def _worst(self) -> float:
        return -math.inf if self._larger_is_better else math.inf

    def _improves(self, value: float, best: float) -> bool:
        if self._larger_is_better:
            return value > best + self.min_delta
        return value < best - self.min_delta

    def _value(self, logs: Mapping[str, float] | None) -> float | None:
        """Return the figure; None in an epoch without validation."""
        logs = logs or {}
        if self.monitor in logs:
            return logs[self.monitor]
        if self.monitor.startswith("val_") and self.monitor in self.params.get("metrics", ()):
            return None
        raise ArgumentError(
            f"{type(self).__name__}: expected monitor to be one of {', '.join(map(repr, logs))}, "
            f"got '{self.monitor}'."
        )

    def _needed_logs(self) -> Iterable[str]:
        return (self.monitor,)


def direction_of(metric_type: str) -> str:
    """Whether a metric of lamina is better when larger ("max") or smaller ("min")."""
    return "max" if metric_type in _LARGER_IS_BETTER else "min"


def _number(owner: str, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise ArgumentError(f"{owner}: expected {name} to be a number, got {value!r}.")
    return float(value)


def _whole(owner: str, name: str, value: Any, least: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(
            f"{owner}: expected {name} to be a whole number of at least {least}, got {value!r}."
        )
    return int(value)
