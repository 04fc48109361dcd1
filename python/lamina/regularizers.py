"""Regularizers: penalties on weights, `l1 * sum|w| + l2 * sum(w^2)`, in the loss and in its gradient."""

from ._configurable import declare, find, public
from ._kinds import Regularizer

L1 = declare(
    Regularizer,
    "L1",
    notes="Called on an array of any shape it returns the penalty.",
    example="""
    >>> lm.regularizers.L1(0.5)([[1, -2], [0, 3]])
    3.0
    >>> layer = lm.Dense(8, kernel_regularizer=lm.regularizers.L1(1e-4))
    """,
)
L2 = declare(
    Regularizer,
    "L2",
    notes="Called on an array of any shape it returns the penalty.",
    example="""
    >>> lm.regularizers.L2(0.5)([[1, -2], [0, 3]])
    7.0
    >>> layer = lm.Dense(8, kernel_regularizer="l2")
    """,
)
L1L2 = declare(
    Regularizer,
    "L1L2",
    notes="""
    Called on an array of any shape it returns the penalty (Zou and Hastie, 2005). `ElasticNet` is the
    same class.
    """,
    example="""
    >>> lm.regularizers.L1L2(l1=0.5, l2=0.25)([[1, -2], [0, 3]])
    6.5
    """,
)
ElasticNet = L1L2


def get(identifier):
    """Return the regularizer that a name, a class, a config or an object stands for; None stays None.

    Parameters
    ----------
    identifier : str, Regularizer, class or dict
        A name, an object, its class, or `{"class_name": ..., "config": {...}}`.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest known one, and for anything else.

    Examples
    --------
    >>> lm.regularizers.get("l2")
    L2()
    """
    return None if identifier is None else find(Regularizer, identifier)


__all__ = public(globals())
