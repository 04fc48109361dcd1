"""The command line: demo and inspect."""

import re
import subprocess
import sys

import numpy as np
import pytest
from helpers import script

import lamina as lm


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "lamina", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return folder, run("demo", "--output", folder)


def test_demo_reaches_its_accuracy_in_its_time(demo):
    _, result = demo
    assert result.returncode == 0, result.stderr
    shown = [float(number) for number in re.findall(r"(\d+\.\d+)\s?%", result.stdout)]
    assert shown
    assert max(shown) >= 97.0
    seconds = re.search(r"(\d+\.\d+) s\b", result.stdout)
    assert seconds
    assert float(seconds[1]) < 3.0


def test_demo_writes_a_curve_and_a_model(demo):
    folder, _ = demo
    assert (folder / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert (folder / "curves.png").stat().st_size > 5000
    model = lm.load_model(folder / "digits.safetensors")
    _, (x, y) = lm.datasets.digits()
    accuracy = (model.predict(x).argmax(axis=1) == y).mean()
    assert accuracy >= 0.97


def test_demo_shows_ten_digits_beside_their_labels(demo):
    folder, result = demo
    model = lm.load_model(folder / "digits.safetensors")
    _, (x, y) = lm.datasets.digits()
    predicted = model.predict(x[:10]).argmax(axis=1)
    rows = [re.findall(r"\b\d\b", line) for line in result.stdout.splitlines()]
    rows = [[int(digit) for digit in row] for row in rows]
    pairs = [row for row in rows if len(row) == 2]
    found = [y[:10].tolist() in rows and predicted.tolist() in rows, len(pairs) >= 10]
    assert any(found), result.stdout


def test_demo_runs_twice_to_the_same_model(demo, tmp_path):
    folder, _ = demo
    assert run("demo", "--output", tmp_path).returncode == 0
    again, first = (lm.load_model(path / "digits.safetensors") for path in (tmp_path, folder))
    for got, expected in zip(again.get_weights(), first.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_inspect(demo):
    folder, _ = demo
    result = run("inspect", folder / "digits.safetensors")
    assert result.returncode == 0
    for word in ("dense/kernel", "dense/bias", "Dense", "BatchNormalization"):
        assert word in result.stdout, word
    assert str(lm.load_model(folder / "digits.safetensors").count_params()) in result.stdout.replace(",", "")


@pytest.mark.parametrize("content", [None, b"", b"not a model at all", b"\xff" * 100])
def test_inspect_of_what_is_no_model(tmp_path, content):
    path = tmp_path / "bad.safetensors"
    if content is not None:
        path.write_bytes(content)
    result = run("inspect", path)
    assert result.returncode != 0
    assert "bad.safetensors" in result.stderr
    assert "Traceback" not in result.stderr


def test_help_and_version():
    result = run("--help")
    assert result.returncode == 0
    assert "demo" in result.stdout
    assert "inspect" in result.stdout
    result = run("--version")
    assert result.returncode == 0
    assert lm.__version__ in result.stdout


def test_the_command_is_installed():
    result = subprocess.run([script("lamina"), "--version"], capture_output=True, text=True, check=True)
    assert result.stdout == run("--version").stdout


def test_nothing_to_do_is_told():
    result = run()
    assert result.returncode != 0
    assert "usage" in (result.stdout + result.stderr).lower()


def test_demo_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("demo", "--output", tmp_path / "file")
    assert result.returncode != 0
    assert "file" in result.stderr
    assert "Traceback" not in result.stderr
