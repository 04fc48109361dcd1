"""Constraints: what weights must satisfy after every update."""

from ._configurable import declare, find, public
from ._kinds import Constraint

MaxNorm = declare(Constraint, "MaxNorm")
NonNeg = declare(Constraint, "NonNeg")
UnitNorm = declare(Constraint, "UnitNorm")
MinMaxNorm = declare(Constraint, "MinMaxNorm")


def get(identifier):
    """Return the constraint that a name, a class, a config or an object stands for; None stays None."""
    return None if identifier is None else find(Constraint, identifier)


__all__ = public(globals())
