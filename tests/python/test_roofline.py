"""The roofline of the benchmark: bytes that must move, on steps small enough to count by hand."""

import sys
from pathlib import Path

import pytest

from lamina._workload import Workload

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
from lamina_bench.roofline import Touch, bytes_beyond, roofline, touches

TWO = Workload("two", (3, 5, 2), "mse", 4, "adam", steps=6)


def test_what_fits_stays():
    step = [Touch("a", 100), Touch("b", 100), Touch("a", 100, 2)]
    assert bytes_beyond(step, 200) == 0
    assert bytes_beyond(step, 199) == 100 + 200
    # a of 300 never fits into 250; b, touched twice in a row, does
    step = [Touch("a", 300), Touch("b", 100), Touch("b", 100)]
    assert bytes_beyond(step, 250) == 300 + 100


def test_a_step_reads_one_batch_of_the_data():
    step = [Touch("data", 100, every=10), Touch("a", 10), Touch("b", 10)]
    assert bytes_beyond(step, 500) == 100
    assert bytes_beyond(step, 1020) == 0
    assert bytes_beyond(step, 119) == 100 + 10 + 10


def test_a_step_touches_what_training_does():
    without_caches = bytes_beyond(touches(TWO, 1), 0)
    batch_0, batch_1, batch_2 = (4 * 4 * width for width in TWO.widths)
    kernel_1, kernel_2 = 4 * 15, 4 * 10
    gathered = 2 * batch_0
    forward = batch_0 + kernel_1 + batch_1 + batch_1 + kernel_2 + batch_2
    loss = 2 * batch_2
    input_gradient = batch_2 + kernel_2 + batch_1 + batch_1
    kernel_gradients = batch_0 + batch_1 + batch_1 + batch_2
    updates = 2 * 3 * (kernel_1 + kernel_2)  # weights and two slots, read and written
    assert without_caches == gathered + forward + loss + input_gradient + kernel_gradients + updates


def test_the_bound_is_the_longest_of_arithmetic_and_memory():
    least = roofline(TWO, 1, 1e-3, (0, 10**9, 10**9), (1e9, 1e9, 1e9))
    assert least.multiply_adds == pytest.approx(2 * 4 * (2 * 15 + 3 * 10) * 1e-6)
    assert least.optimizer == pytest.approx(2 * 12 * 25 * 1e-6)
    assert least.into_l2 == least.memory == 0
    assert least.bound == least.multiply_adds + least.optimizer
    slow = roofline(TWO, 1, 1e-3, (0, 0, 10**9), (1e9, 1.0, 1e9))
    assert slow.bound == slow.into_l2 == bytes_beyond(touches(TWO, 1), 0)


def test_threads_share_weights_and_outputs():
    one, two = (bytes_beyond(touches(TWO, threads), 0) for threads in (1, 2))
    assert one / 2 < two < one
