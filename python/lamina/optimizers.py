"""Optimizers: rules that move the weights along their gradient, as in Keras 3.

Momentum of `SGD` is `v = momentum * v + (1 - dampening) * g; w -= learning_rate * v`, where `dampening=None`
means `dampening = momentum`; `dampening=0.0` is the classical form of Keras and PyTorch.
"""

from ._configurable import declare, find, public
from ._kinds import Optimizer

SGD = declare(Optimizer, "SGD")
RMSprop = declare(Optimizer, "RMSprop")
Adam = declare(Optimizer, "Adam")
AdamW = declare(Optimizer, "AdamW")
Adamax = declare(Optimizer, "Adamax")
Nadam = declare(Optimizer, "Nadam")
Adagrad = declare(Optimizer, "Adagrad")
Lion = declare(Optimizer, "Lion")


def get(identifier):
    """Return the optimizer that a name, a class, a config or an object stands for."""
    return find(Optimizer, identifier)


__all__ = public(globals())
