"""Constraints: what weights must satisfy after every update."""

from ._configurable import declare, find, public
from ._kinds import Constraint

MaxNorm = declare(
    Constraint,
    "MaxNorm",
    notes="Called on an array it returns the constrained one; so does training, after every update.",
    example="""
    >>> lm.constraints.MaxNorm(1.0)([[3.0], [4.0]]).round(4)
    array([[0.6],
           [0.8]], dtype=float32)
    >>> layer = lm.Dense(8, kernel_constraint=lm.constraints.MaxNorm(2.0))
    """,
)
NonNeg = declare(
    Constraint,
    "NonNeg",
    notes="Keeps the shape.",
    example="""
    >>> lm.constraints.NonNeg()([-1, 0, 2])
    array([0., 0., 2.], dtype=float32)
    """,
)
UnitNorm = declare(
    Constraint,
    "UnitNorm",
    notes="Keeps the shape.",
    example="""
    >>> lm.constraints.UnitNorm()([[3.0], [4.0]]).round(4)
    array([[0.6],
           [0.8]], dtype=float32)
    """,
)
MinMaxNorm = declare(
    Constraint,
    "MinMaxNorm",
    notes="Keeps the shape.",
    example="""
    >>> lm.constraints.MinMaxNorm(min_value=1.0, max_value=2.0)([[3.0], [4.0]]).round(4)
    array([[1.2],
           [1.6]], dtype=float32)
    """,
)


def get(identifier):
    """Return the constraint that a name, a class, a config or an object stands for; None stays None.

    Parameters
    ----------
    identifier : str, Constraint, class or dict
        A name, an object, its class, or `{"class_name": ..., "config": {...}}`.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest known one, and for anything else.

    Examples
    --------
    >>> lm.constraints.get("non_neg")
    NonNeg()
    """
    return None if identifier is None else find(Constraint, identifier)


__all__ = public(globals())
