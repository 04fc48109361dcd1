# Written by `python -m lamina._stubs` from the declarations in C++.
# ruff: noqa: D205
"""Schedules: learning rates as functions of the step, which counts updates from 0.

Any function of the step serves as well, and so does a subclass of `Schedule` with `__call__(self, step)`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ._kinds import Schedule

__all__ = [
    "Schedule",
    "ExponentialDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "CosineDecay",
    "CosineDecayRestarts",
    "InverseTimeDecay",
    "OneCycle",
    "get",
]

class ExponentialDecay(Schedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`; the quotient is rounded down with
    `staircase`.
    """

    initial_learning_rate: Final[float]
    decay_steps: Final[float]
    decay_rate: Final[float]
    staircase: Final[bool]
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
    ) -> None: ...

class PiecewiseConstantDecay(Schedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]` up to `boundaries[1]`, and so
    on; the last value after the last boundary.
    """

    boundaries: Final[list[float]]
    values: Final[list[float]]
    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
    ) -> None: ...

class PolynomialDecay(Schedule):
    """`(initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ** power +
    end_learning_rate`, and `end_learning_rate` after `decay_steps`; with `cycle` the decay is stretched
    to the next multiple of `decay_steps` instead.
    """

    initial_learning_rate: Final[float]
    decay_steps: Final[float]
    end_learning_rate: Final[float]
    power: Final[float]
    cycle: Final[bool]
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
    ) -> None: ...

class CosineDecay(Schedule):
    """From the initial rate down to `alpha` times it along half a cosine of `decay_steps` steps. With
    `warmup_target` the rate first rises in a line to that target over `warmup_steps`, and falls from
    there.
    """

    initial_learning_rate: Final[float]
    decay_steps: Final[float]
    alpha: Final[float]
    warmup_target: Final[float | None]
    warmup_steps: Final[float]
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        warmup_target: float | None = None,
        warmup_steps: float = 0.0,
    ) -> None: ...

class CosineDecayRestarts(Schedule):
    """Half a cosine of `first_decay_steps` steps, again and again: each one `t_mul` times longer than the
    one before, and starting `m_mul` times as high.
    """

    initial_learning_rate: Final[float]
    first_decay_steps: Final[float]
    t_mul: Final[float]
    m_mul: Final[float]
    alpha: Final[float]
    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
    ) -> None: ...

class InverseTimeDecay(Schedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`; the quotient is rounded down with
    `staircase`.
    """

    initial_learning_rate: Final[float]
    decay_steps: Final[float]
    decay_rate: Final[float]
    staircase: Final[bool]
    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
    ) -> None: ...

class OneCycle(Schedule):
    """Rises from `maximal_learning_rate / div_factor` to `maximal_learning_rate` over the first fraction
    `pct_start` of the steps, then falls to the first rate divided by `final_div_factor`, where it stays
    after `total_steps`. One step is one update.
    """

    maximal_learning_rate: Final[float]
    total_steps: Final[int]
    pct_start: Final[float]
    anneal: Final[str]
    div_factor: Final[float]
    final_div_factor: Final[float]
    def __init__(
        self,
        maximal_learning_rate: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal: str = "cos",
        div_factor: float = 25.0,
        final_div_factor: float = 10000.0,
    ) -> None: ...

def get(identifier: Schedule | type[Schedule] | str | Mapping[str, Any]) -> Schedule:
    """Return the schedule that a config or an object stands for."""
