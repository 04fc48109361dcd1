"""A network on a table, from the raw columns to labels or numbers."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import callbacks as _callbacks
from .. import layers, optimizers
from ..errors import ArgumentError, DataError, FormatError, StateError
from ..history import History
from ..model import Sequential, load_model
from ..trainer import Trainer
from . import _fields, _values
from ._preprocessor import Preprocessor, nearest
from ._scores import Scores, metrics, scores_of
from ._split import split
from ._tables import quoted, read_table
from ._target import ClassTarget, NumberTarget, Target, target_from, task_of
from ._text import scores_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEY = "tabular"  # of the file's metadata
_VERSION = 1
_LEAST_ROWS = 10


class TabularModel:
    """A network that takes a table as it is: texts, dates, missing cells and all.

    `fit` infers the task and what each column is, splits the rows, standardises, trains with early stopping,
    and scores the rows it has held back. The file that `save` writes holds the network and the preparation,
    as JSON; loading runs no code. `lamina train` and `lamina predict` are these methods.

    Parameters
    ----------
    hidden : iterable of int, default (64, 64)
        Units of the hidden layers; none makes a linear model.
    activation : str, default 'relu'
        Of the hidden layers.
    dropout : float, default 0.0
        After each hidden layer.
    task : 'auto', 'classification' or 'regression', default 'auto'
        'auto' takes texts, truths, and whole numbers of at most 20 different values, for classes.
    epochs : int, default 100
        At most so many.
    batch_size : int or None, default None
        Rows a step; None takes 16 to 256, about a hundredth of the rows.
    learning_rate : float, default 1e-3
        Of Adam, to begin with: it is halved where the loss of validation has not fallen for 4 epochs.
    patience : int, default 10
        Epochs without a better loss of validation after which training ends. The best epoch's weights stay.
    validation_size, test_size : float, default 0.15
        Fractions of the rows, drawn from each class alike. 0 is none.
    class_weight : None or 'balanced', default None
        'balanced' weighs rows so that each class counts as much as any other.
    seed : int, default 0
        Of the split, the weights, dropout and shuffling.
    preprocessor : Preprocessor or None, default None
        What makes numbers of the columns; None is `Preprocessor()`.

    Attributes
    ----------
    model : Sequential
        The network.
    preprocessor : Preprocessor
        The preparation of the columns.
    history : History
        Of the last `fit`.
    summary : dict
        What `fit` found and did: task, rows, columns, what was left out, epochs, scores. JSON can hold it.
    report : str
        The scores as tables, for a person.

    Examples
    --------
    >>> from lamina import tabular
    >>> table = {"rooms": list(range(1, 41)), "side": ["north", "south"] * 20}
    >>> table["price"] = [100 * rooms for rooms in table["rooms"]]
    >>> model = tabular.TabularModel(hidden=(8,), epochs=3).fit(table, target="price", verbose=0)
    >>> model.predict(table).shape, model.target, model.classes
    ((40,), 'price', None)
    >>> sorted(model.evaluate(table))
    ['baseline', 'mae', 'r2', 'residuals', 'rmse', 'rows']
    >>> table["large"] = ["yes" if rooms > 20 else "no" for rooms in table["rooms"]]
    >>> classifier = tabular.TabularModel(epochs=2).fit(table, target="large", verbose=0)
    >>> classifier.predict_proba(table).shape
    (40, 2)
    """

    def __init__(
        self,
        hidden: Iterable[int] = (64, 64),
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        task: str = "auto",
        epochs: int = 100,
        batch_size: int | None = None,
        learning_rate: float = 1e-3,
        patience: int = 10,
        validation_size: float = 0.15,
        test_size: float = 0.15,
        class_weight: str | None = None,
        seed: int = 0,
        preprocessor: Preprocessor | None = None,
    ) -> None:
        for name, size in (("validation_size", validation_size), ("test_size", test_size)):
            if _fields.as_number(size) is None or not 0 <= size < 1:
                raise ArgumentError(f"Expected {name} to be a number in [0, 1), got {size!r}.")
        if validation_size + test_size >= 1:
            raise ArgumentError(
                f"Expected validation_size and test_size to leave rows to train with, got {validation_size} "
                f"and {test_size}."
            )
        if class_weight not in (None, "balanced"):
            raise ArgumentError(f"Expected class_weight to be None or 'balanced', got {class_weight!r}.")
        self.hidden = list(hidden)
        self.activation, self.dropout, self.task = activation, dropout, task
        self.epochs, self.batch_size, self.learning_rate = epochs, batch_size, learning_rate
        self.patience, self.validation_size, self.test_size = patience, validation_size, test_size
        self.class_weight, self.seed = class_weight, seed
        self.preprocessor = Preprocessor() if preprocessor is None else preprocessor
        self.history = History()
        self.summary: dict[str, Any] = {}
        self._model: Sequential | None = None
        self._target: Target | None = None
        self._layers(1)  # says what is wrong with them

    @property
    def model(self) -> Sequential:
        """The network. `StateError` before `fit`.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "price": [*range(0, 4000, 100)]}
        >>> model = tabular.TabularModel(epochs=3).fit(table, "price", verbose=0)
        >>> [layer.units for layer in model.model.layers]
        [64, 64, 1]
        """
        return self._fitted()[0]

    @property
    def target(self) -> str:
        """The name of the column that is predicted. `StateError` before `fit`.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "price": [*range(0, 4000, 100)]}
        >>> model = tabular.TabularModel(epochs=3).fit(table, "price", verbose=0)
        >>> model.target
        'price'
        """
        return self._fitted()[1].name

    @property
    def classes(self) -> list[Any] | None:
        """The labels, in the order of `predict_proba`; None for numbers. `StateError` before `fit`.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "size": ["small"] * 20 + ["large"] * 20}
        >>> model = tabular.TabularModel(epochs=50, learning_rate=0.01).fit(table, "size", verbose=0)
        >>> model.classes
        ['large', 'small']
        """
        target = self._fitted()[1]
        return list(target.classes) if isinstance(target, ClassTarget) else None

    @property
    def report(self) -> str:
        """The scores of the last `fit` as text. `StateError` before it, and after `load`.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "size": ["small"] * 20 + ["large"] * 20}
        >>> model = tabular.TabularModel(epochs=50, learning_rate=0.01).fit(table, "size", verbose=0)
        >>> model.report.splitlines()[0]
        "Accuracy 100.00% on 6 test rows; always 'large' has 50.00%"
        """
        if not self.summary:
            raise StateError("TabularModel: expected fit before its report; evaluate(table) makes scores.")
        return scores_text(self.summary["scores"], f"{self.summary['scores_of']} rows")

    # ---- training

    def fit(
        self,
        table: Any,
        target: str,
        *,
        callbacks: Sequence[_callbacks.Callback] = (),
        verbose: int | str = "auto",
    ) -> TabularModel:
        """Learn to predict a column from the others. Returns itself.

        Parameters
        ----------
        table : str, path, data frame or dict of columns
            Anything that `read_table` takes.
        target : str
            The column to predict. Rows without it are left out.
        callbacks : sequence of Callback, default ()
            As of `Trainer.fit`, besides early stopping.
        verbose : 0, 1, 2 or 'auto', default 'auto'
            As of `Trainer.fit`.

        Raises
        ------
        FileError, DataError, ArgumentError
            When the table can't be read, or nothing can be learnt from it; for a target that isn't there.
        ImportError
            Without pandas or scikit-learn.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "size": ["small"] * 20 + ["large"] * 20}
        >>> model = tabular.TabularModel(epochs=3).fit(table, target="size", verbose=0)
        >>> model.summary["task"], model.summary["rows"]
        ('classification', {'training': 28, 'validation': 6, 'test': 6})
        """
        metrics()  # says what is missing before training rather than after it
        start = perf_counter()
        frame, series, left_out = self._labelled(table, target)
        rows = "row" if left_out == 1 else "rows"
        notes = [f"left out {left_out:,} {rows} without '{target}'"] if left_out else []
        style = _values.style_of(series)
        task, reason = task_of(series, self.task, style)
        classes = ClassTarget.fit(target, series, left_out) if task == "classification" else None
        labels = np.zeros(len(series)) if classes is None else classes.encode(series)
        train, held, final = split(labels, self.validation_size, self.test_size, self.seed)
        coded: Target = NumberTarget.fit(target, series.iloc[train], style) if classes is None else classes
        if classes is None and style is not None:
            notes.append(f"target '{target}': {_values.style_note(series, style)}")
        self.preprocessor.fit(frame, train)
        notes += self.preprocessor.notes
        inputs = self.preprocessor.transform(frame)
        truth = coded.encode(series)
        model = Sequential([layers.Input((inputs.shape[1],)), *self._layers(coded.outputs, task)], self.seed)
        parts = [(inputs[rows], truth[rows]) for rows in (train, held, final)]
        history = self._train(model, coded, parts[0], parts[1], callbacks, verbose)
        if not history.epoch or not np.isfinite(history.history["loss"][0]):
            raise StateError(
                "TabularModel: expected the loss to fall, got NaN or infinity in the first epoch; a smaller "
                "learning rate helps."
            )
        self._model, self.history = model, history
        self._set_target(coded)
        self.summary = {
            "target": target,
            "task": task,
            "task_reason": reason,
            "rows": {"training": len(train), "validation": len(held), "test": len(final)},
            "columns": self.preprocessor.to_fields()["columns"],
            "left_out": self.preprocessor.dropped,
            "notes": notes,
            "inputs": inputs.shape[1],
            "parameters": model.count_params(),
            "epochs": len(history.epoch),
            "best_epoch": _best_epoch(history),
            "seconds": perf_counter() - start,
            "history": {"epoch": [epoch + 1 for epoch in history.epoch], **history.history},
            **_final_scores(model, coded, parts),
        }
        return self

    def _labelled(self, table: Any, target: str) -> tuple[Any, Any, int]:
        """Return the rows that have a target, without it and alone, and how many have none."""
        frame = read_table(table, text_columns=self.preprocessor.categorical)
        if target not in frame.columns:
            near = nearest(target, frame.columns)
            hint = "." if near is None else f"; is it '{near}'?"
            raise ArgumentError(f"Expected the target among {quoted(frame.columns)}, got '{target}'{hint}")
        codes, _ = _values.factorized(frame[target])
        known = codes >= 0
        if not known.all():
            frame = frame[known].reset_index(drop=True)
        if len(frame) < _LEAST_ROWS:
            raise DataError(f"Expected {_LEAST_ROWS} rows or more with a '{target}', got {len(frame)}.")
        return frame.drop(columns=[target]), frame[target].infer_objects(), int((~known).sum())

    def _set_target(self, target: Target) -> None:
        self._target = target
        styled = isinstance(target, NumberTarget) and target.style is not None
        self.preprocessor._text_target = target.name if styled else None

    def _layers(self, outputs: int, task: str = "regression") -> list[Any]:
        result: list[Any] = []
        for units in self.hidden:
            result.append(layers.Dense(units, activation=self.activation))
            if self.dropout:
                result.append(layers.Dropout(self.dropout))
        last = "softmax" if task == "classification" else None
        return [*result, layers.Dense(outputs, activation=last)]

    def _train(
        self, model: Sequential, target: Target, train: Any, held: Any, callbacks: Any, verbose: Any
    ) -> History:
        classes = isinstance(target, ClassTarget)
        trainer = Trainer(
            model,
            optimizers.Adam(self.learning_rate),
            "sparse_categorical_crossentropy" if classes else "mse",
            metrics=["accuracy"] if classes else [],
            seed=self.seed,
        )
        monitor = "val_loss" if len(held[1]) else "loss"
        every = [
            _callbacks.ReduceLROnPlateau(monitor, factor=0.5, patience=4),
            _callbacks.TerminateOnNaN(),
            _callbacks.EarlyStopping(monitor, patience=self.patience, restore_best_weights=True),
            *callbacks,
        ]
        rows = len(train[1])
        batch_size = self.batch_size or min(256, max(16, 2 ** int(math.log2(max(rows / 100, 1)))))
        return trainer.fit(
            *train,
            epochs=self.epochs,
            batch_size=batch_size,
            validation_data=held if len(held[1]) else None,
            validation_batch_size=1024,
            class_weight=_balanced(train[1], target) if self.class_weight and classes else None,
            callbacks=every,
            verbose=verbose,
        )

    # ---- predictions

    def predict(self, table: Any, unknown: str = "error") -> NDArray[Any]:
        """Return a label or a number for each row of a table with the raw columns.

        `table`, `unknown` and errors are those of `Preprocessor.transform`; the target may be there or not.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "size": ["small"] * 20 + ["large"] * 20}
        >>> model = tabular.TabularModel(epochs=50, learning_rate=0.01).fit(table, "size", verbose=0)
        >>> model.predict({"rooms": [0, 39]}).tolist()
        ['small', 'large']
        """
        target = self._fitted()[1]
        return target.decode(self._output(table, unknown, None))

    def predict_proba(self, table: Any, unknown: str = "error") -> NDArray[np.float32]:
        """Return the probability of each class, `(rows, classes)`; `table` and `unknown` as for `predict`.

        `StateError` for a model that predicts numbers.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "size": ["small"] * 20 + ["large"] * 20}
        >>> model = tabular.TabularModel(epochs=50, learning_rate=0.01).fit(table, "size", verbose=0)
        >>> model.predict_proba({"rooms": [0, 39]}).round()  # large, small
        array([[0., 1.],
               [1., 0.]], dtype=float32)
        """
        if self.classes is None:
            raise StateError("TabularModel: expected classes for predict_proba, got numbers to predict.")
        return self._output(table, unknown, None)

    def evaluate(self, table: Any, unknown: str = "error", notes: list[str] | None = None) -> Scores:
        """Return the scores on a table that has the target, too. Rows without it are left out.

        For classes: rows, accuracy, log_loss, macro_f1, baseline, per_class, confusion. For numbers: rows,
        r2, mae, rmse, baseline, residuals. `notes` gets a text for each thing that was left out or ignored.
        `unknown` and errors are those of `Preprocessor.transform`.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "size": ["small"] * 20 + ["large"] * 20}
        >>> model = tabular.TabularModel(epochs=50, learning_rate=0.01).fit(table, "size", verbose=0)
        >>> scores = model.evaluate(table)
        >>> scores["accuracy"], scores["confusion"]
        (1.0, [[20, 0], [0, 20]])
        """
        coded = self._fitted()[1]
        notes = [] if notes is None else notes
        frame = read_table(table, text_columns=self.preprocessor.text_columns)
        if coded.name not in frame.columns:
            raise DataError(f"Expected the target '{coded.name}', got a table without.")
        known = _values.factorized(frame[coded.name])[0] >= 0
        if not known.all():
            notes.append(f"left out {int((~known).sum()):,} of {len(known):,} rows, without '{coded.name}'")
            frame = frame[known]
        if frame.empty:
            raise DataError(f"Expected rows with the target '{coded.name}', got none.")
        truth = coded.encode(frame[coded.name])
        return scores_of(coded, truth, self._output(frame, unknown, notes))

    def _output(self, table: Any, unknown: str, notes: list[str] | None) -> NDArray[np.float32]:
        model = self._fitted()[0]
        return _finite(model.predict(self.preprocessor.transform(table, unknown, notes)))

    # ---- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write network and preparation to a file at `path`; `lamina.load_model` reads the network of it.

        `FileError` when it can't be written, `StateError` before `fit`.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "size": ["small"] * 20 + ["large"] * 20}
        >>> model = tabular.TabularModel(epochs=50, learning_rate=0.01).fit(table, "size", verbose=0)
        >>> model.save("size.safetensors")
        >>> lm.load_model("size.safetensors").output_shape  # the network
        (None, 2)
        """
        model, target = self._fitted()
        fields = {
            "version": _VERSION,
            "target": target.to_fields(),
            "preprocessor": self.preprocessor.to_fields(),
        }
        text = json.dumps(fields, allow_nan=False)
        model.save(path, {**model.metadata, _KEY: text})

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TabularModel:
        """Read what `save` or `lamina train` wrote to a path. Runs no code.

        `FileError` when it can't be read, `FormatError` when it is damaged or holds no such model.

        Examples
        --------
        >>> from lamina import tabular
        >>> table = {"rooms": [*range(40)], "size": ["small"] * 20 + ["large"] * 20}
        >>> model = tabular.TabularModel(epochs=50, learning_rate=0.01).fit(table, "size", verbose=0)
        >>> model.save("size.safetensors")
        >>> tabular.TabularModel.load("size.safetensors").predict({"rooms": [0]}).tolist()
        ['small']
        """
        model = load_model(path)
        if _KEY not in model.metadata:
            raise FormatError(
                f"File '{os.fspath(path)}': expected a model of a table, got one without the preparation of "
                "its columns; lamina train and TabularModel.save write them."
            )
        fields = _fields.parse(model.metadata[_KEY])
        if fields.get("version") != _VERSION:
            raise FormatError(
                f"Tabular model: expected version {_VERSION}; a newer lamina may read the file."
            )
        self = cls()
        self.preprocessor = Preprocessor.from_fields(_fields.mapping(fields, "preprocessor"))
        self._model, target = model, target_from(_fields.mapping(fields, "target"))
        self._set_target(target)
        expected = ((None, len(self.preprocessor.feature_names)), (None, target.outputs))
        if (model.input_shape, model.output_shape) != expected:
            raise FormatError(
                f"Tabular model: expected a network from {expected[0][1]} inputs to {expected[1][1]} "
                f"outputs, got one from {model.input_shape} to {model.output_shape}."
            )
        return self

    def _fitted(self) -> tuple[Sequential, Target]:
        if self._model is None or self._target is None:
            raise StateError("TabularModel: expected a fitted model; call fit, or load a file.")
        return self._model, self._target


def _final_scores(model: Sequential, target: Target, parts: list[Any]) -> dict[str, Any]:
    """Return the scores of the last part that has rows: of the test, else of the validation."""
    names = ("training", "validation", "test")
    name, (x, y) = [pair for pair in zip(names, parts, strict=True) if len(pair[1][1])][-1]
    return {"scores_of": name, "scores": scores_of(target, y, _finite(model.predict(x)))}


def _finite(output: NDArray[np.float32]) -> NDArray[np.float32]:
    if not np.isfinite(output).all():
        raise StateError(
            "TabularModel: expected finite predictions, got NaN or infinity: its training has diverged; a "
            "smaller learning rate helps."
        )
    return output


def _best_epoch(history: History) -> int:
    values = history.history.get("val_loss") or history.history["loss"]
    return int(np.nanargmin(values)) + 1 if np.isfinite(values).any() else len(values)


def _balanced(labels: NDArray[np.int64], target: Target) -> dict[int, float]:
    counts = np.bincount(labels, minlength=target.outputs)
    return {i: len(labels) / (target.outputs * int(count)) for i, count in enumerate(counts) if count}
