"""Fitted models as bytes of safetensors files, for pickles."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory
from typing import Any

from .._kinds import callable_name, is_python_schedule
from ..errors import FormatError
from ..model import Sequential, load_model
from ..trainer import Trainer

_NAME = "model.safetensors"


def to_bytes(model: Sequential, trainer: Trainer | None) -> bytes:
    """Return the model's file, or the checkpoint of its training, which is one, too."""
    with TemporaryDirectory(prefix="lamina-") as folder:
        path = os.path.join(folder, _NAME)
        (model if trainer is None else trainer).save(path)
        with open(path, "rb") as file:
            return file.read()


def from_bytes(data: Any, is_checkpoint: bool, parts: list[Any]) -> tuple[Sequential, Trainer | None]:
    """Read what `to_bytes` gave; `parts` are losses and rates of the estimator, some written in Python.

    `FormatError` for anything else. It runs no code that the bytes could choose.
    """
    if not isinstance(data, bytes):
        raise FormatError(f"Estimator: expected the bytes of a safetensors file, got {type(data).__name__}.")
    with TemporaryDirectory(prefix="lamina-") as folder:
        path = os.path.join(folder, _NAME)
        with open(path, "wb") as file:
            file.write(data)
        if not is_checkpoint:
            return load_model(path), None
        custom = {callable_name(part): part for part in parts if is_python_schedule(part)}
        custom |= {type(part).__name__: part for part in parts if hasattr(part, "value_and_gradient")}
        trainer = Trainer.load(path, custom_objects=custom)
        return trainer.model, trainer
