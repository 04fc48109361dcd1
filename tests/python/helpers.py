"""What several test files need: small models, numbered rows, processes of their own, a gradient check."""

import importlib
import os
import subprocess
import sys
from itertools import pairwise
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


def numbered(rows, columns=3):
    """(x, y, w) that tell their row: x[i] = i + column / 10, y[i] = i, w[i] = 2 i."""
    i = np.arange(rows)
    x = (i[:, None] + np.arange(columns) / 10).astype(np.float32)
    return x, i, (2 * i).astype(np.float32)


def rows_of(dataset):
    """The rows of a pass, and the sizes of its batches; checks that x, y and w still belong together."""
    batches = [tuple(np.array(part) for part in batch) for batch in dataset]
    x, y, w = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    np.testing.assert_array_equal(x[:, 0], y.astype(np.float32))
    np.testing.assert_array_equal(w, 2 * y.astype(np.float32))
    return y.tolist(), [len(batch[0]) for batch in batches]


def write_folder(folder, kind, pieces=(5, 0, 12, 3), weights=True):
    """Write the rows of numbered() as a folder of files with so many rows each."""
    folder.mkdir()
    x, y, w = numbered(sum(pieces))
    cuts = np.cumsum([0, *pieces])
    for i, (a, b) in enumerate(pairwise(cuts)):
        i = i if i < 2 else i + 8  # 10 must come after 1, not before
        arrays = {"x": x[a:b], "y": y[a:b]} | ({"sample_weight": w[a:b]} if weights else {})
        if kind == "fortran":
            np.savez(folder / f"part{i}.npz", **{n: np.asfortranarray(v) for n, v in arrays.items()})
        elif kind == "npz":
            np.savez(folder / f"part{i}.npz", **arrays)
        elif kind == "compressed":
            np.savez_compressed(folder / f"part{i}.npz", **arrays)
        else:
            for name, values in arrays.items():
                np.save(folder / f"{name}-{i}.npy", values)
    (folder / "README.txt").write_text("not data")
    return folder
