"""The base class of layers: hyperparameters, and the weights that a layer has within a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _core
from ._arrays import as_float32
from ._configurable import Configurable
from .errors import ArgumentError, ShapeError, StateError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Layer(Configurable):
    """A step of a model.

    Weights exist once the layer stands in a model that is built. Each can be read and written by its name, as
    a float32 array over the model's own memory: `layer.kernel[:] = 0`.

    Examples
    --------
    >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
    >>> first, second = model.layers
    >>> first.name, first.kernel.shape, second.output_shape
    ('dense', (3, 4), (None, 2))
    >>> first.kernel[:] = 0
    """

    _kind = "layer"
    _handle: _core.Layer
    _model: _core.Model | None = None  # where it stands, and at which index
    _index: int = -1
    _frozen: bool | None = None  # `trainable` as set before it stood in a model, negated

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("name", "") is None:
            del kwargs["name"]
        super().__init__(*args, **kwargs)

    def _values(self) -> dict[str, Any]:
        values = super()._values()
        return {**values, "name": values["name"] or None}

    @property
    def name(self) -> str:
        """Its name: the given one, or its type numbered within the model (`dense`, `dense_1`).

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> [layer.name for layer in model.layers]
        ['dense', 'dense_1']
        """
        if self._model is not None:
            return self._model.layer_name(self._index)
        return self._values()["name"] or _snake_case(type(self).__name__)

    @property
    def trainable(self) -> bool:
        """False freezes the layer: its weights and statistics stay as they are. May be set at any time.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.layers[0].trainable = False
        >>> model.trainable, model.layers[0].trainable
        (True, False)
        """
        if self._model is not None:
            return self._model.trainable(self._index)
        return bool(self._values()["trainable"]) if self._frozen is None else not self._frozen

    @trainable.setter
    def trainable(self, trainable: bool) -> None:
        if not isinstance(trainable, (bool, np.bool_)):
            raise ArgumentError(
                f"{self._title()}: expected trainable to be True or False, got {trainable!r}."
            )
        self._frozen = not trainable
        if self._model is not None:
            self._model.set_trainable(self._index, bool(trainable))

    @property
    def built(self) -> bool:
        """Whether it has weights: it stands in a model whose input shape is known.

        Examples
        --------
        >>> layer = lm.Dense(2)
        >>> layer.built
        False
        >>> model = lm.Sequential([lm.Input((3,)), layer])
        >>> layer.built
        True
        """
        return self._model is not None and self._model.built()

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of its output, with None for the batch. `StateError` before it is built.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.layers[0].output_shape
        (None, 4)
        """
        shape = self._owner("its output shape").layer_output_shape(self._index)
        assert shape is not None
        return (None, *shape)

    def count_params(self) -> int:
        """How many numbers its weights hold. `StateError` before it is built.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.layers[0].count_params()  # 3 * 4 + 4
        16
        """
        return self._count(parameters=True) + self._count(parameters=False)

    def get_weights(self) -> list[NDArray[np.float32]]:
        """Return copies of its weights: parameters, then statistics. `StateError` before it is built.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> [weight.shape for weight in model.layers[0].get_weights()]
        [(3, 4), (4,)]
        """
        return [weight.copy() for weight in self._views()]

    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Set its weights, in the order of `get_weights`.

        `ShapeError` unless there are as many arrays as weights, of the same shapes; then nothing changes.

        Examples
        --------
        >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu"), lm.Dense(2)], seed=0)
        >>> model.layers[0].set_weights([np.ones((3, 4)), np.zeros(4)])
        >>> model.layers[0].set_weights([np.ones((4, 3)), np.zeros(4)])
        Traceback (most recent call last):
            ...
        lamina.ShapeError: Dense 'dense': expected kernel of shape (3, 4), got (4, 3).
        """
        views = self._views()
        if len(weights) != len(views):
            raise ShapeError(f"{self._title()}: expected {len(views)} arrays of weights, got {len(weights)}.")
        names = self._weight_names()
        arrays = [as_float32(array, name) for array, name in zip(weights, names, strict=True)]
        for name, view, array in zip(names, views, arrays, strict=True):
            self._check_weight(name, view, array)
        for view, array in zip(views, arrays, strict=True):
            view[...] = array

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            if self.built and name in self._weight_names():
                return self._owner(name).weight(self._index, name)
            if not self.built and name in (
                "kernel",
                "bias",
                "gamma",
                "beta",
                "moving_mean",
                "moving_variance",
            ):
                raise AttributeError(
                    f"{self._title()}: no weight '{name}' yet; weights exist once the model is built.",
                    name=name,
                    obj=self,
                )
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and self.built and name in self._weight_names():
            view = self._owner(name).weight(self._index, name)
            array = as_float32(value, name)
            self._check_weight(name, view, array)
            view[...] = array
        else:
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(self._weight_names() if self.built else ())})

    def _attribute_names(self) -> list[str]:
        weights = self._weight_names() if self.built else []
        return super()._attribute_names() + weights

    def _attach(self, model: _core.Model, index: int) -> None:
        """Let it stand in a model."""
        self._model, self._index = model, index
        if self._frozen is not None:
            model.set_trainable(index, not self._frozen)

    def _owner(self, what: str) -> _core.Model:
        if self._model is None or not self._model.built():
            raise StateError(
                f"{self._title()}: expected a layer of a built model to give {what}, got one that is not."
            )
        return self._model

    def _count(self, parameters: bool) -> int:
        weights = self._owner("weights").weight_specs(self._index)
        return sum(math.prod(shape) for _, shape, is_parameter in weights if is_parameter == parameters)

    def _weight_names(self) -> list[str]:
        return [name for name, _, _ in self._owner("weights").weight_specs(self._index)]

    def _views(self) -> list[NDArray[np.float32]]:
        owner = self._owner("weights")
        return [owner.weight(self._index, name) for name in self._weight_names()]

    def _check_weight(self, name: str, view: NDArray[Any], array: NDArray[Any]) -> None:
        if view.shape != array.shape:
            raise ShapeError(f"{self._title()}: expected {name} of shape {view.shape}, got {array.shape}.")

    def _title(self) -> str:
        return f"{type(self).__name__} '{self.name}'"


def _snake_case(name: str) -> str:
    result = ""
    for i, letter in enumerate(name):
        lower_near = (i > 0 and not name[i - 1].isupper()) or (
            i + 1 < len(name) and not name[i + 1].isupper()
        )
        result += "_" * (i > 0 and letter.isupper() and lower_near) + letter.lower()
    return result
