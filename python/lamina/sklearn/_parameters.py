"""Checks of an estimator's parameters, before anything is done with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np

from .. import activations
from .._callback import Callback
from .._configurable import names_of, unknown
from .._kinds import Optimizer, Schedule
from .._loss import Loss
from ..errors import ArgumentError

SOLVERS = ("lbfgs", "sgd", "adam")
RATES = ("constant", "invscaling", "adaptive")
ACTIVATIONS = {"identity": "linear", "logistic": "sigmoid"}  # scikit-learn's names of lamina's

_Check = tuple[Callable[[Any], bool], str]


def _is_number(value: Any) -> bool:
    if _is_truth(value) or not isinstance(value, Real):
        return False
    return isinstance(value, Integral) or math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return not _is_truth(value) and isinstance(value, Integral)


def _is_truth(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


_TRUTH: _Check = (_is_truth, "True or False")
_NOT_NEGATIVE: _Check = (lambda v: _is_number(v) and v >= 0, "a number of at least 0")
_POSITIVE: _Check = (lambda v: _is_number(v) and v > 0, "a number above 0")
_FRACTION: _Check = (lambda v: _is_number(v) and 0 <= v < 1, "a number in [0, 1)")
_COUNT: _Check = (lambda v: _is_whole(v) and v >= 1, "a whole number of at least 1")

_CHECKS: dict[str, _Check] = {
    "alpha": _NOT_NEGATIVE,
    "l1": _NOT_NEGATIVE,
    "batch_size": (
        lambda v: v == "auto" if isinstance(v, str) else _is_whole(v) and v >= 1,
        "'auto' or a whole number of at least 1",
    ),
    "learning_rate_init": _POSITIVE,
    "power_t": _NOT_NEGATIVE,
    "max_iter": _COUNT,
    "shuffle": _TRUTH,
    "tol": _NOT_NEGATIVE,
    "verbose": (
        lambda v: _is_truth(v) or (_is_whole(v) and v >= 0),
        "a truth value or a level of at least 0",
    ),
    "warm_start": _TRUTH,
    "momentum": (lambda v: _is_number(v) and 0 <= v <= 1, "a number in [0, 1]"),
    "nesterovs_momentum": _TRUTH,
    "early_stopping": _TRUTH,
    "validation_fraction": _FRACTION,
    "beta_1": _FRACTION,
    "beta_2": _FRACTION,
    "epsilon": _POSITIVE,
    "n_iter_no_change": (
        lambda v: (_is_whole(v) and v >= 1) or (isinstance(v, Real) and v == math.inf),
        "a whole number of at least 1, or infinity",
    ),
    "max_fun": _COUNT,
    "batch_norm": _TRUTH,
    "random_state": (
        lambda v: v is None or isinstance(v, np.random.RandomState) or (_is_whole(v) and 0 <= v < 2**32),
        "a whole number in [0, 2**32 - 1], a numpy.random.RandomState or None",
    ),
}


_passed: dict[str, Any] = {}  # the value of each parameter that was found to be allowed last


def check_parameters(estimator: Any) -> None:
    """Raise `ArgumentError` for the first parameter that is not allowed."""
    who = type(estimator).__name__
    for name, (allowed, expected) in _CHECKS.items():
        value = getattr(estimator, name)
        if value is _passed.get(name, _passed):  # numbers and texts, which cannot have changed since
            continue
        if not allowed(value):
            raise ArgumentError(f"{who}: expected {name} to be {expected}, got {value!r}.")
        _passed[name] = value
    hidden = hidden_sizes(estimator)
    hidden_activations(estimator, len(hidden))
    rates = dropout_rates(estimator, len(hidden))
    _check_rate(who, estimator.learning_rate)
    _check_solver(who, estimator.solver)
    callbacks = estimator.callbacks
    listed = isinstance(callbacks, (list, tuple)) and all(isinstance(each, Callback) for each in callbacks)
    if callbacks is not None and not listed:
        raise ArgumentError(f"{who}: expected callbacks to be a list of lamina's, got {callbacks!r}.")
    if estimator.solver == "lbfgs":
        used = {"dropout": any(rates), "batch_norm": estimator.batch_norm, "callbacks": callbacks}
        for name in (name for name, is_used in used.items() if is_used):
            raise ArgumentError(
                f"{who}: expected no {name} with solver='lbfgs', which goes by whole gradients, "
                f"got {getattr(estimator, name)!r}."
            )


def hidden_sizes(estimator: Any) -> tuple[int, ...]:
    """Return the sizes of the hidden layers."""
    given = estimator.hidden_layer_sizes
    sizes = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if not all(_is_whole(size) and size > 0 for size in sizes):
        raise ArgumentError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return tuple(int(size) for size in sizes)


def hidden_activations(estimator: Any, layers: int) -> tuple[Any, ...]:
    """Return lamina's activation of each hidden layer."""
    who, given = type(estimator).__name__, estimator.activation
    one_for_all = isinstance(given, str) or callable(given)
    each = [given] * layers if one_for_all else list(given) if isinstance(given, Iterable) else None
    if each is None:
        raise ArgumentError(f"{who}: expected activation to be a name, a function or a list, got {given!r}.")
    if len(each) != layers:
        raise ArgumentError(
            f"{who}: expected an activation, or one for each of {layers} hidden layers, got {len(each)}."
        )
    names = [ACTIVATIONS.get(one, one) if isinstance(one, str) else one for one in [*each, given]]
    for name in names if isinstance(given, str) else names[:-1]:
        activations.get(name)
    return tuple(names[:layers])


def dropout_rates(estimator: Any, layers: int) -> tuple[float, ...]:
    """Return the rate of dropout after each hidden layer."""
    who, given = type(estimator).__name__, estimator.dropout
    rates = [given] * layers if _is_number(given) else list(given) if isinstance(given, Iterable) else [given]
    if len(rates) != layers or not all(_is_number(rate) and 0 <= rate < 1 for rate in rates):
        raise ArgumentError(
            f"{who}: expected dropout to be a number in [0, 1), or one for each of {layers} hidden layers, "
            f"got {given!r}."
        )
    return tuple(float(rate) for rate in rates)


def _check_rate(who: str, rate: Any) -> None:
    if rate in RATES if isinstance(rate, str) else isinstance(rate, Schedule) or callable(rate):
        return
    raise ArgumentError(
        f"{who}: expected learning_rate to be one of {', '.join(map(repr, RATES))}, a schedule of lamina or "
        f"a function of the step, got {rate!r}."
    )


def _check_solver(who: str, solver: Any) -> None:
    if isinstance(solver, str):
        if solver not in SOLVERS and solver not in names_of("optimizer"):
            raise unknown("solver", solver, [*SOLVERS, *names_of("optimizer")])
    elif not isinstance(solver, Optimizer):
        raise ArgumentError(f"{who}: expected solver to be a name or an optimizer of lamina, got {solver!r}.")


def check_loss(who: str, loss: Any, own: tuple[str, ...]) -> None:
    """Raise `ArgumentError` unless a loss is one of scikit-learn's, or one of lamina's."""
    if isinstance(loss, str):
        if loss not in own and loss not in names_of("loss"):
            raise unknown("loss", loss, [*own, *names_of("loss")])
    elif not isinstance(loss, Loss):
        raise ArgumentError(f"{who}: expected loss to be a name or a loss of lamina, got {loss!r}.")
