"""What training by L-BFGS gives, and its arguments."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _core
from ._arguments import _whole
from ._data import Rows
from .errors import ArgumentError


@dataclass(frozen=True)
class LbfgsResult:
    """What `Trainer.fit_lbfgs` did.

    Attributes
    ----------
    loss : float
        The mean loss over all rows at the weights that it ended with, penalties included.
    iterations : int
        Steps taken.
    evaluations : int
        Passes over all rows: loss and gradient.
    last_decrease : float
        By how much the last step made the loss smaller.
    converged : bool
        Whether one of the tolerances ended it.
    message : str
        What ended it, in words.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", seed=0)
    >>> result = trainer.fit_lbfgs(x, 2 * x + 1)
    >>> result.converged, result.message
    (True, 'the gradient is within its tolerance')
    """

    loss: float
    iterations: int
    evaluations: int
    last_decrease: float
    converged: bool
    message: str


def _tolerance(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 <= value < math.inf:
        raise ArgumentError(f"fit_lbfgs: expected {name} to be a finite number >= 0, got {value!r}.")
    return float(value)


def fit_lbfgs(
    session: _core.Session,
    data: Rows,
    *,
    max_iterations: int,
    max_evaluations: int,
    gradient_tolerance: float,
    value_tolerance: float,
    history: int,
    on_iteration: Callable[[int, int, float], Any] | None = None,
) -> LbfgsResult:
    """Train a session's model on all rows."""
    iterations = _whole("max_iterations", max_iterations, 1, "fit_lbfgs")
    evaluations = _whole("max_evaluations", max_evaluations, 1, "fit_lbfgs")
    gradient = _tolerance("gradient_tolerance", gradient_tolerance)
    value = _tolerance("value_tolerance", value_tolerance)
    pairs = _whole("history", history, 1, "fit_lbfgs")
    if on_iteration is not None and not callable(on_iteration):
        raise ArgumentError(f"fit_lbfgs: expected on_iteration to be a function, got {on_iteration!r}.")
    data.check(session)

    def listener(iterations: int, evaluations: int, loss: float) -> bool:
        assert on_iteration is not None
        return on_iteration(iterations, evaluations, loss) is not False

    told = None if on_iteration is None else listener
    done = session.fit_lbfgs(data.dataset, iterations, evaluations, gradient, value, pairs, told)
    return LbfgsResult(**done)
