"""What initializers, regularizers, constraints, schedules, optimizers and metrics can do in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from . import _core
from ._arrays import as_float32, as_rows
from ._configurable import Configurable
from .errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Initializer(Configurable):
    """Draws the initial values of a weight.

    Examples
    --------
    >>> lm.initializers.Ones()((2, 2))
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """

    _kind = "initializer"
    _handle: _core.Initializer

    def __call__(self, shape: int | Sequence[int], seed: int = 0) -> NDArray[np.float32]:
        """Draw an array of a shape; the same seed gives the same numbers. An initializer's own seed wins."""
        extents = (shape,) if isinstance(shape, (int, np.integer)) else shape
        return self._handle.draw(tuple(int(extent) for extent in extents), int(seed))


class Regularizer(Configurable):
    """A penalty on weights: `l1 * sum|w| + l2 * sum(w^2)`, added to the loss.

    Examples
    --------
    >>> lm.regularizers.L1L2(l1=1.0, l2=1.0)([-1, 2])  # 3 + 5
    8.0
    """

    _kind = "regularizer"
    _handle: _core.Regularizer

    def __call__(self, w: ArrayLike) -> float:
        """Return the penalty of an array of any shape."""
        return self._handle.penalty(as_float32(w, "w"))


class Constraint(Configurable):
    """Moves weights to the nearest that are allowed, after every update.

    Examples
    --------
    >>> lm.constraints.NonNeg()([-1, 2])
    array([0., 2.], dtype=float32)
    """

    _kind = "constraint"
    _handle: _core.Constraint

    def __call__(self, w: ArrayLike) -> NDArray[np.float32]:
        """Return what an array becomes, as a new array."""
        return self._handle.apply(as_float32(w, "w").copy())


class Schedule(Configurable):
    """A learning rate as a function of the step. A subclass with `__call__(self, step)` is one too.

    Examples
    --------
    >>> class Staircase(lm.schedules.Schedule):
    ...     def __call__(self, step):
    ...         return 0.1 / (1 + step // 100)
    >>> Staircase()(250)
    0.03333333333333333
    >>> optimizer = lm.optimizers.SGD(Staircase())
    """

    _kind = "schedule"
    _handle: _core.Schedule

    def __call__(self, step: int) -> float:
        """Return the learning rate at a step, 0 for the first update."""
        if type(self)._schema is None:
            raise NotImplementedError(f"{type(self).__name__}: expected a method __call__(self, step).")
        return self._handle.rate(int(step))


LearningRate = float | Schedule | Callable[[int], float]


class Optimizer(Configurable):
    """A rule that moves the weights along their gradient.

    Examples
    --------
    >>> optimizer = lm.optimizers.get("adam")
    >>> optimizer.learning_rate
    0.001
    """

    _kind = "optimizer"
    _handle: _core.Optimizer
    _callable: Callable[[int], float] | None = None  # a learning rate written in Python

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        function = None
        if args and is_python_schedule(args[0]):
            function, args = args[0], (0.0, *args[1:])
        elif is_python_schedule(kwargs.get("learning_rate")):
            function = kwargs.pop("learning_rate")
        super().__init__(*args, **kwargs)
        if function is not None:
            self.learning_rate = function

    @property
    def learning_rate(self) -> LearningRate:
        """The learning rate: a float, a `Schedule`, or a function of the step. May be set at any time.

        Examples
        --------
        >>> optimizer = lm.optimizers.Adam(0.01)
        >>> optimizer.learning_rate = 0.5
        >>> optimizer
        Adam(learning_rate=0.5)
        """
        if self._callable is not None:
            return self._callable
        rate: LearningRate = self.__getattr__("learning_rate")
        return rate

    @learning_rate.setter
    def learning_rate(self, rate: LearningRate) -> None:
        if is_python_schedule(rate):
            self._handle.set_learning_rate(core_schedule(rate))
            self._callable = cast("Callable[[int], float]", rate)
            return
        if isinstance(rate, Schedule):
            self._handle.set_learning_rate(rate._handle)
        else:
            if isinstance(rate, (bool, str)) or not hasattr(rate, "__float__"):
                raise ArgumentError(
                    f"{type(self).__name__}: expected learning_rate to be a number, a schedule or "
                    f"a function of the step, got {rate!r}."
                )
            self._handle.set_learning_rate(float(cast("float", rate)))
        self._callable = None

    def get_config(self) -> dict[str, Any]:
        """All hyperparameters by name; nested objects as `{"class_name": ..., "config": {...}}`.

        A learning rate written in Python stands there as that function.

        Examples
        --------
        >>> optimizer = lm.optimizers.SGD(lm.schedules.ExponentialDecay(0.1, 10, 0.5), momentum=0.9)
        >>> config = optimizer.get_config()
        >>> config["momentum"], config["learning_rate"]["class_name"]
        (0.9, 'ExponentialDecay')
        """
        config = super().get_config()
        if self._callable is not None:
            config["learning_rate"] = self._callable
        return config


def is_python_schedule(rate: Any) -> bool:
    """Whether a learning rate is written in Python: any callable but the schedules of the core."""
    if isinstance(rate, type):
        return False
    return callable(rate) and (not isinstance(rate, Schedule) or type(rate)._schema is None)


def core_schedule(function: Any) -> _core.Schedule:
    """Return a learning rate written in Python as the core takes it."""
    return _core.Schedule.from_callable(function, callable_name(function))


def callable_name(function: Any) -> str:
    """Return what a user's function or object is called in files and messages."""
    return str(getattr(function, "__name__", type(function).__name__))


class Metric(Configurable):
    """A figure over all rows of an epoch, computed without weights.

    Examples
    --------
    >>> lm.metrics.get("mae")([0, 0], [1, 3])
    2.0
    """

    _kind = "metric"
    _handle: _core.Metric

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike) -> float:
        """Return the metric of predictions (n, ...) against y_true as given to `fit`."""
        return self._handle.evaluate(as_rows(y_true, "y_true"), as_float32(y_pred, "y_pred"))

    @property
    def name(self) -> str:
        """Its key in the history.

        Examples
        --------
        >>> lm.metrics.RootMeanSquaredError().name
        'root_mean_squared_error'
        """
        return self._handle.name()
