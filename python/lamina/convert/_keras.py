"""Keras 3: models and `.keras` files to lamina models; `.weights.h5` files in and out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._configurable import class_named, schemas
from .._files import file_errors, write_whole
from ..errors import ArgumentError, FormatError, LaminaError
from ..model import Sequential
from ._chain import Chain, missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Config = Mapping[str, Any]
    Path = str | os.PathLike[str]

# Options of Keras's layers that lamina does not have, and the value with which they say nothing.
_UNSAID: dict[str, Any] = {
    "data_format": "channels_last",
    "lora_rank": None,
    "noise_shape": None,
    "quantization_config": None,
    "renorm": False,
    "rms_scaling": False,
}


def from_keras(model: Any) -> Sequential:
    """Make a lamina model of a Keras model: layers, hyperparameters, names and weights.

    Parameters
    ----------
    model : keras.Sequential, or path of a `.keras` file
        With `Dense`, `Activation`, `Dropout`, `BatchNormalization`, `LayerNormalization`, `Flatten`,
        `Reshape`, `Rescaling`, `GaussianNoise`, `ActivityRegularization`, `ReLU`, `LeakyReLU`, `ELU` and
        `Softmax`, nested as you like. A layer that is used twice becomes two layers of equal weights, which
        training does not keep equal. A file is read with h5py alone; Keras need not be installed, and no
        code of the file is run.

    Returns
    -------
    Sequential
        A model of its own, with the regularizers, constraints and `trainable` of the Keras model.

    Raises
    ------
    ArgumentError
        For a model of another kind or one that is not built, for layers and options that lamina does not
        have, and for classes and functions that are not Keras's own, whatever their names.
    ImportError
        For a file, without h5py.
    FileError, FormatError
        For a file that can't be read or is no model of Keras.

    Notes
    -----
    A file holds what Keras wrote, and Keras writes less than it has: it leaves out the second use of a layer,
    and of a function named `relu` that is not registered it keeps the name. Such a file becomes what
    `keras.models.load_model` makes of it.

    Examples
    --------
    >>> import os
    >>> os.environ.setdefault("KERAS_BACKEND", "jax")
    'jax'
    >>> import keras, numpy as np
    >>> import lamina as lm
    >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    >>> model = lm.convert.from_keras(net)
    >>> x = np.ones((2, 4), np.float32)
    >>> np.allclose(model.predict(x), net.predict(x, verbose=0), atol=1e-6)
    True
    """
    if isinstance(model, (str, os.PathLike)):
        return _from_file(model)
    if type(model).__name__ != "Sequential" or not type(model).__module__.startswith("keras."):
        raise ArgumentError(
            "from_keras: expected a keras.Sequential or the path of a .keras file, "
            f"got {type(model).__name__}."
        )
    if not model.built:
        raise ArgumentError("from_keras: expected a built model, got one without weights; call its build().")
    parts = [(_entry(layer), layer.get_weights()) for layer in _layers(model)]
    return _model_of(parts, model.input_shape)


def load_keras_weights(model: Sequential, path: Path) -> None:
    """Read weights that Keras saved into a lamina model with the same layers.

    Parameters
    ----------
    model : Sequential
        A built model.
    path : str or path
        A `.weights.h5` or `.keras` file of Keras 3. Weights are found by the types of the layers and their
        order, as Keras does, not by name.

    Raises
    ------
    ImportError
        Without h5py.
    FileError, FormatError
        For a file that can't be read, lacks a weight, or has one of another shape; then nothing changes.

    Examples
    --------
    >>> import lamina as lm
    >>> model = lm.Sequential([lm.Input((4,)), lm.Dense(3)], seed=0)
    >>> lm.convert.save_keras_weights(model, "net.weights.h5")
    >>> other = lm.Sequential([lm.Input((4,)), lm.Dense(3)], seed=1)
    >>> lm.convert.load_keras_weights(other, "net.weights.h5")
    >>> bool((other.flat_parameters == model.flat_parameters).all())
    True
    """
    model._used("load weights")
    weights = _stored(path, [(type(layer).__name__, len(layer.get_weights())) for layer in model.layers])
    try:
        model.set_weights([weight for layer in weights for weight in layer])
    except LaminaError as error:
        raise FormatError(f"File '{os.fspath(path)}': its weights don't match the model: {error}") from error


def save_keras_weights(model: Sequential, path: Path) -> None:
    """Write the weights for `load_weights` of a Keras model with the same layers.

    Parameters
    ----------
    model : Sequential
        A built model.
    path : str or path
        The file, whose name must end in `.weights.h5`, as Keras wants it. It is written whole or not at all.

    Raises
    ------
    ImportError
        Without h5py.
    ArgumentError
        For a name that ends otherwise.
    FileError
        When the file can't be written.

    Examples
    --------
    >>> import lamina as lm
    >>> model = lm.Sequential([lm.Input((4,)), lm.Dense(3)])
    >>> lm.convert.save_keras_weights(model, "net.weights.h5")  # net.load_weights("net.weights.h5") reads it
    """
    name = os.fspath(path)
    if not name.endswith(".weights.h5"):
        raise ArgumentError(f"save_keras_weights: expected a name that ends in .weights.h5, got '{name}'.")
    model._used("be saved")
    from io import BytesIO

    h5py, memory = _h5py("save_keras_weights"), BytesIO()
    with h5py.File(memory, "w") as file:
        file.create_group("vars").attrs["name"] = "sequential"
        for group, layer in zip(
            _groups([type(layer).__name__ for layer in model.layers]), model.layers, strict=True
        ):
            variables = file.create_group(f"layers/{group}/vars")
            variables.attrs["name"] = layer.name
            for i, weight in enumerate(layer.get_weights()):
                variables[str(i)] = weight
    write_whole(name, memory.getvalue())


# ---- configurations


def _layers(model: Any) -> Iterator[Any]:
    """Layers of a `keras.Sequential` in order, of nested ones too; those used twice come twice.

    `get_config` leaves out the second use.
    """
    for layer in model.layers:
        if type(layer).__name__ == "Sequential" and type(layer).__module__.startswith("keras."):
            yield from _layers(layer)
        else:
            yield layer


def _entry(layer: Any) -> Config:
    """Return what a Keras file holds of a layer, once it is one of Keras's own."""
    kind = type(layer)
    entry = {"module": kind.__module__, "class_name": kind.__name__}
    _check_own(entry, layer.name)
    activation = getattr(layer, "activation", None)
    if activation is not None:  # get_config() writes the name alone
        home = str(getattr(activation, "__module__", None))
        if not home.startswith("keras.") or ".activations" not in home:
            name = getattr(activation, "__qualname__", type(activation).__qualname__)
            raise ArgumentError(
                f"from_keras: expected an activation of keras.activations at '{layer.name}', "
                f"got {home}.{name}."
            )
    return {**entry, "config": layer.get_config()}


