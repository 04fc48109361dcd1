"""lamina: deep learning on CPUs, with a C++ core.

In short::

    import lamina as lm

    model = lm.Sequential([lm.Dense(64, activation="relu"), lm.Dense(10, activation="softmax")])
    trainer = lm.Trainer(model, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = trainer.fit(x, y, epochs=10, validation_split=0.1)
    model.save("model.safetensors")

Names, argument order, defaults and numerical definitions are those of Keras 3.
"""

from . import (
    activations,
    callbacks,
    constraints,
    convert,
    datasets,
    errors,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
)
from ._core import __version__
from .config import get_num_threads, set_num_threads, show_config
from .errors import (
    ArgumentError,
    DataError,
    DTypeError,
    FileError,
    FormatError,
    LaminaError,
    NumericalWarning,
    ShapeError,
    StateError,
)
from .history import History
from .layers import *  # noqa: F403
from .model import Sequential, load_model
from .trainer import Trainer

__all__ = [
    "__version__",
    "Sequential",
    "Trainer",
    "History",
    "load_model",
    "activations",
    "callbacks",
    "constraints",
    "convert",
    "datasets",
    "errors",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
    "schedules",
    "get_num_threads",
    "set_num_threads",
    "show_config",
    "LaminaError",
    "ShapeError",
    "ArgumentError",
    "DTypeError",
    "DataError",
    "StateError",
    "FormatError",
    "FileError",
    "NumericalWarning",
]
__all__ += layers.__all__
