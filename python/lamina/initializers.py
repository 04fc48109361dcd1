"""Initializers: where weights start. `HeNormal()((64, 10), seed=1)` draws an array."""

from ._configurable import declare, find, public
from ._kinds import Initializer

GlorotUniform = declare(Initializer, "GlorotUniform")
GlorotNormal = declare(Initializer, "GlorotNormal")
HeUniform = declare(Initializer, "HeUniform")
HeNormal = declare(Initializer, "HeNormal")
LecunUniform = declare(Initializer, "LecunUniform")
LecunNormal = declare(Initializer, "LecunNormal")
RandomNormal = declare(Initializer, "RandomNormal")
RandomUniform = declare(Initializer, "RandomUniform")
TruncatedNormal = declare(Initializer, "TruncatedNormal")
Orthogonal = declare(Initializer, "Orthogonal")
Zeros = declare(Initializer, "Zeros")
Ones = declare(Initializer, "Ones")
Constant = declare(Initializer, "Constant")
Identity = declare(Initializer, "Identity")


def get(identifier):
    """Return the initializer that a name, a class, a config or an object stands for; None stays None."""
    return None if identifier is None else find(Initializer, identifier)


__all__ = public(globals())
