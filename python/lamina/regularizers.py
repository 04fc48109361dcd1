"""Regularizers: penalties on weights, `l1 * sum|w| + l2 * sum(w^2)`, in the loss and in its gradient."""

from ._configurable import declare, find, public
from ._kinds import Regularizer

L1 = declare(Regularizer, "L1")
L2 = declare(Regularizer, "L2")
L1L2 = declare(Regularizer, "L1L2")
ElasticNet = L1L2


def get(identifier):
    """Return the regularizer that a name, a class, a config or an object stands for; None stays None."""
    return None if identifier is None else find(Regularizer, identifier)


__all__ = public(globals())
