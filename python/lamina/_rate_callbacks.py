"""Callbacks that set the learning rate; public in `lamina.callbacks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._callback import Callback, Logs, Monitor, _number, _whole
from .errors import ArgumentError


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a figure has stopped improving. Needs a constant learning rate.

    Parameters
    ----------
    monitor : str, default 'val_loss'
        The figure to watch.
    factor : float, default 0.1
        The new rate is the old one times this; below 1.
    patience : int, default 10
        Epochs without improvement after which the rate is lowered.
    verbose : int, default 0
        1 prints what it does.
    mode : 'auto', 'min' or 'max', default 'auto'
        Which values are better.
    min_delta : float, default 1e-4
        Changes of less count as none.
    cooldown : int, default 0
        Epochs to wait after the rate was lowered.
    min_lr : float, default 0.0
        The rate is never lowered below this.

    Raises
    ------
    ArgumentError
        For an argument that is not allowed; by `fit`, for a figure that isn't there and for a learning rate
        that is a schedule.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(1)])
    >>> trainer = lm.Trainer(model, "sgd", "mse", seed=0)
    >>> lower = lm.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.1, patience=1, min_delta=10.0)
    >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=3, callbacks=[lower], verbose=0)
    >>> round(trainer.optimizer.learning_rate, 6)  # 0.01 at first, lowered after epochs 2 and 3
    0.0001
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor = _number("ReduceLROnPlateau", "factor", factor)
        if not 0 < self.factor < 1:
            raise ArgumentError(
                f"ReduceLROnPlateau: expected factor to be a number in (0, 1), got {factor!r}."
            )
        if not min_lr >= 0:
            raise ArgumentError(f"ReduceLROnPlateau: expected min_lr to be at least 0, got {min_lr!r}.")
        self.patience = _whole("ReduceLROnPlateau", "patience", patience)
        self.verbose = verbose
        self.cooldown = _whole("ReduceLROnPlateau", "cooldown", cooldown)
        self.min_lr = _number("ReduceLROnPlateau", "min_lr", min_lr)
        self.best: float = float("nan")
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin anew.

        Examples
        --------
        >>> lower = lm.callbacks.ReduceLROnPlateau("loss")
        >>> lower.on_train_begin()
        >>> lower.best, lower.wait, lower.cooldown_counter
        (inf, 0, 0)
        """
        self.best, self.wait, self.cooldown_counter = self._worst(), 0, 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare with the best, and lower the rate when patience is exhausted.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> lower = lm.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, verbose=1)
        >>> lower.set_trainer(trainer)
        >>> lower.on_train_begin()
        >>> for epoch, loss in enumerate([1.0, 2.0]):
        ...     lower.on_epoch_end(epoch, {"loss": loss})
        Epoch 2: ReduceLROnPlateau lowers the learning rate to 0.005
        """
        value = self._value(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._improves(value, self.best):
            self.best, self.wait = value, 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _check(self) -> None:
        super()._check()
        _constant_rate(self)

    def _reduce(self, epoch: int) -> None:
        old = _constant_rate(self)
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        self.trainer.optimizer.learning_rate = new
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: ReduceLROnPlateau lowers the learning rate to {new:.6g}")
        self.cooldown_counter, self.wait = self.cooldown, 0

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and how long it has waited.

        Examples
        --------
        >>> lower = lm.callbacks.ReduceLROnPlateau("loss")
        >>> lower.on_train_begin()
        >>> lower.state_dict()
        {'best': inf, 'wait': 0, 'cooldown_counter': 0}
        """
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint.

        Examples
        --------
        >>> lower = lm.callbacks.ReduceLROnPlateau("loss")
        >>> lower.load_state_dict({"best": 0.5, "wait": 3, "cooldown_counter": 0})
        >>> lower.best, lower.wait
        (0.5, 3)
        """
        self.best, self.wait, self.cooldown_counter = state["best"], state["wait"], state["cooldown_counter"]


class LearningRateScheduler(Callback):
    """Sets the learning rate before every epoch.

    Parameters
    ----------
    schedule : callable
        `schedule(epoch, learning_rate)` or `schedule(epoch)`, which returns the new rate. Epochs count from
        0.
    verbose : int, default 0
        1 prints the rate.

    Raises
    ------
    ArgumentError
        For what can't be called; by `fit`, for an optimizer that has a schedule already.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(1)])
    >>> trainer = lm.Trainer(model, "sgd", "mse", seed=0)
    >>> halve = lm.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    >>> history = trainer.fit(np.eye(2), np.ones(2), epochs=2, callbacks=[halve], verbose=0)
    >>> history.history["learning_rate"]
    [0.005, 0.0025]
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise ArgumentError(f"LearningRateScheduler: expected a function of the epoch, got {schedule!r}.")
        self.schedule = schedule
        self.verbose = verbose

    def _check(self) -> None:
        _constant_rate(self)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the rate.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> fall = lm.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch), verbose=1)
        >>> fall.set_trainer(trainer)
        >>> fall.on_epoch_begin(3)
        Epoch 4: learning rate 0.025
        >>> trainer.optimizer
        SGD(learning_rate=0.025)
        """
        arguments = (epoch, _constant_rate(self)) if self._takes_rate() else (epoch,)
        self.trainer.optimizer.learning_rate = self.schedule(*arguments)
        rate = _constant_rate(self)
        if self.verbose > 0:
            print(f"Epoch {epoch + 1}: learning rate {rate:.6g}")

    def _takes_rate(self) -> bool:
        import inspect

        try:
            inspect.signature(self.schedule).bind(0, 0.0)
        except TypeError:
            return False
        return True


def _constant_rate(callback: Callback) -> float:
    rate = callback.trainer.optimizer.learning_rate
    if not isinstance(rate, float):
        raise ArgumentError(
            f"{type(callback).__name__}: expected an optimizer with a number as learning_rate, got {rate!r}; "
            "a schedule and this callback would both set the rate."
        )
    return rate
