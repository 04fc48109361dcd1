"""Schedules: learning rates as functions of the step, which counts updates from 0.

Any function of the step serves as well, and so does a subclass of `Schedule` with `__call__(self, step)`.
"""

from ._configurable import declare, find, public
from ._kinds import Schedule

ExponentialDecay = declare(Schedule, "ExponentialDecay")
PiecewiseConstantDecay = declare(Schedule, "PiecewiseConstantDecay")
PolynomialDecay = declare(Schedule, "PolynomialDecay")
CosineDecay = declare(Schedule, "CosineDecay")
CosineDecayRestarts = declare(Schedule, "CosineDecayRestarts")
InverseTimeDecay = declare(Schedule, "InverseTimeDecay")
OneCycle = declare(Schedule, "OneCycle")


def get(identifier):
    """Return the schedule that a config or an object stands for."""
    return find(Schedule, identifier)


__all__ = public(globals())
