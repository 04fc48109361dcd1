"""lamina: deep learning on CPUs, with a C++ core.

In short::

    import lamina as lm

    model = lm.Sequential([lm.Dense(64, activation="relu"), lm.Dense(10, activation="softmax")])
    trainer = lm.Trainer(model, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = trainer.fit(x, y, epochs=10, validation_split=0.1)
    model.save("model.safetensors")

Names, argument order, defaults and numerical definitions are those of Keras 3.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from . import (
    activations,
    callbacks,
    constraints,
    data,
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
from ._dlpack import from_dlpack
from .config import get_cmake_dir, get_num_threads, set_num_threads, show_config
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
    "from_dlpack",
    "activations",
    "callbacks",
    "constraints",
    "convert",
    "data",
    "datasets",
    "errors",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "plotting",
    "regularizers",
    "schedules",
    "get_num_threads",
    "set_num_threads",
    "show_config",
    "get_cmake_dir",
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

if _TYPE_CHECKING:
    from . import convert, plotting


def __getattr__(name: str) -> _Any:
    """Import `lamina.convert` or `lamina.plotting` when it is first used: importing lamina stays quick."""
    if name in ("convert", "plotting"):
        import importlib

        return importlib.import_module(f"lamina.{name}")
    raise AttributeError(f"module 'lamina' has no attribute {name!r}")
