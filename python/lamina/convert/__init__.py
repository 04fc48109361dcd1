"""Models from elsewhere, and back: PyTorch, Keras 3, scikit-learn.

What comes out computes what went in: outputs agree to 1e-6 of their size, since both sides hold the same
float32 weights. Each function needs only the package it converts from or to, and `from_keras` of a file needs
h5py alone.
"""

from ._keras import from_keras, load_keras_weights, save_keras_weights
from ._sklearn import from_sklearn
from ._torch import from_torch, to_torch

__all__ = ["from_torch", "to_torch", "from_keras", "load_keras_weights", "save_keras_weights", "from_sklearn"]
