"""Initializers: where weights start. `HeNormal()((64, 10), seed=1)` draws an array."""

from ._configurable import declare, find, public
from ._kinds import Initializer

GlorotUniform = declare(
    Initializer,
    "GlorotUniform",
    notes="""
    Called with a shape it draws an array; `fan_in` is the product of all extents but the last, `fan_out`
    the last.
    """,
    example="""
    >>> w = lm.initializers.GlorotUniform()((100, 50), seed=1)
    >>> w.shape, bool(abs(w).max() <= np.sqrt(6 / 150))
    ((100, 50), True)
    """,
)
GlorotNormal = declare(
    Initializer,
    "GlorotNormal",
    notes="""
    Called with a shape it draws an array; `fan_in` is the product of all extents but the last, `fan_out`
    the last.
    """,
    example="""
    >>> w = lm.initializers.GlorotNormal()((100, 50), seed=1)
    >>> bool(abs(w.std() / np.sqrt(2 / 150) - 1) < 0.05)
    True
    """,
)
HeUniform = declare(
    Initializer,
    "HeUniform",
    notes="""
    Called with a shape it draws an array; `fan_in` is the product of all extents but the last, `fan_out`
    the last.
    """,
    example="""
    >>> w = lm.initializers.HeUniform()((100, 50), seed=1)
    >>> bool(abs(w).max() <= np.sqrt(6 / 100))
    True
    """,
)
HeNormal = declare(
    Initializer,
    "HeNormal",
    notes="""
    Called with a shape it draws an array; `fan_in` is the product of all extents but the last, `fan_out`
    the last.
    """,
    example="""
    >>> w = lm.initializers.HeNormal()((100, 50), seed=1)
    >>> bool(abs(w.std() / np.sqrt(2 / 100) - 1) < 0.05)
    True
    """,
)
LecunUniform = declare(
    Initializer,
    "LecunUniform",
    notes="""
    Called with a shape it draws an array; `fan_in` is the product of all extents but the last, `fan_out`
    the last.
    """,
    example="""
    >>> w = lm.initializers.LecunUniform()((100, 50), seed=1)
    >>> bool(abs(w).max() <= np.sqrt(3 / 100))
    True
    """,
)
LecunNormal = declare(
    Initializer,
    "LecunNormal",
    notes="""
    Called with a shape it draws an array; `fan_in` is the product of all extents but the last, `fan_out`
    the last.
    """,
    example="""
    >>> w = lm.initializers.LecunNormal()((100, 50), seed=1)
    >>> bool(abs(w.std() / np.sqrt(1 / 100) - 1) < 0.05)
    True
    """,
)
RandomNormal = declare(
    Initializer,
    "RandomNormal",
    notes="Called with a shape it draws an array of it.",
    example="""
    >>> w = lm.initializers.RandomNormal(mean=1.0, stddev=0.1)((100, 50), seed=1)
    >>> bool(abs(w.mean() - 1) < 0.01), bool(abs(w.std() - 0.1) < 0.01)
    (True, True)
    """,
)
RandomUniform = declare(
    Initializer,
    "RandomUniform",
    notes="Called with a shape it draws an array of it.",
    example="""
    >>> w = lm.initializers.RandomUniform(-0.5, 0.5)((100, 50), seed=1)
    >>> bool(w.min() >= -0.5), bool(w.max() <= 0.5)
    (True, True)
    """,
)
TruncatedNormal = declare(
    Initializer,
    "TruncatedNormal",
    notes="Called with a shape it draws an array of it.",
    example="""
    >>> w = lm.initializers.TruncatedNormal(stddev=0.1)((100, 50), seed=1)
    >>> bool(abs(w).max() <= 0.2)
    True
    """,
)
Orthogonal = declare(
    Initializer,
    "Orthogonal",
    notes="Called with a shape of at least two dimensions it draws an array of it.",
    example="""
    >>> w = lm.initializers.Orthogonal()((5, 3), seed=1)
    >>> bool(np.allclose(w.T @ w, np.eye(3), atol=1e-5))
    True
    """,
)
Zeros = declare(
    Initializer,
    "Zeros",
    notes="Called with a shape it returns an array of it.",
    example="""
    >>> lm.initializers.Zeros()((2,))
    array([0., 0.], dtype=float32)
    """,
)
Ones = declare(
    Initializer,
    "Ones",
    notes="Called with a shape it returns an array of it.",
    example="""
    >>> lm.initializers.Ones()((2,))
    array([1., 1.], dtype=float32)
    """,
)
Constant = declare(
    Initializer,
    "Constant",
    notes="Called with a shape it returns an array of it.",
    example="""
    >>> lm.initializers.Constant(0.5)((2,))
    array([0.5, 0.5], dtype=float32)
    """,
)
Identity = declare(
    Initializer,
    "Identity",
    notes="Called with a shape of two dimensions it returns an array of it.",
    example="""
    >>> lm.initializers.Identity()((2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """,
)


def get(identifier):
    """Return the initializer that a name, a class, a config or an object stands for; None stays None.

    Parameters
    ----------
    identifier : str, Initializer, class or dict
        A name, an object, its class, or `{"class_name": ..., "config": {...}}`.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest known one, and for anything else.

    Examples
    --------
    >>> lm.initializers.get("zeros")
    Zeros()
    """
    return None if identifier is None else find(Initializer, identifier)


__all__ = public(globals())
