"""What a checkpoint holds beside the core's state: history, epoch, and the states of callbacks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._callback import Callback
from ._configurable import wrap
from ._kinds import Metric, Optimizer, callable_name, core_schedule
from ._loss import Loss
from ._targets import Targets
from .errors import ArgumentError, FormatError
from .history import History

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._arguments import AnyMetric
    from .trainer import Trainer

_KEY = "trainer"  # of the file's metadata
_CUSTOM = "custom:"
Tensors = dict[str, "NDArray[np.float32]"]


@dataclass
class CallbackState:
    """The state of one callback: of which class, at which position among the callbacks of `fit`."""

    class_name: str
    position: int
    state: dict[str, Any]


@dataclass
class Record:
    """What of a trainer Python keeps."""

    epoch: int = 0
    history: History = field(default_factory=History)
    callbacks: list[CallbackState] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)  # names, in their order


def states_of(callbacks: Sequence[Callback]) -> list[CallbackState]:
    """Return the states of all callbacks that have one."""
    states = [CallbackState(type(c).__name__, i, c.state_dict()) for i, c in enumerate(callbacks)]
    return [state for state in states if state.state]


def hand_out(states: Sequence[CallbackState], callbacks: Sequence[Callback]) -> None:
    """Give each callback the state of the one that had its class and position."""
    for state in states:
        if state.position < len(callbacks) and type(callbacks[state.position]).__name__ == state.class_name:
            callbacks[state.position].load_state_dict(state.state)


def pack(record: Record) -> tuple[dict[str, str], Tensors]:
    """Return a record as metadata and tensors of a checkpoint."""
    tensors: Tensors = {}
    callbacks = [
        {
            "class": state.class_name,
            "position": state.position,
            "state": _pack_value(state.state, f"callbacks/{state.position}", tensors),
        }
        for state in record.callbacks
    ]
    text = json.dumps(
        {
            "epoch": record.epoch,
            "history": {"epoch": record.history.epoch, "rows": record.history._rows},
            "callbacks": callbacks,
            "metrics": record.metrics,
        }
    )
    return {_KEY: text}, tensors


def unpack(metadata: Mapping[str, str], tensors: Tensors) -> Record:
    """Return the record of a checkpoint; an empty one for a checkpoint that C++ wrote."""
    if _KEY not in metadata:
        return Record()
    try:
        data = json.loads(metadata[_KEY])
        history = History()
        for epoch, row in zip(data["history"]["epoch"], data["history"]["rows"], strict=True):
            history._append(int(epoch), {str(name): float(value) for name, value in row.items()})
        callbacks = [
            CallbackState(str(entry["class"]), int(entry["position"]), _unpack_value(entry["state"], tensors))
            for entry in data["callbacks"]
        ]
        return Record(int(data["epoch"]), history, callbacks, [str(name) for name in data["metrics"]])
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise FormatError(
            f"Checkpoint: expected the trainer's record in the metadata, got a damaged one ({error!r})."
        ) from error


def callables_for(path: str, custom_objects: Mapping[str, Any] | None, targets: Targets) -> dict[str, Any]:
    """Return the Python-written objects that a checkpoint names, from the user's, as the core takes them."""
    metadata, _ = _core.inspect_file(path)
    try:
        training = json.loads(metadata.get("lamina.training", "{}"))
    except (RecursionError, ValueError) as error:
        raise FormatError("Checkpoint: expected JSON in its metadata, got something else.") from error
    result: dict[str, Any] = {}
    for kind, name in _custom_names(training, ""):
        if custom_objects is None or name not in custom_objects:
            raise ArgumentError(
                f"Trainer.load: expected custom_objects to hold the {kind} '{name}' of the file, "
                f"got {sorted(custom_objects or {})}."
            )
        result[_CUSTOM + name] = _core_object(kind, custom_objects[name], targets)
    return result


def _core_object(kind: str, value: Any, targets: Targets) -> Any:
    if isinstance(value, type) and kind != "metric":
        value = value()
    if kind == "loss":
        if not isinstance(value, Loss):
            raise ArgumentError(f"Trainer.load: expected a loss in custom_objects, got {value!r}.")
        return value._core_loss(targets)
    return metric_of(value, targets) if kind == "metric" else core_schedule(value)


def metric_of(function: Any, targets: Targets) -> _core.Metric:
    """Return a metric, or a function `f(y_true, y_pred)`, as the core takes it."""
    if isinstance(function, Metric):
        return function._handle
    name = callable_name(function)
    return _core.Metric.from_callable(targets.metric(function, name), name)


def _custom_names(value: Any, kind: str) -> list[tuple[str, str]]:
    """Kind and name of every Python-written object within a description."""
    found: list[tuple[str, str]] = []
    if isinstance(value, dict):
        name = value.get("class_name")
        if isinstance(name, str) and name.startswith(_CUSTOM):
            found.append((kind, name.removeprefix(_CUSTOM)))
        for key, item in value.items():
            inner = {"loss": "loss", "metrics": "metric", "learning_rate": "schedule"}.get(key, kind)
            found += _custom_names(item, inner)
    elif isinstance(value, list):
        for item in value:
            found += _custom_names(item, kind)
    return found


def _pack_value(value: Any, path: str, tensors: Tensors) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype == np.float32:
            tensors[path] = np.ascontiguousarray(value)
            return {"__tensor__": path}
        return {"__array__": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): _pack_value(item, f"{path}/{key}", tensors) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_pack_value(item, f"{path}/{i}", tensors) for i, item in enumerate(value)]
    return value


def _unpack_value(value: Any, tensors: Tensors) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"__tensor__"}:
            return tensors[value["__tensor__"]]
        if value.keys() == {"__array__", "dtype"}:
            return np.asarray(value["__array__"], dtype=value["dtype"])
        return {key: _unpack_value(item, tensors) for key, item in value.items()}
    if isinstance(value, list):
        return [_unpack_value(item, tensors) for item in value]
    return value


def record_of(trainer: Trainer) -> Record:
    """Return what of a trainer a checkpoint must hold now."""
    states = states_of(trainer._callbacks) if trainer._callbacks else trainer._states
    return Record(trainer.epoch, trainer.history, states, trainer._metric_names())


def parts_of(session: _core.Session, custom: Mapping[str, Any]) -> tuple[Optimizer, Loss, list[AnyMetric]]:
    """Optimizer, loss and metrics of a loaded session, as Python objects."""
    optimizer = wrap(Optimizer, session.optimizer())
    rate = optimizer._values()["learning_rate"]
    if isinstance(rate, tuple) and rate[0].startswith("custom:"):
        function = custom[rate[0].removeprefix("custom:")]
        optimizer._callable = function() if isinstance(function, type) else function
    loss_name, _ = session.losses()[0].config()
    if loss_name.startswith("custom:"):
        given = custom[loss_name.removeprefix("custom:")]
        loss = given() if isinstance(given, type) else given
    else:
        loss = wrap(Loss, session.losses()[0])
    metrics: list[AnyMetric] = []
    for metric in session.metrics()[0]:
        name = "" if isinstance(metric, str) else metric.config()[0]
        if isinstance(metric, str):
            metrics.append(metric)
        elif name.startswith("custom:"):
            metrics.append(custom[name.removeprefix("custom:")])
        else:
            metrics.append(wrap(Metric, metric))
    return optimizer, loss, metrics
