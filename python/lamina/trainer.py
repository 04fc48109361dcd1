"""Training: a model, an optimizer, a loss, metrics, and the one way to bring them together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import _checkpoint, _core
from ._arguments import (
    _ACCURACY,
    AnyMetric,
    _batch_size,
    _check_names,
    _checked_metric,
    _frequency,
    _name_of,
    _truth,
    _whole,
)
from ._callback import Callback, direction_of
from ._checks import _checked_seed
from ._configurable import class_named, find
from ._data import ClassWeight, Rows, rows_of, source_of, validation_of
from ._kinds import Metric, Optimizer
from ._lbfgs import LbfgsResult, fit_lbfgs
from ._loss import Loss
from ._targets import Targets
from ._training import Fit, FitOptions, callback_list, evaluate
from .errors import ArgumentError
from .history import History
from .model import Sequential

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["LbfgsResult", "Trainer"]


class Trainer:
    """Trains a model.

    Parameters
    ----------
    model : Sequential
        The model; it stays the caller's, and `trainer.model` is the same object.
    optimizer : str or Optimizer, default 'adam'
        How the weights move.
    loss : str or Loss
        What is made small: 'sparse_categorical_crossentropy', `lm.losses.Huber(2.0)`, ...
    metrics : iterable of str, Metric or function, default ()
        Figures to tell besides. "accuracy" picks binary, categorical or sparse by the loss and the shapes. A
        function `f(y_true, y_pred)` of a batch returns a number, or one for each row; the figure is the mean
        over rows.
    seed : int or None, default None
        Governs dropout and shuffling, and the initial weights when they were neither drawn, set nor loaded
        before. The same seed gives the same bits, whatever the number of threads. None leaves it to chance.

    Attributes
    ----------
    model, optimizer, loss, metrics
        As given; strings have become objects.
    history : History
        Every epoch of every `fit` so far.
    epoch : int
        The number of the next epoch: that of the last complete one, plus 1.
    stop_training : bool
        Set to True by a callback to end `fit`.

    Raises
    ------
    ArgumentError
        For unknown names, with the nearest known one, and for what does not go together.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> y = 2 * x + 1
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
    >>> history = trainer.fit(x, y, epochs=100, verbose=0)
    >>> trainer.evaluate(x, y)["loss"] < 1e-6
    True
    >>> trainer.model.predict([[0.5]]).round(3)
    array([[2.]], dtype=float32)
    """

    def __init__(
        self,
        model: Sequential,
        optimizer: str | Optimizer = "adam",
        loss: str | Loss | None = None,
        metrics: Iterable[AnyMetric] = (),
        seed: int | None = None,
    ) -> None:
        if not isinstance(model, Sequential):
            raise ArgumentError(f"Trainer: expected a model of lamina, got {model!r}.")
        if loss is None:
            raise ArgumentError("Trainer: expected a loss, such as loss='mse', got none.")
        if isinstance(metrics, (str, Metric)) or callable(metrics):
            metrics = [metrics]
        self.model = model
        self.optimizer = find(Optimizer, optimizer)
        self.loss = find(Loss, loss)
        self.metrics: list[AnyMetric] = [_checked_metric(metric) for metric in metrics]
        _check_names([_name_of(metric) for metric in self.metrics])
        self._seed = _checked_seed(seed)
        self._targets = Targets()
        self._session = self._new_session(model._model())
        self._begin()
        model._in_use = True

    def _begin(self) -> None:
        self.history = History()
        self.epoch = 0
        self.stop_training = False
        self._callbacks: list[Callback] = []  # while fit runs
        # The states of the last fit's callbacks, or of a checkpoint's; then the next fit's get them.
        self._states: list[_checkpoint.CallbackState] = []
        self._pending = False

    # ---- training

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        batch_size: int | str = 32,
        validation_split: float = 0.0,
        validation_data: Any = None,
        validation_batch_size: int | str | None = None,
        validation_freq: int | Sequence[int] = 1,
        shuffle: bool = True,
        class_weight: ClassWeight | None = None,
        sample_weight: ArrayLike | None = None,
        callbacks: Iterable[Callback] | None = None,
        verbose: int | str = "auto",
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
    ) -> History:
        """Train.

        Parameters
        ----------
        x : array of shape (n, ...), or Dataset, or iterable of batches
            Any numeric type. Contiguous rows are read in place, never copied as a whole; memory maps may be
            larger than memory; lists and data frames are converted once. A `lm.data.Dataset` and any other
            iterable yields `(x, y)` or `(x, y, sample_weight)` batches, each one step; then y is None.
        y : array of shape (n,), (n, 1) or (n, k)
            Targets as the loss wants them.
        epochs : int, default 1
            The epoch to train up to; from `initial_epoch`, so usually how many.
        batch_size : int or 'full', default 32
            Rows a step: 1 is stochastic gradient descent, 'full' is gradient descent over all the data. The
            last, smaller batch counts by its size. Not for iterables, but for a Dataset without `batch`.
        validation_split : float, default 0.0
            The last fraction of the rows, before shuffling, is for validation. Not for iterables.
        validation_data : tuple or iterable, default None
            `(x, y)` or `(x, y, sample_weight)`, or an iterable of batches; wins over `validation_split`.
        validation_batch_size : int, 'full' or None, default None
            Rows at a time in validation; None is `batch_size`.
        validation_freq : int or list of int, default 1
            Validate after every so many epochs, or after the epochs listed, counted from 1.
        shuffle : bool, default True
            Whether to visit the rows in a new order every epoch. Not for iterables.
        class_weight : dict or None, default None
            Factor of the loss of each class; 1 for classes that are not in it.
        sample_weight : array of shape (n,) or None, default None
            Factor of the loss of each row.
        callbacks : iterable of Callback or None, default None
            Called as training goes, see `lamina.callbacks`.
        verbose : 0, 1, 2 or 'auto', default 'auto'
            0 is silent, 1 a live bar, 2 a line an epoch; 'auto' is 1 in a terminal or notebook, else 2.
        initial_epoch : int, default 0
            The epoch to begin with, to go on with an earlier training.
        steps_per_epoch : int or None, default None
            Batches an epoch takes from an iterable; None takes all.

        Returns
        -------
        History
            The figures of the epochs trained.

        Raises
        ------
        ShapeError, DTypeError, DataError, ArgumentError
            For data and arguments that don't fit; whatever can be checked beforehand is, and changes nothing.
        KeyboardInterrupt
            After the step in hand, when interrupted; model, `trainer.history` and `trainer.epoch` hold what
            was done.

        Warns
        -----
        NumericalWarning
            When the loss becomes NaN or infinite, once.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
        >>> history = trainer.fit(x, y, epochs=3, batch_size=16, validation_split=0.25, verbose=0)
        >>> list(history.history)
        ['loss', 'val_loss', 'learning_rate']
        >>> len(history)
        3
        """
        options = FitOptions(
            _whole("epochs", epochs),
            _whole("initial_epoch", initial_epoch),
            _batch_size("batch_size", batch_size),
            _batch_size(
                "validation_batch_size",
                batch_size if validation_batch_size is None else validation_batch_size,
            ),
            _frequency(validation_freq),
            _truth("shuffle", shuffle),
            None if steps_per_epoch is None else _whole("steps_per_epoch", steps_per_epoch, 1),
            class_weight,
        )
        every = callback_list(callbacks, verbose)
        data = source_of(x, y, sample_weight, "fit", options.batch_size)
        if isinstance(data, Rows) and steps_per_epoch is not None:
            raise ArgumentError(
                "fit: expected steps_per_epoch with an iterable of batches only, got it with arrays."
            )
        validation = (
            None if validation_data is None else validation_of(validation_data, options.validation_batch_size)
        )
        if validation is None and validation_split != 0.0:
            if not isinstance(data, Rows):
                raise ArgumentError(
                    "fit: expected validation_split with arrays only, got it with an iterable."
                )
            data, validation = data.split(validation_split)
        return Fit(self, data, validation, every, options).run()

    def train_on_batch(
        self, x: Any, y: Any, sample_weight: ArrayLike | None = None, class_weight: ClassWeight | None = None
    ) -> dict[str, float]:
        """Take one step on a batch. Returns the batch's loss and metrics, from before the step.

        Parameters
        ----------
        x, y : array
            The batch, as in `fit`: `(n, ...)`, and targets as the loss wants them.
        sample_weight : array of shape (n,) or None, default None
            Factor of the loss of each row.
        class_weight : dict or None, default None
            Factor of the loss of each class.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
        >>> list(trainer.train_on_batch(x, y))
        ['loss']
        """
        batch = rows_of(x, y, sample_weight)
        batch.check(self._session, class_weight)
        self._session.begin_epoch()
        self._targets.dtype = batch.y.dtype
        self._session.train_batch(batch.dataset, False)
        return self._ordered(self._session.epoch_logs())

    # ---- looking

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        batch_size: int | str = 32,
        sample_weight: ArrayLike | None = None,
        verbose: int | str = 0,
        use_ema: bool = False,
    ) -> dict[str, float]:
        """Return loss and metrics over all rows, as `{"loss": ..., "accuracy": ...}`.

        Parameters are those of `fit`; `use_ema` takes the moving average of the weights (`StateError` without
        one). The loss includes penalties. It moves nothing; a model that is not built yet is built.

        Parameters
        ----------
        x, y : array, or an iterable of batches as x
            As in `fit`.
        batch_size : int or 'full', default 32
            Rows at a time; it changes memory and speed, not the loss.
        sample_weight : array of shape (n,) or None, default None
            Factor of the loss of each row.
        verbose : int, default 0
            1 prints the figures.
        use_ema : bool, default False
            Whether to take the moving average of the weights.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
        >>> trainer = lm.Trainer(trainer.model, "adam", "mse", metrics=["mae", "r2"])
        >>> list(trainer.evaluate(x, y))
        ['loss', 'mae', 'r2']
        """
        rows = _batch_size("batch_size", batch_size)
        data = source_of(x, y, sample_weight, "evaluate", rows)
        data.check(self._session)
        logs = evaluate(self, data, rows, _truth("use_ema", use_ema))
        if verbose not in (0, "auto"):
            print(" - ".join(f"{name}: {value:.4g}" for name, value in logs.items()))
        return logs

    def test_on_batch(self, x: Any, y: Any, sample_weight: ArrayLike | None = None) -> dict[str, float]:
        """Return a batch's loss and metrics; moves nothing.

        Parameters
        ----------
        x, y : array
            The batch, as in `fit`: `(n, ...)`, and targets as the loss wants them.
        sample_weight : array of shape (n,) or None, default None
            Factor of the loss of each row.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
        >>> list(trainer.test_on_batch(x, y))
        ['loss']
        """
        batch = rows_of(x, y, sample_weight)
        batch.check(self._session)
        return evaluate(self, batch, len(batch))

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = 0) -> NDArray[np.float32]:
        """`model.predict`.

        Parameters
        ----------
        x, batch_size, verbose
            As in `Sequential.predict`.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
        >>> _ = trainer.fit(x, y, verbose=0)
        >>> trainer.predict(x).shape
        (64, 1)
        """
        return self.model.predict(x, batch_size, verbose)

    def value_and_gradient(
        self, x: Any, y: Any, sample_weight: ArrayLike | None = None, training: bool = False
    ) -> tuple[float, NDArray[np.float32]]:
        """Return the mean loss over all rows and its gradient by `model.flat_parameters`; moves nothing.

        Penalties are included. With `training=False` dropout is off and batch normalization uses its moving
        statistics, so that it is a plain function of the weights; an optimizer from elsewhere can drive it.

        Parameters
        ----------
        x, y : array
            All rows, `(n, ...)`, and their targets.
        sample_weight : array of shape (n,) or None, default None
            Factor of the loss of each row.
        training : bool, default False
            Whether dropout is on and batch normalization uses the statistics of these rows.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
        >>> value, gradient = trainer.value_and_gradient(x, y)
        >>> gradient.shape == trainer.model.flat_parameters.shape
        True
        """
        data = rows_of(x, y, sample_weight)
        data.check(self._session)
        self._targets.dtype = data.y.dtype
        value, gradient = self._session.value_and_gradient(data.dataset, _truth("training", training))
        return value, gradient

    def fit_lbfgs(
        self,
        x: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        max_iterations: int = 15000,
        max_evaluations: int = 15000,
        gradient_tolerance: float = 1e-5,
        value_tolerance: float = 2.220446049250313e-09,
        history: int = 10,
        on_iteration: Callable[[int, int, float], Any] | None = None,
    ) -> LbfgsResult:
        """Train by L-BFGS: few, long steps, each of them after passes over all rows.

        For small data and networks, it needs far fewer passes than the optimizers of `fit`. It makes small
        what `value_and_gradient` returns: dropout is off, and batch normalization uses the statistics that it
        has. The trainer's optimizer takes no part, and no epoch is counted. Steps and tests of convergence
        are those of SciPy's L-BFGS-B (Nocedal 1980; line search of Moré and Thuente 1994).

        Parameters
        ----------
        x, y : array
            All rows, `(n, ...)`, and their targets.
        sample_weight : array of shape (n,) or None, default None
            Factor of the loss of each row.
        max_iterations, max_evaluations : int, default 15000
            Steps and passes over the rows, at most; looked at between two steps.
        gradient_tolerance : float, default 1e-5
            Ends where no element of the gradient is larger.
        value_tolerance : float, default 2.2e-9
            Ends where a step makes the loss smaller by no more than this part of it, or of 1.
        history : int, default 10
            Steps that the shape of the loss is learnt from.
        on_iteration : function or None, default None
            `f(iterations, evaluations, loss)`, called after each step; returning False ends training.

        Raises
        ------
        ArgumentError
            For limits out of range, and for a model with constraints, which it would not keep.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(8, "tanh"), lm.Dense(1)]), loss="mse", seed=0)
        >>> result = trainer.fit_lbfgs(x, np.sin(3 * x))
        >>> result.loss < 1e-4
        True
        """
        data = rows_of(x, y, sample_weight)
        self._targets.dtype = data.y.dtype
        return fit_lbfgs(
            self._session,
            data,
            max_iterations=max_iterations,
            max_evaluations=max_evaluations,
            gradient_tolerance=gradient_tolerance,
            value_tolerance=value_tolerance,
            history=history,
            on_iteration=on_iteration,
        )

    @contextmanager
    def ema_weights(self) -> Iterator[Sequential]:
        """Put the moving average of the weights into the model, for the length of a `with` block.

        `StateError` without an optimizer with `use_ema=True`, and before the first step.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> averaging = lm.optimizers.Adam(0.1, use_ema=True)
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), averaging, "mse", seed=0)
        >>> _ = trainer.fit(x, y, verbose=0)
        >>> with trainer.ema_weights() as averaged:
        ...     averaged.save("averaged.safetensors")
        """
        self._session.swap_ema()
        try:
            yield self.model
        finally:
            self._session.swap_ema()

    # ---- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint: model, optimizer, random state, epoch, history, states of the last callbacks.

        It is a model file, too: `load_model` reads it. `FileError` when the path can't be written,
        `StateError` before the model is built.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
        >>> _ = trainer.fit(x, y, epochs=2, verbose=0)
        >>> trainer.save("run.safetensors")
        """
        metadata, tensors = _checkpoint.pack(_checkpoint.record_of(self))
        self._session.save(os.fspath(path), {**self.model.metadata, **metadata}, tensors)

    @staticmethod
    def load(
        path: str | os.PathLike[str],
        callbacks: Iterable[Callback] | None = None,
        custom_objects: Mapping[str, Any] | None = None,
    ) -> Trainer:
        """Read a checkpoint, to go on with `fit(..., initial_epoch=trainer.epoch)` as if never stopped.

        Parameters
        ----------
        path : str or path
            A file that `save` wrote.
        callbacks : iterable of Callback or None, default None
            Given their states now. The callbacks of the next `fit` get them in any case, matched by class and
            position.
        custom_objects : dict or None, default None
            The losses, metrics and schedules written in Python, by their names: classes, objects, functions.

        Raises
        ------
        FileError, FormatError
            When the file can't be read, or is damaged or no checkpoint.
        ArgumentError
            When custom_objects lacks something.

        Examples
        --------
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> y = 2 * x + 1
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), lm.optimizers.Adam(0.1), "mse", seed=0)
        >>> _ = trainer.fit(x, y, epochs=2, verbose=0)
        >>> trainer.save("run.safetensors")
        >>> trainer = lm.Trainer.load("run.safetensors")
        >>> history = trainer.fit(x, y, epochs=5, initial_epoch=trainer.epoch, verbose=0)
        >>> history.epoch
        [2, 3, 4]
        """
        text = os.fspath(path)
        targets = Targets()
        custom = _checkpoint.callables_for(text, custom_objects, targets)
        session, metadata, tensors = _core.Session.load(text, custom)
        record = _checkpoint.unpack(metadata, tensors)
        self = Trainer.__new__(Trainer)
        self._session, self._targets = session, targets
        self.model = Sequential._wrap(session.model(), metadata)
        self.optimizer, self.loss, metrics = _checkpoint.parts_of(session, custom_objects or {})
        order = {name: i for i, name in enumerate(record.metrics)}
        self.metrics = sorted(metrics, key=lambda metric: order.get(_name_of(metric), len(order)))
        self._seed = session.seed()
        self._begin()
        self.epoch, self.history = record.epoch, record.history
        self._states, self._pending = record.callbacks, True
        if callbacks is not None:
            _checkpoint.hand_out(self._states, list(callbacks))
        return self

    def __repr__(self) -> str:
        parts = f"optimizer={self.optimizer!r}, loss={self.loss!r}, metrics={self.metrics!r}"
        return f"Trainer({self.model!r}, {parts})"

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError(
            "A Trainer can't be pickled; trainer.save(path) and Trainer.load(path) do it by a file."
        )

    # ---- inside

    def _new_session(self, model: _core.Model) -> _core.Session:
        metrics = [
            metric if isinstance(metric, str) else _checkpoint.metric_of(metric, self._targets)
            for metric in self.metrics
        ]
        loss = self.loss._core_loss(self._targets)
        return _core.Session(model, self.optimizer._handle, [loss], [metrics], self._seed)

    def _probe(self) -> _core.Session:
        """Return a session on a copy of the model, to try data with."""
        return self._new_session(self.model._model().clone())

    def _hand_out_states(self, callbacks: Sequence[Callback]) -> None:
        """Give the states of a checkpoint to the callbacks of the first `fit` after it."""
        if self._pending:
            _checkpoint.hand_out(self._states, callbacks)
        self._pending = False

    def _keep_states(self) -> None:
        """Note the states of the callbacks, and let go of them, as they hold the trainer."""
        self._states = _checkpoint.states_of(self._callbacks)
        self._callbacks = []

    def _ordered(self, logs: Mapping[str, float]) -> dict[str, float]:
        """Return the loss, then the metrics in the order in which they were given."""
        return {name: logs[name] for name in ("loss", *self._metric_names())}

    def _metric_names(self) -> list[str]:
        return [_name_of(metric) for metric in self.metrics]

    def _direction(self, name: str) -> str | None:
        """Whether a figure is better small ("min") or large ("max"); None when nobody knows."""
        if name in ("loss", "learning_rate"):
            return "min"
        for metric in self.metrics:
            if _name_of(metric) != name:
                continue
            if isinstance(metric, str):
                return "max" if metric in _ACCURACY else direction_of(class_named("metric", metric).__name__)
            return direction_of(type(metric).__name__) if isinstance(metric, Metric) else None
        return None
