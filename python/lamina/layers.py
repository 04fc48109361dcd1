"""Layers: the steps of a model. A new layer of the core takes one line here.

Shapes are batch first, channels last. `trainable` and `name` are keywords of every layer.
"""

from ._configurable import declare, public
from ._layer import Layer

Input = declare(Layer, "Input")
Dense = declare(Layer, "Dense")
Activation = declare(Layer, "Activation")
Dropout = declare(Layer, "Dropout")
BatchNormalization = declare(Layer, "BatchNormalization")
LayerNormalization = declare(Layer, "LayerNormalization")
Flatten = declare(Layer, "Flatten")
Reshape = declare(Layer, "Reshape")
Rescaling = declare(Layer, "Rescaling")
ActivityRegularization = declare(Layer, "ActivityRegularization")
GaussianNoise = declare(Layer, "GaussianNoise")
LeakyReLU = declare(Layer, "LeakyReLU")
ELU = declare(Layer, "ELU")
Softmax = declare(Layer, "Softmax")

__all__ = public(globals())
