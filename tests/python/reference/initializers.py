"""What the random initializers' distributions must look like, by Keras 3's formulas."""

import math

# Deviation of a normal distribution cut at two deviations, in units of the uncut one's.
TRUNCATED = 0.87962566103423978


def fans(shape):
    if len(shape) == 1:
        return shape[0], shape[0]
    return shape[0], shape[1]


def variance_scaling(shape, scale, mode, distribution):
    """(mean, deviation, bound): the bound is one that no value passes."""
    fan_in, fan_out = fans(shape)
    variance = scale / max(1.0, {"fan_in": fan_in, "fan_avg": (fan_in + fan_out) / 2}[mode])
    if distribution == "uniform":
        return 0.0, math.sqrt(variance), math.sqrt(3 * variance)
    return 0.0, math.sqrt(variance), 2 * math.sqrt(variance) / TRUNCATED


SCALED = {
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "normal"),
}
