"""What TensorBoard shows. Needs tensorboardX, which is imported as training begins."""

from __future__ import annotations

import itertools
import os
import re
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from ._callback import Callback, Logs, _whole
from ._files import file_errors, make_folder
from .errors import ArgumentError

if TYPE_CHECKING:
    from .model import Sequential
    from .trainer import Trainer

_BINS = 64
_counter = itertools.count()  # so that two trainings within a second don't share a file


class TensorBoard(Callback):
    """Writes losses, metrics, weights and the graph for TensorBoard: `tensorboard --logdir logs`.

    Training goes to `log_dir/train`, validation to `log_dir/validation`, by Keras's names: `epoch_loss`,
    `epoch_accuracy`, `epoch_learning_rate`, `dense/kernel/histogram`. Steps are epochs, counted from 0.

    Parameters
    ----------
    log_dir : str or path, default 'logs'
        The folder; one for each training, within a common one, lets TensorBoard compare them.
    histogram_freq : int, default 0
        Write histograms of all weights after every so many epochs, beginning with the first; 0 writes none.
    write_graph : bool, default True
        Whether to write the graph of the model.
    write_steps_per_second : bool, default False
        Whether to write how many steps a second an epoch took.
    update_freq : 'epoch', 'batch' or int, default 'epoch'
        'batch' or a number writes the means of the epoch so far after every batch, or every so many, as
        `batch_loss` and so on, by the number of the step.

    Raises
    ------
    ArgumentError
        For an argument that is not allowed.
    ImportError
        By `fit`, without tensorboardX.
    FileError
        By `fit`, where the folder can't be written.

    Examples
    --------
    >>> board = lm.callbacks.TensorBoard("logs/first", histogram_freq=1)  # for fit(..., callbacks=[board])
    >>> board.log_dir
    'logs/first'
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        *,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
    ) -> None:
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = _whole("TensorBoard", "histogram_freq", histogram_freq)
        self.write_graph = bool(write_graph)
        self.write_steps_per_second = bool(write_steps_per_second)
        if isinstance(update_freq, str) and update_freq not in ("epoch", "batch"):
            raise ArgumentError(
                "TensorBoard: expected update_freq to be 'epoch', 'batch' or a whole number, "
                f"got {update_freq!r}."
            )
        self.update_freq = update_freq
        self._every = (  # batches; 0 for none
            _whole("TensorBoard", "update_freq", update_freq, 1)
            if not isinstance(update_freq, str)
            else int(update_freq == "batch")
        )
        self._files: dict[str, _EventFile] = {}
        self._begun = (0, 0.0)  # step and time at the beginning of the epoch

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Open the file, and write the graph.

        Examples
        --------
        >>> import os
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> board = lm.callbacks.TensorBoard("logs")
        >>> _ = trainer.fit(np.eye(2), np.ones(2), callbacks=[board], verbose=0)
        >>> os.listdir("logs")
        ['train']
        """
        self._close()
        file = self._file("train")
        if self.write_graph:
            file.graph(graph_of(self.trainer))

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> board = lm.callbacks.TensorBoard("logs", write_steps_per_second=True)
        >>> _ = trainer.fit(np.eye(2), np.ones(2), epochs=2, callbacks=[board], verbose=0)
        """
        self._begun = (self.trainer._session.step(), perf_counter())

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write the means so far, where asked to.

        Examples
        --------
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> board = lm.callbacks.TensorBoard("logs", update_freq="batch")  # batch_loss, after each
        >>> _ = trainer.fit(np.eye(2), np.ones(2), batch_size=1, callbacks=[board], verbose=0)
        """
        step = self.trainer._session.step()
        if self._every > 0 and step % self._every == 0:
            for name, value in (logs or {}).items():
                self._file("train").scalar(f"batch_{name}", value, step)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's figures, and the weights where they are due.

        Examples
        --------
        >>> import os
        >>> trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), "sgd", "mse", seed=0)
        >>> board, data = lm.callbacks.TensorBoard("logs"), (np.eye(2), np.ones(2))
        >>> _ = trainer.fit(*data, validation_data=data, callbacks=[board], verbose=0)
        >>> sorted(os.listdir("logs"))
        ['train', 'validation']
        """
        for name, value in (logs or {}).items():
            part = "validation" if name.startswith("val_") else "train"
            self._file(part).scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        train = self._file("train")
        if self.write_steps_per_second:
            step, start = self._begun
            rate = (self.trainer._session.step() - step) / max(perf_counter() - start, 1e-9)
            train.scalar("epoch_steps_per_second", rate, epoch)
        if self.histogram_freq > 0 and epoch % self.histogram_freq == 0:
            for layer, scope in zip(self.model.layers, scopes_of(self.model), strict=True):
                for name, weight in zip(layer._weight_names(), layer._views(), strict=True):
                    train.histogram(f"{scope}/{name}/histogram", weight, epoch)
        for file in self._files.values():
            file.flush()

    def _check(self) -> None:
        _writer_class()

    def _wants_batches(self) -> bool:
        return self._every > 0 or type(self) is not TensorBoard

    def _file(self, part: str) -> _EventFile:
        if part not in self._files:
            self._files[part] = _EventFile(os.path.join(self.log_dir, part))
        return self._files[part]

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}


class _EventFile:
    """A file of events, written by tensorboardX."""

    def __init__(self, folder: str) -> None:
        make_folder(folder)
        self.path = os.path.join(folder, "events")
        with file_errors(self.path, "written"):
            self.writer = _writer_class()(self.path, f".{os.getpid()}.{next(_counter)}")

    def scalar(self, tag: str, value: float, step: int) -> None:
        from tensorboardX.proto.summary_pb2 import Summary

        self._write(step, summary=Summary(value=[Summary.Value(tag=tag, simple_value=float(value))]))

    def histogram(self, tag: str, values: Any, step: int) -> None:
        from tensorboardX.summary import histogram

        finite = np.asarray(values, dtype=np.float64)[np.isfinite(values)]
        if finite.size > 0:
            self._write(step, summary=histogram(tag, finite, _BINS))

    def graph(self, nodes: list[Node]) -> None:
        from tensorboardX.proto.attr_value_pb2 import AttrValue
        from tensorboardX.proto.graph_pb2 import GraphDef
        from tensorboardX.proto.node_def_pb2 import NodeDef
        from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

        def shape(extents: tuple[int | None, ...]) -> Any:
            dims = [TensorShapeProto.Dim(size=-1 if extent is None else extent) for extent in extents]
            return AttrValue(list=AttrValue.ListValue(shape=[TensorShapeProto(dim=dims)]))

        definitions = [
            NodeDef(name=name, op=op, input=inputs, attr={"_output_shapes": shape(extents)})
            for name, op, inputs, extents in nodes
        ]
        self._write(0, graph_def=GraphDef(node=definitions).SerializeToString())

    def _write(self, step: int, **content: Any) -> None:
        from time import time

        from tensorboardX.proto.event_pb2 import Event

        with file_errors(self.path, "written"):
            self.writer.write_event(Event(step=step, wall_time=time(), **content))

    def flush(self) -> None:
        with file_errors(self.path, "written"):
            self.writer.flush()

    def close(self) -> None:
        with file_errors(self.path, "written"):
            self.writer.close()


def _writer_class() -> Any:
    """Return tensorboardX's writer without a thread: what it was given is in the file after `flush`."""
    try:
        from tensorboardX.event_file_writer import EventsWriter
    except ImportError as error:
        raise ImportError(
            "The TensorBoard callback needs tensorboardX: pip install 'lamina[tensorboard]'"
        ) from error
    return EventsWriter


