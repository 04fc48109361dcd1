"""The loop of `Trainer.fit`: epochs over the core's session, and callbacks around them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from . import _core
from ._callback import Logs
from ._data import Batches, ClassWeight, Rows, Source
from .callbacks import Callback, ProgressBar, TerminateOnNaN
from .errors import ArgumentError, NumericalWarning
from .history import History

if TYPE_CHECKING:
    from .trainer import Trainer

    Poll = Callable[[int, int, int, float, Logs], bool]

_POLL_SECONDS = 0.05
_USER_FRAME = 5  # of warnings: this file's and fit's calls lie between


@dataclass(frozen=True)
class FitOptions:
    """The numbers that `fit` was given, checked."""

    epochs: int
    initial_epoch: int
    batch_size: int | str
    validation_batch_size: int | str
    validation_freq: int | Sequence[int]
    shuffle: bool
    steps_per_epoch: int | None
    class_weight: ClassWeight | None

    def validates(self, epoch: int) -> bool:
        """Whether validation is due after an epoch, counted from 0."""
        if isinstance(self.validation_freq, int):
            return (epoch + 1) % self.validation_freq == 0
        return epoch + 1 in self.validation_freq


@dataclass
class Hooks:
    """What a pass over the training data calls."""

    poll: Poll
    batch_begin: Callable[[int], bool] | None
    batch_end: Callable[[int, Logs], bool] | None
    stop_on_nan: bool


class Fit:
    """One call of `fit`."""

    def __init__(
        self,
        trainer: Trainer,
        data: Source,
        validation: Source | None,
        callbacks: list[Callback],
        options: FitOptions,
    ) -> None:
        self.trainer = trainer
        self.session = trainer._session
        self.data = data
        self.validation = validation
        self.callbacks = callbacks
        self.options = options
        self.bars = [callback for callback in callbacks if isinstance(callback, ProgressBar)]
        # bars first: what others print comes below the epoch's line
        self.at_epoch_end = [*self.bars, *(callback for callback in callbacks if callback not in self.bars)]
        self.terminates = any(isinstance(callback, TerminateOnNaN) for callback in callbacks)
        self.warned = False
        self.history = History()

    def run(self) -> History:
        """Check everything, then train."""
        self.trainer.stop_training = False
        with ExitStack() as at_end:
            for source in (self.data, self.validation):
                if isinstance(source, Batches):
                    at_end.callback(source.close)
            self._prepare()
            self.history = History(self.params)
            self.trainer._callbacks = self.callbacks
            self.hooks = self._hooks()
            at_end.callback(self._close)
            logs: Logs = {}
            for callback in self.callbacks:
                callback.on_train_begin({})
            self.trainer._hand_out_states(self.callbacks)
            for epoch in range(self.options.initial_epoch, self.options.epochs):
                logs = self._epoch(epoch)
                if self.trainer.stop_training:
                    break
            for callback in self.callbacks:
                callback.on_train_end(logs)
        return self.history

    def _close(self) -> None:
        for callback in self.callbacks:
            callback._close()
        self.trainer._keep_states()

    # ---- before training

    def _prepare(self) -> None:
        """Check data and callbacks; a model that is not built yet is built only when all of it is right."""
        options, epochs = self.options, self.options.epochs - self.options.initial_epoch
        if isinstance(self.data, Batches):
            self.data.check_epochs(epochs, options.steps_per_epoch)
            self.data.passes = options.initial_epoch
        if isinstance(self.validation, Batches):
            validations = sum(map(options.validates, range(options.initial_epoch, options.epochs)))
            self.validation.check_epochs(validations, None)
        built = self.session.model().built()
        session = self.session if built else self.trainer._probe()
        self.data.check(session, options.class_weight)
        if self.validation is not None:
            self.validation.check(session)
        self._check_callbacks(session)
        if not built:
            self.data.build(self.session)

    def _check_callbacks(self, session: _core.Session) -> None:
        names = list(self.trainer._ordered(dict.fromkeys(["loss", *session.metric_names()], 0.0)))
        if self.validation is not None:
            names += [f"val_{name}" for name in names]
        names.append("learning_rate")
        samples: int | None = None
        steps = self.options.steps_per_epoch
        if isinstance(self.data, Rows):
            samples = len(self.data)
            steps = math.ceil(samples / self._rows(self.options.batch_size, samples))
        elif steps is None:
            samples, steps = self.data.rows, self.data.steps
        self.params = {
            "epochs": self.options.epochs,
            "steps": steps,
            "batch_size": self.options.batch_size,
            "metrics": names,
            "samples": samples,
        }
        may_add = False  # a callback of the user's may add figures that later ones look at
        for callback in self.callbacks:
            callback.set_trainer(self.trainer)
            callback.set_params(self.params)
            for name in callback._needed_logs():
                if name not in names and not may_add:
                    raise ArgumentError(
                        f"{type(callback).__name__}: expected one of {', '.join(map(repr, names))}, "
                        f"got '{name}'{self._hint(name)}."
                    )
            callback._check()
            own = type(callback).__module__.startswith("lamina.")
            may_add = may_add or not own

    def _hint(self, name: str) -> str:
        return " without validation data" if name.startswith("val_") and self.validation is None else ""

    # ---- one epoch

    def _epoch(self, epoch: int) -> Logs:
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, {})
        result = self._train(epoch)
        for bar in self.bars:
            bar._trained(result["rows"])
        logs = self.trainer._ordered(result["logs"])
        nan_batch = result["first_nan_batch"]
        if nan_batch is not None:
            self._warn(epoch, nan_batch)
        ended_by_nan = nan_batch is not None and self.terminates
        if self.validation is not None and self.options.validates(epoch) and not ended_by_nan:
            logs.update({f"val_{name}": value for name, value in self._validate().items()})
        logs["learning_rate"] = result["learning_rate"]
        self.trainer.epoch = epoch + 1
        for history in (self.history, self.trainer.history):
            history._append(epoch, logs)
        for callback in self.at_epoch_end:
            callback.on_epoch_end(epoch, logs)
        for history in (self.history, self.trainer.history):
            history._amend(logs)
        return logs

    def _train(self, epoch: int) -> _core.EpochResult:
        hooks = self.hooks
        if isinstance(self.data, Batches):
            return train_on_stream(self.trainer, self.data, self.options.steps_per_epoch, hooks)
        self.trainer._targets.dtype = self.data.y.dtype
        return self.session.train_epoch(
            self.data.dataset,
            self._rows(self.options.batch_size, len(self.data)),
            epoch,
            self.options.shuffle,
            hooks.stop_on_nan,
            hooks.poll,
            hooks.batch_begin,
            hooks.batch_end,
        )

    def _hooks(self) -> Hooks:
        trainer = self.trainer
        listeners = [callback for callback in self.callbacks if callback._wants_batches()]

        def poll(batch: int, batches: int, rows: int, learning_rate: float, logs: Logs) -> bool:
            for bar in self.bars:
                bar._update(rows, learning_rate, trainer._ordered(logs))
            return not trainer.stop_training

        def begin(batch: int) -> bool:
            for callback in listeners:
                callback.on_train_batch_begin(batch, {})
            return not trainer.stop_training

        def end(batch: int, logs: Logs) -> bool:
            for callback in listeners:
                callback.on_train_batch_end(batch, trainer._ordered(logs))
            return not trainer.stop_training

        return Hooks(poll, begin if listeners else None, end if listeners else None, self.terminates)

    def _validate(self) -> Logs:
        assert self.validation is not None
        for callback in self.callbacks:
            callback.on_test_begin({})
        logs = evaluate(self.trainer, self.validation, self.options.validation_batch_size)
        for callback in self.callbacks:
            callback.on_test_end(logs)
        return logs

    def _warn(self, epoch: int, batch: int) -> None:
        if self.terminates:
            self.trainer.stop_training = True
        if self.warned:
            return
        self.warned = True
        what = f"The loss became NaN or infinite in epoch {epoch + 1}, batch {batch + 1}"
        advice = (
            "training ended before that batch moved the weights."
            if self.terminates
            else "a smaller learning rate, clipnorm, or the TerminateOnNaN callback helps."
        )
        warnings.warn(f"{what}; {advice}", NumericalWarning, stacklevel=_USER_FRAME)

    def _rows(self, batch_size: int | str, rows: int) -> int:
        return rows if isinstance(batch_size, str) else batch_size


def train_on_stream(trainer: Trainer, data: Batches, steps: int | None, hooks: Hooks) -> _core.EpochResult:
    """Train on one pass over a stream, batch by batch."""
    session = trainer._session
    session.begin_epoch()
    rows, stopped, nan_batch = 0, False, None
    last_poll = perf_counter()
    for index, batch in enumerate(data.batches(session, steps)):
        if hooks.batch_begin is not None and not hooks.batch_begin(index):
            stopped = True
            break
        trainer._targets.dtype = batch.y.dtype
        logs = session.train_batch(batch.dataset, hooks.stop_on_nan)
        rows += len(batch)
        if not math.isfinite(logs["loss"]):
            nan_batch = index if nan_batch is None else nan_batch
            stopped = stopped or hooks.stop_on_nan
        if not stopped and hooks.batch_end is not None:
            stopped = not hooks.batch_end(index, session.epoch_logs())
        if not stopped and perf_counter() - last_poll >= _POLL_SECONDS:
            stopped = not hooks.poll(
                index + 1, steps or 0, rows, session.learning_rate(), session.epoch_logs()
            )
            last_poll = perf_counter()
        if stopped:
            break
    return {
        "logs": session.epoch_logs(),
        "learning_rate": session.learning_rate(),
        "rows": rows,
        "stopped": stopped,
        "first_nan_batch": nan_batch,
    }


def evaluate(trainer: Trainer, data: Source, batch_size: int | str, use_ema: bool = False) -> Logs:
    """Loss and metrics over all rows."""
    session = trainer._session
    if isinstance(data, Rows):
        trainer._targets.dtype = data.y.dtype
        rows = len(data) if isinstance(batch_size, str) else batch_size
        return trainer._ordered(session.evaluate(data.dataset, rows, use_ema, None))
    session.begin_epoch()
    try:
        for batch in data.batches(session):
            trainer._targets.dtype = batch.y.dtype
            session.evaluate_batch(batch.dataset, use_ema)
    finally:
        data.close()
    return trainer._ordered(session.epoch_logs())


def callback_list(callbacks: Any, verbose: int | str) -> list[Callback]:
    """Return the user's callbacks, and a progress bar unless there is one."""
    if callbacks is None:
        callbacks = []
    if isinstance(callbacks, Callback):
        callbacks = [callbacks]
    result = list(callbacks)
    for callback in result:
        if not isinstance(callback, Callback):
            hint = "; it is a class: call it" if isinstance(callback, type) else ""
            raise ArgumentError(
                f"fit: expected objects of lamina.callbacks as callbacks, got {callback!r}{hint}."
            )
    if not any(isinstance(callback, ProgressBar) for callback in result):
        result.append(ProgressBar(verbose))
    return result
