"""Learning-rate schedules in float64, by Keras 3's formulas."""

import math


def exponential_decay(step, initial, decay_steps, decay_rate, staircase=False):
    exponent = step / decay_steps
    return initial * decay_rate ** (math.floor(exponent) if staircase else exponent)


def inverse_time_decay(step, initial, decay_steps, decay_rate, staircase=False):
    fraction = step / decay_steps
    return initial / (1 + decay_rate * (math.floor(fraction) if staircase else fraction))


def piecewise_constant(step, boundaries, values):
    for boundary, value in zip(boundaries, values, strict=False):
        if step <= boundary:
            return value
    return values[-1]


def polynomial_decay(step, initial, decay_steps, end=0.0001, power=1.0, cycle=False):
    if cycle:
        decay_steps *= max(1, math.ceil(step / decay_steps))
    else:
        step = min(step, decay_steps)
    return (initial - end) * (1 - step / decay_steps) ** power + end


def cosine_decay(step, initial, decay_steps, alpha=0.0, warmup_target=None, warmup_steps=0):
    top = initial
    if warmup_target is not None:
        step = min(step, decay_steps + warmup_steps)
        if step < warmup_steps:
            return initial + (warmup_target - initial) * step / warmup_steps
        step, top = step - warmup_steps, warmup_target
    fraction = min(step, decay_steps) / decay_steps
    return top * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * fraction)) + alpha)


def cosine_decay_restarts(step, initial, first_decay_steps, t_mul=2.0, m_mul=1.0, alpha=0.0):
    # Walks the periods one by one instead of taking logarithms.
    start, period, factor = 0.0, float(first_decay_steps), 1.0
    while step >= start + period:
        start, period, factor = start + period, period * t_mul, factor * m_mul
    cosine = 0.5 * factor * (1 + math.cos(math.pi * (step - start) / period))
    return initial * ((1 - alpha) * cosine + alpha)