Node = tuple[str, str, list[str], "tuple[int | None, ...]"]  # name, operation, inputs, shape


def graph_of(trainer: Trainer) -> list[Node]:
    """Return the nodes of the model and its loss: each layer's weights and its call share a scope."""
    model = trainer.model
    nodes: list[Node] = [("x", "Placeholder", [], model.input_shape)]
    last = "x"
    for layer, scope in zip(model.layers, scopes_of(model), strict=True):
        weights = [f"{scope}/{name}" for name in layer._weight_names()]
        for name, view in zip(weights, layer._views(), strict=True):
            nodes.append((name, "Parameter", [], view.shape))
        call = f"{scope}/{type(layer).__name__}"
        nodes.append((call, type(layer).__name__, [last, *weights], layer.output_shape))
        last = call
    nodes.append(("y", "Placeholder", [], (None,)))
    nodes.append((f"loss/{type(trainer.loss).__name__}", type(trainer.loss).__name__, [last, "y"], ()))
    return nodes


def scopes_of(model: Sequential) -> list[str]:
    """Return the layers' names in the letters that TensorBoard allows, each once."""
    taken = ["x", "y", "loss"]
    for layer in model.layers:
        plain = re.sub(r"[^A-Za-z0-9_.\-]", "_", layer.name)
        plain = plain if re.match(r"[A-Za-z0-9.]", plain) else f"layer{plain}"
        scope = plain
        for number in itertools.count(1):
            if scope not in taken:
                break
            scope = f"{plain}_{number}"
        taken.append(scope)
    return taken[3:]
