"""Schedules: learning rates as functions of the step, which counts updates from 0.

Any function of the step serves as well, and so does a subclass of `Schedule` with `__call__(self, step)`.
"""

from ._configurable import declare, find, public
from ._kinds import Schedule

ExponentialDecay = declare(
    Schedule,
    "ExponentialDecay",
    notes="A step is one update; the first is step 0.",
    example="""
    >>> rate = lm.schedules.ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
    >>> [round(rate(step), 4) for step in (0, 10, 20)]
    [0.1, 0.05, 0.025]
    """,
)
PiecewiseConstantDecay = declare(
    Schedule,
    "PiecewiseConstantDecay",
    notes="A step is one update; the first is step 0.",
    example="""
    >>> rate = lm.schedules.PiecewiseConstantDecay([10, 20], [0.1, 0.05, 0.01])
    >>> [round(rate(step), 4) for step in (10, 11, 21)]
    [0.1, 0.05, 0.01]
    """,
)
PolynomialDecay = declare(
    Schedule,
    "PolynomialDecay",
    notes="A step is one update; the first is step 0.",
    example="""
    >>> rate = lm.schedules.PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.02)
    >>> [round(rate(step), 4) for step in (0, 5, 10, 99)]
    [0.1, 0.06, 0.02, 0.02]
    """,
)
CosineDecay = declare(
    Schedule,
    "CosineDecay",
    notes="""
    `initial * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)` (Loshchilov and Hutter,
    2017). A step is one update; the first is step 0.
    """,
    example="""
    >>> rate = lm.schedules.CosineDecay(0.1, decay_steps=10)
    >>> [round(rate(step), 4) for step in (0, 5, 10)]
    [0.1, 0.05, 0.0]
    >>> optimizer = lm.optimizers.Adam(rate)
    """,
)
CosineDecayRestarts = declare(
    Schedule,
    "CosineDecayRestarts",
    notes="Loshchilov and Hutter, 2017. A step is one update; the first is step 0.",
    example="""
    >>> rate = lm.schedules.CosineDecayRestarts(0.1, first_decay_steps=10, t_mul=2.0, m_mul=0.5)
    >>> [round(rate(step), 4) for step in (0, 5, 10, 20, 30)]
    [0.1, 0.05, 0.05, 0.025, 0.025]
    """,
)
InverseTimeDecay = declare(
    Schedule,
    "InverseTimeDecay",
    notes="A step is one update; the first is step 0.",
    example="""
    >>> rate = lm.schedules.InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)
    >>> [round(rate(step), 4) for step in (0, 10, 30)]
    [0.1, 0.05, 0.025]
    """,
)
OneCycle = declare(
    Schedule,
    "OneCycle",
    notes="PyTorch's `OneCycleLR` (Smith and Topin, 2019). A step is one update; the first is step 0.",
    example="""
    >>> rate = lm.schedules.OneCycle(0.1, total_steps=101, div_factor=10.0)
    >>> [round(rate(step), 4) for step in (0, 29, 100)]
    [0.01, 0.1, 0.0]
    """,
)


def get(identifier):
    """Return the schedule that a config or an object stands for.

    Parameters
    ----------
    identifier : Schedule or dict
        An object, or `{"class_name": ..., "config": {...}}`.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest known one, and for anything else.

    Examples
    --------
    >>> lm.schedules.get(lm.schedules.InverseTimeDecay(0.1, 100, 0.5))
    InverseTimeDecay(0.1, 100.0, 0.5)
    """
    return find(Schedule, identifier)


__all__ = public(globals())