def _check_own(entry: Config, name: str = "") -> None:
    """Refuse a class that is not Keras's own: by the name of one, it may compute anything."""
    module, registered = str(entry.get("module")), entry.get("registered_name")
    if registered is not None or not f"{module}.".startswith("keras."):
        named = f"{entry['class_name']}{f' {name!r}' if name else ''}"
        home = f"of {module}" if registered is None else f"registered as '{registered}'"
        raise ArgumentError(f"from_keras: expected classes of Keras's own, got {named} {home}.")


def _model_of(parts: Sequence[tuple[Config, Sequence[NDArray[Any]]]], shape: Any) -> Sequential:
    """Return the model of the configurations of layers, with their weights."""
    chain, names = Chain(), set()
    for entry, weights in parts:
        own = entry["config"]
        if own["name"] in names:  # a layer's second use
            own = {option: value for option, value in own.items() if option != "name"}
        names.add(entry["config"]["name"])
        count = _add(chain, entry["class_name"], own)
        if count != len(weights):
            raise FormatError(
                f"from_keras: expected {count} arrays of weights for '{entry['config']['name']}', "
                f"got {len(weights)}."
            )
        chain._weights[-1] = list(weights)
    if shape is None or any(extent is None for extent in shape[1:]):
        raise ArgumentError(f"from_keras: expected a model with a known input shape, got {shape}.")
    return chain.model(tuple(shape[1:]))


def _add(chain: Chain, name: str, config: Config) -> int:
    """Append a layer of a Keras configuration, its weights to come; return how many there are."""
    if name == "ReLU":
        chain.add("Activation", activation=_relu(config))
        return 0
    if name not in schemas("layer") or name == "Input":
        raise ArgumentError(
            f"from_keras: expected layers that lamina has, got {name} '{config.get('name')}'."
        )
    for option, value in config.items():
        if option in _UNSAID and value != _UNSAID[option]:
            expected = f"{option}={_UNSAID[option]!r} of {name} '{config['name']}'"
            raise ArgumentError(f"from_keras: expected {expected}, got {value!r}.")
    known = {field["name"] for field in schemas("layer")[name]["fields"]}
    fields = {option: _value(option, value) for option, value in config.items() if option in known}
    chain.add(name, **{option: value for option, value in fields.items() if value is not None})
    if name == "Dense":
        return 1 + bool(config.get("use_bias", True))
    affine = bool(config.get("center", True)) + bool(config.get("scale", True))
    return {"BatchNormalization": affine + 2, "LayerNormalization": affine}.get(name, 0)


