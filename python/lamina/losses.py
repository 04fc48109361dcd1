"""Losses: what training makes small. Formulas, epsilons and defaults are those of Keras 3.

Each is callable on arrays, `MeanSquaredError()(y_true, y_pred)`, and has `value_and_gradient`. A loss of your
own is a subclass of `Loss`.
"""

from ._configurable import declare, find, public
from ._loss import Loss

CategoricalCrossentropy = declare(Loss, "CategoricalCrossentropy")
SparseCategoricalCrossentropy = declare(Loss, "SparseCategoricalCrossentropy")
BinaryCrossentropy = declare(Loss, "BinaryCrossentropy")
NegativeLogLikelihood = declare(Loss, "NegativeLogLikelihood")
MeanSquaredError = declare(Loss, "MeanSquaredError")
MeanAbsoluteError = declare(Loss, "MeanAbsoluteError")
Huber = declare(Loss, "Huber")
LogCosh = declare(Loss, "LogCosh")
Hinge = declare(Loss, "Hinge")
SquaredHinge = declare(Loss, "SquaredHinge")
KLDivergence = declare(Loss, "KLDivergence")
Poisson = declare(Loss, "Poisson")
CosineSimilarity = declare(Loss, "CosineSimilarity")
BinaryFocalCrossentropy = declare(Loss, "BinaryFocalCrossentropy")


def get(identifier):
    """Return the loss that a name, a class, a config or an object stands for."""
    return find(Loss, identifier)


__all__ = public(globals())
