"""The least time of a cell of the sweep: what it can attain with empty lanes, memory, and what a call costs.

A network of two square layers of `width` units, on one thread:

- arithmetic: the multiply-adds of its products at the measured peak, with rows of C rounded up to whole
  vectors;
- memory: the bytes of its two kernels that a pass must move, at the bandwidth measured on an array as large;
- fixed: what a step or a call costs where there is next to nothing to compute, the least of the sweep.

The bound is the fixed time and the larger of the other two.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np

# Products and passes over the two kernels. A step reads both forward, the second one backward, and reads and
# writes both as they move; a prediction reads both.
_PRODUCTS = {"step": 5, "predict": 2}
_PASSES = {"step": 7, "predict": 2}


def bandwidth(floats: int, seconds: float = 0.02) -> float:
    """Bytes per second of reading and writing an array of so many floats in place, at best."""
    array = np.zeros(floats, np.float32)
    best, end = float("inf"), perf_counter() + seconds
    repetitions = max(1, 20_000 // floats)
    while perf_counter() < end:
        start = perf_counter()
        for _ in range(repetitions):
            np.add(array, 1, out=array)
        best = min(best, (perf_counter() - start) / repetitions)
    return 8 * floats / best


def least_seconds(
    kind: str, width: int, batch: int, lanes: int, peak: float, bytes_per_second: float
) -> float:
    """Arithmetic or memory, whichever takes longer; peak in GFLOP/s."""
    padded = -(-width // lanes) * lanes
    arithmetic = _PRODUCTS[kind] * 2 * batch * width * padded / (peak * 1e9)
    memory = _PASSES[kind] * 4 * width * width / bytes_per_second
    return max(arithmetic, memory)
