"""examples/cpp that need files: they learn from what Python wrote and answer as Python does.

ctest runs the others. LAMINA_BUILD names the build tree, as tests/run.sh sets it.
"""

import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import lamina as lm

BUILD = os.environ.get("LAMINA_BUILD")
pytestmark = pytest.mark.skipif(not BUILD, reason="LAMINA_BUILD names no build tree with the C++ examples")


def run(name: str, *arguments: object) -> str:
    program = Path(BUILD or "") / f"example_{name}"
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_digits_learns_from_a_csv_file(tmp_path):
    (x, y), _ = lm.datasets.digits()
    np.savetxt(tmp_path / "digits.csv", np.column_stack([x, y]), fmt="%d", delimiter=",")
    output = run("digits", tmp_path / "digits.csv", tmp_path / "m.safetensors")
    accuracy = float(re.fullmatch(r"test accuracy ([\d.]+)\n", output).group(1))
    assert accuracy > 0.95
    predicted = lm.load_model(tmp_path / "m.safetensors").predict(x[4::5]).argmax(axis=1)
    assert np.mean(predicted == y[4::5]) == pytest.approx(accuracy, abs=1e-3)


def test_serve_predicts_as_python_does_and_tells_latencies(tmp_path):
    model = lm.Sequential([lm.Input((20,)), lm.Dense(64, "relu"), lm.Dense(64, "relu"), lm.Dense(1)], seed=3)
    model.save(tmp_path / "m.safetensors")
    output = run("serve", tmp_path / "m.safetensors", 5000)
    time = np.arange(5000, dtype=np.float32)[:, None]
    sensor = np.sin(np.float32(0.01) * time + np.arange(20, dtype=np.float32))
    mean = float(re.search(r"5000 predictions, mean of the first output (\S+)", output).group(1))
    assert mean == pytest.approx(model.predict(sensor).mean(dtype=np.float64), abs=1e-4)
    times = [float(text) for text in re.findall(r"([\d.]+) us", output)]
    assert len(times) == 5
    assert times == sorted(times)


def test_serve_says_what_is_wrong_with_a_file(tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"no model")
    program = Path(BUILD or "") / "example_serve"
    done = subprocess.run([program, path], capture_output=True, text=True, check=False)
    with pytest.raises(lm.errors.FormatError) as error:
        lm.load_model(path)
    assert (done.returncode, done.stderr) == (1, f"{error.value}\n")
