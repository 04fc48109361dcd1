"""What the converters share: layers with their weights, gathered one after another and made into a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._configurable import class_named
from .._layer import Layer
from ..errors import ArgumentError
from ..model import Sequential

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Chain:
    """Layers with their weights."""

    def __init__(self) -> None:
        self._layers: list[tuple[str, dict[str, Any]]] = []
        self._weights: list[list[NDArray[Any]]] = []
        self._flat: list[int] = []  # the layers that want rows of one dimension

    def add(self, type_name: str, *weights: NDArray[Any], **fields: Any) -> None:
        """Append a layer of a type with its weights, in the order of `get_weights`."""
        self._layers.append((type_name, fields))
        self._weights.append(list(weights))

    def activate(self, activation: str) -> None:
        """Give the last layer an activation, where it is a Dense without one; else append a layer."""
        if self._layers and self._layers[-1][0] == "Dense" and "activation" not in self._layers[-1][1]:
            self._layers[-1][1]["activation"] = activation
        else:
            self.add("Activation", activation=activation)

    def expect_flat(self) -> None:
        """Refuse rows of several dimensions at the last layer."""
        self._flat.append(len(self._layers) - 1)

    def model(self, input_shape: Sequence[int]) -> Sequential:
        """Make the model: inputs of a shape, without the batch, then the layers."""
        if not self._layers:
            raise ArgumentError("convert: expected a model with layers, got none.")
        layers = [make(name, fields) for name, fields in self._layers]
        model = Sequential([make("Input", {"shape": tuple(input_shape)}), *layers])
        for layer, weights in zip(layers, self._weights, strict=True):
            layer.set_weights([np.asarray(weight, dtype=np.float32) for weight in weights])
        for layer in (layers[index] for index in self._flat):
            if len(layer.output_shape) > 2:
                raise ArgumentError(
                    f"convert: expected rows of one dimension at '{layer.name}', got {layer.output_shape}."
                )
        return model


def make(type_name: str, fields: dict[str, Any]) -> Layer:
    """Make a layer of a type."""
    layer: Layer = class_named("layer", type_name)(**fields)  # type: ignore[assignment]
    return layer


def missing(what: str, package: str, extra: str) -> ImportError:
    """Return the error for an optional package that is not installed."""
    return ImportError(f"{what} needs {package}: pip install 'lamina[{extra}]'")