def _relu(config: Config) -> str:
    """Return the activation that Keras's layer `ReLU` is."""
    known = {(None, 0.0, 0.0): "relu", (6.0, 0.0, 0.0): "relu6", (None, 0.2, 0.0): "leaky_relu"}
    options = tuple(config.get(option) for option in ("max_value", "negative_slope", "threshold"))
    limit, slope, threshold = options[0], options[1] or 0.0, options[2] or 0.0
    if (limit, slope, threshold) not in known:
        raise ArgumentError(
            "from_keras: expected ReLU with max_value None or 6 and no slope or threshold, "
            f"got {options} at '{config['name']}'."
        )
    return known[limit, slope, threshold]


def _value(option: str, value: Any) -> Any:
    """Return a field of a Keras configuration as lamina takes it; None where lamina's default will do."""
    if not isinstance(value, Mapping) or "class_name" not in value:
        return list(value) if isinstance(value, tuple) and option == "axis" else value
    kind = option.rpartition("_")[2]
    if kind not in ("initializer", "regularizer", "constraint"):
        raise ArgumentError(f"from_keras: expected {option} by name, got {value['class_name']}.")
    known = {schema["type"]: schema for schema in schemas(kind).values()}
    schema = known.get(value["class_name"])
    if schema is None:
        if kind == "initializer":
            return None  # the weights are there already
        raise ArgumentError(f"from_keras: expected a {kind} that lamina has, got {value['class_name']}.")
    if kind != "initializer":
        _check_own(value)
    names = {field["name"] for field in schema["fields"]}
    own = {name: item for name, item in value["config"].items() if name in names and item is not None}
    return class_named(kind, value["class_name"])(**own)


# ---- files


def _h5py(what: str) -> Any:
    try:
        import h5py
    except ImportError as error:
        raise missing(what, "h5py", "keras") from error
    return h5py


def _from_file(path: Path) -> Sequential:
    import json

    name = os.fspath(path)
    try:
        entry = json.loads(_member(path, "config.json"))
        if entry["class_name"] != "Sequential":
            raise ArgumentError(f"from_keras: expected a file with a keras.Sequential, got '{name}'.")
        _check_own(entry)
        config, probe, shape = entry["config"], Chain(), entry["config"].get("build_input_shape")
        parts = []
        for part in config["layers"]:
            _check_own(part, str(part["config"].get("name", "")))
            if part["class_name"] == "InputLayer":
                own = part["config"]
                shape = own.get("batch_shape") or own.get("batch_input_shape") or shape
            else:
                parts.append(part)
        if any(part["class_name"] == "Sequential" for part in parts):
            raise ArgumentError(
                f"from_keras: expected a file without nested models, got '{name}'; load it with Keras first."
            )
        wanted = [(part["class_name"], _add(probe, part["class_name"], part["config"])) for part in parts]
        return _model_of(list(zip(parts, _stored(path, wanted), strict=True)), shape)
    except LaminaError:
        raise
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise FormatError(
            f"File '{name}': expected a .keras file of Keras 3, got another: {error!r}."
        ) from error


def _member(path: Path, member: str) -> bytes:
    """Read a file of an archive; one that claims to be much larger than the archive is refused."""
    import zipfile

    name = os.fspath(path)
    try:
        with file_errors(path, "read"), zipfile.ZipFile(name) as archive:
            if archive.getinfo(member).file_size > os.path.getsize(name) + 2**24:
                raise FormatError(f"File '{name}': expected {member} of at most the file's size, got more.")
            return archive.read(member)
    except (zipfile.BadZipFile, KeyError) as error:
        raise FormatError(
            f"File '{name}': expected a .keras file of Keras 3, got another: {error}."
        ) from error


def _groups(types: Sequence[str]) -> list[str]:
    """Names of the layers' groups in Keras's files: types in snake case, numbered within the model."""
    seen: dict[str, int] = {}
    names = []
    for name in types:
        snake = {
            "BatchNormalization": "batch_normalization",
            "LayerNormalization": "layer_normalization",
        }.get(name, name.lower())
        names.append(f"{snake}_{seen[snake]}" if snake in seen else snake)
        seen[snake] = seen.get(snake, 0) + 1
    return names


def _stored(path: Path, wanted: Sequence[tuple[str, int]]) -> list[list[NDArray[Any]]]:
    """Read the weights of layers of the given types, with so many weights each."""
    from io import BytesIO
    from zipfile import is_zipfile

    name, h5py = os.fspath(path), _h5py("Reading weights of Keras")
    if is_zipfile(name):
        content = _member(path, "model.weights.h5")
    else:
        with file_errors(path, "read"), open(name, "rb") as plain:
            content = plain.read()
    found = []
    try:
        with h5py.File(BytesIO(content), "r") as file:
            for group, (_, count) in zip(_groups([kind for kind, _ in wanted]), wanted, strict=True):
                found.append([np.array(file[f"layers/{group}/vars/{i}"]) for i in range(count)])
    except (KeyError, OSError, ValueError) as error:
        raise FormatError(f"File '{name}': expected weights of Keras 3 for this model: {error}.") from error
    return found
