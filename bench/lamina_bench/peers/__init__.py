"""The libraries that are measured. Each file holds one; only a worker imports it, and only its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from lamina._workload import Workload

from .base import Peer


@dataclass(frozen=True)
class Listing:
    """Where a peer is, and what it takes part in."""

    name: str  # for --peers
    package: str  # on PyPI
    module: str
    peer: str
    trains: Callable[[Workload], bool] = lambda workload: True
    predicts: bool = True
    corrects_epsilon: bool = False  # Adam adds epsilon to the corrected root, as in PyTorch's formula


def _loss_like_ours(workload: Workload) -> bool:
    """scikit-learn halves the squared error: the steps of Adam are the same, those of SGD aren't."""
    return workload.loss == "softmax" or workload.optimizer == "adam"


# By the label in the table.
PEERS = {
    "lamina": Listing("lamina", "lamina", "lamina_peer", "LaminaPeer"),
    "NumPy": Listing("numpy", "numpy", "numpy_peer", "NumpyPeer"),
    "PyTorch": Listing("torch", "torch", "torch_peer", "TorchPeer", corrects_epsilon=True),
    "JAX jit": Listing("jax", "jax", "jax_peer", "JaxStepPeer"),
    "JAX scan": Listing("jax", "jax", "jax_peer", "JaxScanPeer", predicts=False),
    "scikit-learn": Listing(
        "sklearn", "scikit-learn", "sklearn_peer", "SklearnPeer", _loss_like_ours, predicts=False
    ),
    "Keras": Listing("keras", "keras", "keras_peer", "KerasPeer"),
    "ONNX Runtime": Listing(
        "onnxruntime", "onnxruntime", "onnx_peer", "OnnxPeer", trains=lambda workload: False
    ),
}
NAMES = list(dict.fromkeys(listing.name for listing in PEERS.values()))


def peer_class(label: str) -> type[Peer]:
    """The class behind a label."""
    listing = PEERS[label]
    found: type[Peer] = getattr(importlib.import_module(f"{__name__}.{listing.module}"), listing.peer)
    return found
