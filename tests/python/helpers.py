"""What several test files need: small models, processes of their own, and a gradient check."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from reference.layers import numeric_gradient

import lamina as lm

HERE = Path(__file__).parent

# The peak memory of a process in MiB. getrusage's ru_maxrss begins with that of the process that started it.
PEAK = """
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024
"""


def peer(name):
    """A library that lamina works with, or a skip that tells how to have it; tests/peers.sh allows none."""
    if os.environ.get("LAMINA_PEERS") == "all":
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"{name} is not installed: bash tests/peers.sh runs this test")


def small_classifier(seed=1, hidden=8, outputs=3):
    return lm.Sequential(
        [lm.Dense(hidden, activation="relu"), lm.Dense(outputs, activation="softmax")], seed=seed
    )


def small_regressor(seed=1, hidden=6, outputs=2):
    return lm.Sequential([lm.Dense(hidden, activation="tanh"), lm.Dense(outputs)], seed=seed)


def predicted(layer, x):
    """What a layer on its own makes of x."""
    return lm.Sequential([lm.Input(x.shape[1:]), layer]).predict(x)


def same_weights(first, second):
    """Whether two models' weights are the same to the last bit."""
    a, b = first.get_weights(), second.get_weights()
    return len(a) == len(b) and all(np.array_equal(v, w) for v, w in zip(a, b, strict=True))


def script(name):
    """The path of a command that the package installs."""
    return Path(sys.executable).parent / name


def run_python(code, *arguments, timeout=60, **environment):
    """Runs code in a Python of its own and returns what it printed; fails with its traceback."""
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=HERE,
        env={**os.environ, **environment},
        check=False,
    )
    assert result.returncode == 0, f"exit code {result.returncode}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def check_gradient(model, loss, network, reference_loss, x, y, training=False, penalty=None, scale=1.0):
    """Compares value and gradient with a float64 network and its finite differences.

    Every product and sum of lamina is float32 (relative error 6e-8) over at most some hundred terms, so
    values agree to 1e-5. Gradients of single weights may cancel: they are judged against the largest
    one, at 1e-4. A wrong term is wrong by the order of the gradient itself.
    """
    trainer = lm.Trainer(model, optimizer="sgd", loss=loss, seed=3)
    model.build(x.shape[1:])
    generator = np.random.default_rng(5)
    model.flat_parameters[:] = scale * generator.normal(size=model.flat_parameters.size)
    flat = model.flat_parameters.astype(np.float64)

    def function(parameters):
        value = np.mean(reference_loss(np.asarray(y), network.forward(parameters, x)))
        return value + (penalty(parameters) if penalty else 0.0)

    value, gradient = trainer.value_and_gradient(x, y, training=training)
    expected = numeric_gradient(function, flat)
    assert gradient.shape == flat.shape
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(value, function(flat), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-4 * max(np.abs(expected).max(), 1e-2))
