"""Optimizers: rules that move the weights along their gradient, as in Keras 3.

Momentum of `SGD` is `v = momentum * v + (1 - dampening) * g; w -= learning_rate * v`, where `dampening=None`
means `dampening = momentum`; `dampening=0.0` is the classical form of Keras and PyTorch.
"""

from ._configurable import declare, find, public
from ._kinds import Optimizer

SGD = declare(
    Optimizer,
    "SGD",
    notes="""
    w, g and v have the shapes of the weights; one step is one batch, or `gradient_accumulation_steps` of
    them. Momentum: Polyak, 1964; Nesterov's form: Sutskever et al., 2013.
    """,
    example="""
    >>> model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> trainer = lm.Trainer(model, lm.optimizers.SGD(0.1), "mse")
    >>> _ = trainer.train_on_batch([[1]], [[0]])  # the gradient is 2
    >>> model.flat_parameters.round(4)
    array([0.8], dtype=float32)
    >>> lm.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
    """,
)
RMSprop = declare(
    Optimizer,
    "RMSprop",
    notes="Tieleman and Hinton, 2012.",
    example="""
    >>> model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> trainer = lm.Trainer(model, lm.optimizers.RMSprop(0.1), "mse")
    >>> _ = trainer.train_on_batch([[1]], [[0]])  # the gradient is 2
    >>> model.flat_parameters.round(4)
    array([0.6838], dtype=float32)
    """,
)
Adam = declare(
    Optimizer,
    "Adam",
    notes="t counts updates from 1. Kingma and Ba, 2015.",
    example="""
    >>> model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> trainer = lm.Trainer(model, lm.optimizers.Adam(0.1), "mse")
    >>> _ = trainer.train_on_batch([[1]], [[0]])  # the gradient is 2
    >>> model.flat_parameters.round(4)
    array([0.9], dtype=float32)
    """,
)
AdamW = declare(
    Optimizer,
    "AdamW",
    notes="Loshchilov and Hutter, 2019.",
    example="""
    >>> model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> trainer = lm.Trainer(model, lm.optimizers.AdamW(0.1, weight_decay=0.01), "mse")
    >>> _ = trainer.train_on_batch([[1]], [[0]])  # the gradient is 2
    >>> model.flat_parameters.round(4)
    array([0.899], dtype=float32)
    """,
)
Adamax = declare(
    Optimizer,
    "Adamax",
    notes="Kingma and Ba, 2015, section 7.",
    example="""
    >>> model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> trainer = lm.Trainer(model, lm.optimizers.Adamax(0.1), "mse")
    >>> _ = trainer.train_on_batch([[1]], [[0]])  # the gradient is 2
    >>> model.flat_parameters.round(4)
    array([0.9], dtype=float32)
    """,
)
Nadam = declare(
    Optimizer,
    "Nadam",
    notes="Dozat, 2016.",
    example="""
    >>> model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> trainer = lm.Trainer(model, lm.optimizers.Nadam(0.1), "mse")
    >>> _ = trainer.train_on_batch([[1]], [[0]])  # the gradient is 2
    >>> model.flat_parameters.round(4)
    array([0.8937], dtype=float32)
    """,
)
Adagrad = declare(
    Optimizer,
    "Adagrad",
    notes="`a` begins at `initial_accumulator_value`. Duchi et al., 2011.",
    example="""
    >>> model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> trainer = lm.Trainer(model, lm.optimizers.Adagrad(0.1), "mse")
    >>> _ = trainer.train_on_batch([[1]], [[0]])  # the gradient is 2
    >>> model.flat_parameters.round(4)
    array([0.9012], dtype=float32)
    """,
)
Lion = declare(
    Optimizer,
    "Lion",
    notes="Chen et al., 2023.",
    example="""
    >>> model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> trainer = lm.Trainer(model, lm.optimizers.Lion(0.1), "mse")
    >>> _ = trainer.train_on_batch([[1]], [[0]])  # the gradient is 2
    >>> model.flat_parameters.round(4)
    array([0.9], dtype=float32)
    """,
)


def get(identifier):
    """Return the optimizer that a name, a class, a config or an object stands for.

    Parameters
    ----------
    identifier : str, Optimizer, class or dict
        A name, an object, its class, or `{"class_name": ..., "config": {...}}`.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest known one, and for anything else.

    Examples
    --------
    >>> lm.optimizers.get("adam")
    Adam()
    """
    return find(Optimizer, identifier)


__all__ = public(globals())
