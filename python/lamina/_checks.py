"""Checks of what is handed to a model, and models as bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import _core
from .errors import ArgumentError


def _is_reserved(key: str) -> bool:
    return key.startswith("lamina") or key == "trainer"


def _checked_metadata(metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, Mapping):
        raise ArgumentError(f"Expected metadata to be a dict of texts, got {metadata!r}.")
    for key, text in metadata.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise ArgumentError(f"Expected metadata to be a dict of texts, got {key!r}: {text!r}.")
        if _is_reserved(key):
            raise ArgumentError(f"Expected a key of metadata that is not lamina's own, got {key!r}.")
        try:
            (key + text).encode()
        except UnicodeEncodeError:
            raise ArgumentError(f"Expected metadata in Unicode, got half characters in {key!r}.") from None
    return dict(metadata)


def _checked_seed(seed: Any) -> int | None:
    if seed is None:
        return None
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**63:
        raise ArgumentError(f"Expected seed to be None or a whole number in [0, 2**63), got {seed!r}.")
    return int(seed)


def _check_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ArgumentError(f"Expected {name} to be a whole number of at least 1, got {value!r}.")


def _file_bytes(save: Callable[[str], None]) -> bytes:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="lamina-") as folder:
        path = os.path.join(folder, "model.safetensors")
        save(path)
        with open(path, "rb") as file:
            return file.read()


def _from_bytes(data: bytes, load: Callable[[str], _core.Model]) -> _core.Model:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="lamina-") as folder:
        path = os.path.join(folder, "model.safetensors")
        with open(path, "wb") as file:
            file.write(data)
        return load(path)
