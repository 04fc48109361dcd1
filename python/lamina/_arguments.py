"""Checks of what is handed to a Trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np

from ._checks import _check_count
from ._configurable import find, names_of, unknown
from ._kinds import Metric, callable_name
from .errors import ArgumentError

AnyMetric = Metric | str | Callable[[Any, Any], float]
_ACCURACY = ("accuracy", "acc")


def _checked_metric(metric: Any) -> AnyMetric:
    """Return a metric as it is, or an object of its class; `ArgumentError` for anything else."""
    if isinstance(metric, type) and issubclass(metric, Metric):
        return find(Metric, metric)
    if isinstance(metric, str):
        known = [*_ACCURACY, *names_of("metric")]
        if metric not in known:
            raise unknown("metric", metric, known)
        return metric
    if isinstance(metric, Metric):
        return metric
    if callable(metric):
        return cast("Callable[[Any, Any], float]", metric)
    raise ArgumentError(
        f"Trainer: expected names, objects of lamina.metrics or functions as metrics, got {metric!r}."
    )


def _name_of(metric: AnyMetric) -> str:
    """Return the name of a metric in logs."""
    if isinstance(metric, str):
        return metric
    return metric.name if isinstance(metric, Metric) else callable_name(metric)


def _check_names(names: list[str]) -> None:
    """Raise `ArgumentError` unless metrics have names of their own."""
    for i, name in enumerate(names):
        if name in names[:i] or name in ("loss", "learning_rate") or name.startswith("val_"):
            raise ArgumentError(
                f"Trainer: expected metrics with names of their own, got '{name}'"
                f"{' twice' if name in names[:i] else ', which is taken'}."
            )


def _whole(name: str, value: Any, least: int = 0, who: str = "fit") -> int:
    """Return a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value < 2**63:
        raise ArgumentError(
            f"{who}: expected {name} to be a whole number of at least {least}, got {value!r}."
        )
    return int(value)


def _truth(name: str, value: Any) -> bool:
    """Return a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentError(f"Expected {name} to be True or False, got {value!r}.")
    return bool(value)


def _batch_size(name: str, value: Any) -> int | str:
    """Return a batch size: a number, or "full"."""
    if isinstance(value, str):
        if value != "full":
            raise ArgumentError(
                f"Expected {name} to be a whole number of at least 1 or 'full', got {value!r}."
            )
        return value
    _check_count(name, value)
    return int(value)


def _frequency(value: Any) -> int | tuple[int, ...]:
    """Return `validation_freq`: a number, or the epochs."""
    if isinstance(value, (int, np.integer)) or not isinstance(value, Iterable) or isinstance(value, str):
        return _whole("validation_freq", value, 1)
    return tuple(_whole("validation_freq", epoch, 1) for epoch in value)
