"""Models: layers in a chain, and the weights they share out of one memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._arrays import as_float32, as_rows
from ._batches import parts_of
from ._checks import _check_count, _checked_metadata, _checked_seed, _file_bytes, _from_bytes, _is_reserved
from ._configurable import wrap
from ._dot import to_dot
from ._files import write_whole
from ._layer import Layer
from ._notebook import show_table
from ._progress import duration, in_notebook
from ._summary import summary, summary_html
from .data import Dataset
from .errors import ArgumentError, ShapeError, StateError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Sequential", "load_model"]


class Sequential:
    """A chain of layers.

    It is built, that is given its shapes and weights, at once if its first layer is `Input`, else at first
    sight of data or by `build`. Weights are drawn at first need.

    Parameters
    ----------
    layers : iterable of Layer, default ()
        An `Input` is not listed in `model.layers`, as in Keras. A layer object may stand in one model, once.
    seed : int or None, default None
        For the initial weights. None leaves them to the seed of the first `Trainer`, or to chance.

    Raises
    ------
    ArgumentError
        For what is no layer, for a layer that stands in a model already, and for equal names.
    ShapeError
        For a layer that does not fit the one before it.

    Examples
    --------
    >>> model = lm.Sequential([lm.Dense(16, "relu"), lm.Dense(1)], seed=0)
    >>> model.build((3,))
    >>> model.predict(np.zeros((2, 3))).shape
    (2, 1)
    """

    def __init__(self, layers: Iterable[Layer] = (), seed: int | None = None) -> None:
        if isinstance(layers, Layer) or not isinstance(layers, Iterable):
            raise ArgumentError(f"Sequential: expected a list of layers, got {layers!r}.")
        self._seed = _checked_seed(seed)
        self._layers: list[Layer] = []
        self._input: Layer | None = None
        self._core: _core.Model | None = None
        self._in_use = False  # weights were given out, or a trainer was made
        self._metadata: dict[str, str] = {}
        self._extend(list(layers))

    @classmethod
    def _wrap(cls, core: _core.Model, metadata: Mapping[str, str] | None = None) -> Sequential:
        """Return the Python model of one of the core, with Python layers of its own."""
        self = cls.__new__(cls)
        self._seed, self._core, self._input, self._in_use = core.seed(), core, None, True
        self._metadata = {key: text for key, text in (metadata or {}).items() if not _is_reserved(key)}
        self._layers = [wrap(Layer, core.layer(index)) for index in range(core.num_layers())]
        for index, layer in enumerate(self._layers):
            layer._attach(core, index)
        return self

    # ---- structure

    @property
    def layers(self) -> list[Layer]:
        """The layers, without `Input`: the very objects that the model was made from.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.layers
        [Dense(4, activation='relu'), Dense(2)]
        """
        return list(self._layers)

    def add(self, layer: Layer) -> None:
        """Append a layer. `StateError` once the weights have been used; see the class for other errors.

        Examples
        --------
        >>> model = lm.Sequential()
        >>> model.add(lm.Input((3,)))
        >>> model.add(lm.Dense(2))
        >>> model
        Sequential([Input((3,)), Dense(2)])
        """
        if self._in_use:
            raise StateError(
                "Sequential.add: expected a model whose weights have not been used yet; make a new one."
            )
        self._extend([layer])

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or by its index. `ArgumentError` where there is none.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.get_layer("dense_1") is model.get_layer(index=1)
        True
        """
        if (name is None) == (index is None):
            raise ArgumentError("Sequential.get_layer: expected either a name or an index.")
        if index is not None:
            if not -len(self._layers) <= index < len(self._layers):
                raise ArgumentError(
                    f"Sequential.get_layer: expected an index of {len(self._layers)} layers, got {index}."
                )
            return self._layers[index]
        for layer in self._layers:
            if layer.name == name:
                return layer
        known = ", ".join(f"'{layer.name}'" for layer in self._layers) or "none"
        raise ArgumentError(f"Sequential.get_layer: expected one of {known}, got '{name}'.")

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Give a lazily built model its input shape: that of one row, or with None for the batch in front.

        `StateError` when it is built with another shape; `ShapeError` when a layer does not fit.

        Parameters
        ----------
        input_shape : tuple of int
            `(784,)` or `(None, 784)`.

        Examples
        --------
        >>> model = lm.Sequential([lm.Dense(2)])
        >>> model.build((None, 3))
        >>> model.input_shape
        (None, 3)
        """
        shape = tuple(input_shape)
        shape = shape[1:] if shape and shape[0] is None else shape
        if not all(isinstance(extent, (int, np.integer)) and extent >= 0 for extent in shape):
            raise ShapeError(f"Sequential.build: expected a shape such as (784,), got {tuple(input_shape)}.")
        self._model().build(tuple(int(extent) for extent in shape if extent is not None))

    @property
    def built(self) -> bool:
        """Whether the input shape is known.

        Examples
        --------
        >>> lm.Sequential([lm.Dense(2)]).built
        False
        """
        return self._core is not None and self._core.built()

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of the inputs, with None for the batch. `StateError` before the model is built.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.input_shape
        (None, 3)
        """
        return (None, *self._model().input_shape())

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of the outputs, with None for the batch. `StateError` before the model is built.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.output_shape
        (None, 2)
        """
        return (None, *self._model().output_shape())

    @property
    def trainable(self) -> bool:
        """Whether any layer is trainable; setting it sets every layer's.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.trainable = False
        >>> [layer.trainable for layer in model.layers]
        [False, False]
        """
        return any(layer.trainable for layer in self._layers)

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        for layer in self._layers:
            layer.trainable = trainable

    @property
    def seed(self) -> int | None:
        """The seed of the initial weights, or None.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.seed
        0
        """
        return self._seed

    # ---- predictions

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = 0) -> NDArray[np.float32]:
        """Predict rows.

        Parameters
        ----------
        x : array of shape (n, ...), or Dataset
            Any numeric type; a list or a data frame, too. Of a Dataset's batches x is taken.
        batch_size : int or None, default None
            Rows at a time. It changes memory and speed, never the result.
        verbose : int, default 0
            1 prints how many rows took how long.

        Returns
        -------
        numpy.ndarray
            float32, `(n, ...)`.

        Raises
        ------
        StateError
            Before the model is built.
        ShapeError, DTypeError
            For an x that does not fit.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.predict(np.zeros((5, 3)))[0]
        array([0., 0.], dtype=float32)
        """
        if batch_size is not None:
            _check_count("batch_size", batch_size)
        if verbose in (0, "auto"):
            if isinstance(x, Dataset):
                return self._predict_batches(x, batch_size)
            return self._used("predict").predict(as_rows(x, "x"), batch_size)
        start = perf_counter()
        y = self.predict(x, batch_size)
        print(f"predicted {len(y):,} rows in {duration(perf_counter() - start)}")
        return y

    def __call__(self, x: Any) -> NDArray[np.float32]:
        """`predict(x)`."""
        return self.predict(x)

    def _predict_batches(self, data: Dataset, batch_size: int | None) -> NDArray[np.float32]:
        model = self._used("predict")
        parts = [model.predict(parts_of(batch)[0], batch_size) for batch in data]
        return np.concatenate(parts or [np.empty((0, *model.output_shape()), np.float32)])

    # ---- weights

    def count_params(self) -> int:
        """How many numbers all weights hold, statistics included. `StateError` before the model is built.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.count_params()  # 3 * 4 + 4, and 4 * 2 + 2
        26
        """
        return sum(self._params())

    def get_weights(self) -> list[NDArray[np.float32]]:
        """Return copies of all weights: layer by layer, parameters before statistics.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> [weight.shape for weight in model.get_weights()]
        [(3, 4), (4,), (4, 2), (2,)]
        """
        self._used("give its weights")
        return [weight for layer in self._layers for weight in layer.get_weights()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set all weights, in the order of `get_weights`.

        `ShapeError` unless there are as many arrays, of the same shapes; then nothing changes.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> weights = model.get_weights()
        >>> model.set_weights([0 * weight for weight in weights])
        >>> model.predict([[1, 2, 3]])
        array([[0., 0.]], dtype=float32)
        """
        self._used("set its weights").set_weights(
            [as_float32(array, f"weights[{i}]") for i, array in enumerate(weights)]
        )

    @property
    def flat_parameters(self) -> NDArray[np.float32]:
        """All parameters as one writable float32 array over the model's own memory, layer by layer.

        Frozen layers are included; statistics of batch normalization are not. The array stays valid while it
        lives. `StateError` before the model is built.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.flat_parameters[:] = 1
        >>> model.predict([[1, 2, 3]])  # 4 * (1 + 2 + 3 + 1) + 1
        array([[29., 29.]], dtype=float32)
        """
        return self._used("give its parameters").flat_parameters()

    # ---- files

    @property
    def metadata(self) -> dict[str, str]:
        """Texts of yours that go into the file with `save`, and come back with `load_model`.

        Keys that begin with "lamina", and "trainer", are lamina's own: `ArgumentError` when setting them.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4)])
        >>> model.metadata = {"trained on": "2,000 flats"}
        >>> model.save("model.safetensors")
        >>> lm.load_model("model.safetensors").metadata
        {'trained on': '2,000 flats'}
        """
        return dict(self._metadata)

    @metadata.setter
    def metadata(self, metadata: Mapping[str, str]) -> None:
        self._metadata = _checked_metadata(metadata)

    def save(self, path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None) -> None:
        """Write architecture and weights to a safetensors file, whole or not at all.

        `metadata` are texts to keep beside them, `model.metadata` by default; 4 MB of header is the limit.
        `FileError` when the path can't be written, `StateError` before the model is built.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.save("model.safetensors")
        >>> lm.load_model("model.safetensors").count_params()
        26
        """
        texts = self._metadata if metadata is None else _checked_metadata(metadata)
        self._used("be saved").save(os.fspath(path), texts)

    def save_weights(self, path: str | os.PathLike[str]) -> None:
        """Write the weights alone to a safetensors file; errors as `save`.

        Parameters
        ----------
        path : str or path
            The file.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.save_weights("weights.safetensors")
        """
        self._used("be saved").save_weights(os.fspath(path))

    def load_weights(self, path: str | os.PathLike[str]) -> None:
        """Read weights from any safetensors file whose names (`dense_1/kernel`) and shapes match.

        `FileError` when it can't be read, `FormatError` when it is damaged or does not match.

        Parameters
        ----------
        path : str or path
            The file.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.save_weights("weights.safetensors")
        >>> model.load_weights("weights.safetensors")
        >>> lm.Sequential([lm.Input((3,)), lm.Dense(4)]).load_weights("absent.safetensors")
        Traceback (most recent call last):
            ...
        lamina.FileError: ...
        """
        self._used("load weights").load_weights(os.fspath(path))

    def clone(self) -> Sequential:
        """Return a model of its own with the same layers and weights.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> copy = model.clone()
        >>> copy.flat_parameters[:] = 0
        >>> bool((model.get_weights()[0] == 0).any())
        False
        """
        if not self._layers:
            return Sequential([], self._seed)
        core = self._model().clone()
        copy = Sequential.__new__(Sequential)
        copy._seed, copy._core, copy._in_use = core.seed(), core, self._in_use
        copy._input = None if self._input is None else type(self._input)._wrap(self._input._handle)
        copy._metadata = dict(self._metadata)
        copy._layers = [type(layer)._wrap(layer._handle) for layer in self._layers]
        for index, layer in enumerate(copy._layers):
            layer._attach(core, index)
        return copy

    # ---- text

    def summary(
        self, line_length: int | None = None, print_fn: Callable[[str], object] | None = None
    ) -> None:
        """Print a table of the layers: name (type), output shape, number of parameters; and their totals.

        `line_length` is in characters, the table's own width by default; `print_fn` gets the whole text
        instead of `print`. In a notebook the table is shown as HTML, and so it is for a model alone in a
        cell.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4)])
        >>> model.summary(print_fn=lambda text: print("dense (Dense)" in text))
        True
        """
        text = summary(self, line_length)
        if print_fn is None and in_notebook():
            show_table(text, summary_html(self))
        else:
            (print_fn or print)(text)

    def _repr_html_(self) -> str:
        return summary_html(self)

    def to_dot(
        self, path: str | os.PathLike[str] | None = None, show_shapes: bool = True, rankdir: str = "TB"
    ) -> str:
        """Return the graph in DOT, Graphviz's language: `dot -Tsvg model.dot -o model.svg` draws it.

        Parameters
        ----------
        path : str, path or None, default None
            Where to write it as well. `FileError` where that can't be.
        show_shapes : bool, default True
            Whether to show output shapes and numbers of parameters, where the model is built.
        rankdir : 'TB', 'LR', 'BT' or 'RL', default 'TB'
            Where the graph runs: from top to bottom, from left to right, ...

        Examples
        --------
        >>> print(lm.Sequential([lm.Dense(4), lm.Dense(2)]).to_dot())
        digraph model {
          ...
          n0 [label="dense (Dense)"];
          n1 [label="dense_1 (Dense)"];
          n0 -> n1;
        }
        """
        text = to_dot(self, show_shapes, rankdir)
        if path is not None:
            write_whole(path, text.encode("utf-8"))
        return text

    def __repr__(self) -> str:
        inner = [
            repr(layer) for layer in [*([self._input] if self._input is not None else []), *self._layers]
        ]
        if self._input is None and self.built:
            inner.insert(0, f"Input({self._model().input_shape()})")
        seed = "" if self._seed is None else f", seed={self._seed}"
        return f"Sequential([{', '.join(inner)}]{seed})"

    # ---- copies

    def __getstate__(self) -> dict[str, Any]:
        if self.built:
            return {"file": _file_bytes(self._used("be copied").save), "metadata": self._metadata}
        layers = [*([self._input] if self._input is not None else []), *self._layers]
        frozen = [layer._frozen for layer in layers]
        return {"layers": layers, "frozen": frozen, "seed": self._seed, "metadata": self._metadata}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "file" in state:
            self.__dict__.update(Sequential._wrap(_from_bytes(state["file"], _core.load_model)).__dict__)
            for index, layer in enumerate(self._layers):
                layer._attach(self._model(), index)
            self._metadata = dict(state.get("metadata", {}))
            return
        for layer, frozen in zip(state["layers"], state["frozen"], strict=True):
            layer._frozen = frozen
        self.__init__(state["layers"], state["seed"])  # type: ignore[misc]
        self._metadata = dict(state.get("metadata", {}))

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            hint = ""
            if name in ("compile", "fit", "evaluate", "train_on_batch", "test_on_batch"):
                hint = "; a lamina.Trainer(model, optimizer, loss) trains it"
            raise AttributeError(f"Sequential: no attribute '{name}'{hint}.", name=name, obj=self)

    # ---- inside

    def _extend(self, layers: list[Any]) -> None:
        for layer in layers:
            if not isinstance(layer, Layer):
                hint = "; it is a class: call it" if isinstance(layer, type) else ""
                raise ArgumentError(f"Sequential: expected objects of lamina.layers, got {layer!r}{hint}.")
            if any(layer is other for other in self._layers) or sum(layer is other for other in layers) > 1:
                raise ArgumentError(
                    f"Sequential: expected each layer object once, got {layer!r} twice; make a second one."
                )
            if layer._model is not None:
                raise ArgumentError(
                    f"Sequential: expected a layer that stands in no other model, got '{layer.name}'; "
                    "make a new one."
                )
        inputs = [self._input] if self._input is not None else []
        chain = [*inputs, *self._layers, *layers]
        bodies = [layer for layer in chain if type(layer).__name__ != "Input"]
        if len(chain) - len(bodies) > 1 or (len(chain) > len(bodies) and chain[0] in bodies):
            raise ArgumentError("Sequential: expected Input as the first layer only.")
        if bodies:
            core = _core.Model.sequential([layer._handle for layer in chain], self._seed)
            for index, layer in enumerate(bodies):
                layer._attach(core, index)
            self._core = core
        self._layers = bodies
        self._input = chain[0] if len(chain) > len(bodies) else None

    def _model(self) -> _core.Model:
        if self._core is None:
            raise StateError("Sequential: expected a model with layers, got none; add() some.")
        return self._core

    def _used(self, purpose: str) -> _core.Model:
        """Return the core's model, which must be built, for something that reads or moves its weights."""
        model = self._model()
        if not model.built():
            raise StateError(
                f"Sequential: expected a built model to {purpose}, got one without an input shape; fit it, "
                "call build(input_shape), or begin with Input."
            )
        self._in_use = True
        return model

    def _params(self) -> tuple[int, int, int]:
        """Numbers in trainable parameters, in statistics, and in frozen parameters."""
        total, trainable, _ = self._model().count_params()
        statistics = sum(layer._count(parameters=False) for layer in self._layers)
        return trainable, statistics, total - trainable - statistics


def load_model(path: str | os.PathLike[str]) -> Sequential:
    """Read a model, layers and weights, from a file that `save` wrote.

    `FileError` when it can't be read, `FormatError` when it is damaged or holds no model of lamina. Loading
    runs no code.

    Parameters
    ----------
    path : str or path
        The file.

    Examples
    --------
    >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
    >>> model.save("model.safetensors")
    >>> copy = lm.load_model("model.safetensors")
    >>> bool((copy.flat_parameters == model.flat_parameters).all())
    True
    """
    return Sequential._wrap(*_core.load_model_and_metadata(os.fspath(path)))
