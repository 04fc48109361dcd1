"""The benchmark: NumPy's network is the one that lamina trains, and `lamina bench` runs."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest

import lamina as lm
from lamina._bench import interleaved, trainer_of
from lamina._workload import ROWS, NumpyNetwork, Workload

STEPS = 4
ODD = Workload("odd", (7, 17, 5, 3), "softmax", 13, "adam", STEPS, learning_rate=1e-2)
ODD_MSE = Workload("odd-mse", (7, 17, 5, 3), "mse", 13, "sgd", STEPS, learning_rate=0.1)


@pytest.mark.parametrize("workload", [*ROWS.values(), ODD, ODD_MSE], ids=lambda row: row.name)
def test_numpy_and_lamina_train_alike(workload):
    workload = replace(workload, steps=STEPS)
    x, y = workload.data()
    trainer = trainer_of(workload)
    network = NumpyNetwork(workload, workload.weights(), np.float64)
    losses = []
    for i in range(STEPS):
        batch = slice(i * workload.batch, (i + 1) * workload.batch)
        losses.append(network.step(x[batch], y[batch]))
    history = [
        trainer.fit(
            x[i * workload.batch : (i + 1) * workload.batch],
            y[i * workload.batch : (i + 1) * workload.batch],
            initial_epoch=i,
            epochs=i + 1,
            batch_size=workload.batch,
            shuffle=False,
            verbose=0,
        ).history["loss"][0]
        for i in range(STEPS)
    ]
    # float32 against float64 over a few steps; a wrong formula is wrong by a per cent.
    np.testing.assert_allclose(history, losses, rtol=1e-4)
    np.testing.assert_allclose(trainer.predict(x[:5]), network.predict(x[:5]), rtol=2e-3, atol=1e-4)


def test_numpy_gradient_is_that_of_its_loss():
    """The reference of all peers, against differences of its own loss in float64."""
    for workload in (ODD, ODD_MSE):
        x, y = workload.data()
        x, y = x[: workload.batch], y[: workload.batch]
        network = NumpyNetwork(workload, workload.weights(), np.float64)
        start = network.parameters.copy()
        network.step(x, y)
        gradient = network.gradient / (workload.learning_rate if workload.optimizer == "sgd" else 1)
        generator = np.random.default_rng(3)
        for i in generator.choice(len(start), 20, replace=False):
            sides = []
            for shift in (1e-6, -1e-6):
                other = NumpyNetwork(workload, workload.weights(), np.float64)
                other.parameters[:] = start
                other.parameters[i] += shift
                sides.append(other.step(x, y))
            assert gradient[i] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=1e-4, abs=1e-8)


def test_a_smaller_last_batch():
    workload = ODD
    x, y = workload.data()
    network = NumpyNetwork(workload, workload.weights(), np.float64)
    trainer = trainer_of(workload)
    for rows in (slice(0, 13), slice(13, 18)):
        expected = network.step(x[rows], y[rows])
        assert trainer.train_on_batch(x[rows], y[rows])["loss"] == pytest.approx(expected, rel=1e-5)


def test_flops_of_the_rows():
    # Forward, and backward to kernels and to inputs, of two layers; not to the first layer's inputs.
    assert ROWS["mnist"].step_flops == 2 * 32 * (2 * 784 * 128 + 3 * 128 * 10)
    assert ROWS["tiny"].predict_flops(1) == 2 * (20 * 64 + 64 * 64 + 64)
    assert ROWS["deep"].network == "(17x64)-10"


def test_interleaved_tells_the_faster_one():
    fast, slow = interleaved(
        [lambda times: time.sleep(1e-3 * times), lambda times: time.sleep(3e-3 * times)], 0.01, 3
    )
    assert 1e-3 <= fast < slow
    assert slow >= 3e-3


def test_command():
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "lamina", "bench", "--quick"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    seconds = time.perf_counter() - start
    assert done.returncode == 0, done.stdout + done.stderr
    lines = re.findall(
        r"^(step|predict) (\w+) .* ([\d.,]+) +([\d.,]+) +([\d.]+)x$", done.stdout, re.MULTILINE
    )
    assert [name for kind, name, *_ in lines if kind == "step"] == list(ROWS)
    assert {name for kind, name, *_ in lines if kind == "predict"} == {"tiny", "mnist", "wide"}
    for _, _, ours, theirs, ratio in lines:
        ours, theirs = (float(number.replace(",", "")) for number in (ours, theirs))
        assert ours > 0
        assert float(ratio) == pytest.approx(theirs / ours, rel=0.05, abs=0.01)
    assert lm.__version__ in done.stdout
    assert seconds < 5 * max(1.0, _load())


def _load():
    """How many processes share a CPU: a busy machine takes as much longer."""
    return os.getloadavg()[0] / len(os.sched_getaffinity(0))
