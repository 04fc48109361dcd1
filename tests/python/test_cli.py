"""The command line: demo, bench and inspect."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from helpers import script

import lamina as lm
from lamina.cli import main
from lamina.cli._options import names


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "lamina", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        check=False,
    )


def misused(capsys, *arguments):
    """The one line on stderr for wrong usage."""
    with pytest.raises(SystemExit) as info:
        main(list(arguments))
    assert info.value.code == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1, shown
    return shown


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


def test_demo_for_machines(tmp_path):
    result = run("demo", "--output", tmp_path / "out", "--epochs", 2, "--json")
    assert result.returncode == 0
    assert "test accuracy" in result.stderr
    assert "Epoch 2/2" in result.stderr
    told = json.loads(result.stdout)
    model = lm.load_model(told["files"]["model"])
    _, (x, y) = lm.datasets.digits()
    assert told["accuracy"] == pytest.approx((model.predict(x).argmax(axis=1) == y).mean())
    assert set(told) == {"lamina", "accuracy", "loss", "seconds", "files"}
    assert told["files"]["curves"] == str(tmp_path / "out" / "curves.png")
    assert 0 < told["seconds"] < 60


def test_bench_for_machines():
    result = run("bench", "--quick", "--json")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    lines = [line for line in result.stderr.splitlines() if line.startswith(("step ", "predict "))]
    assert len(told["rows"]) == len(lines) > 4
    for row, line in zip(told["rows"], lines, strict=True):
        assert line.split()[:4] == [row["what"], row["name"], row["network"], str(row["rows"])]
        assert line.endswith(f" {row['ratio']:.2f}x")
        assert (row["optimizer"] is None) == (row["what"] == "predict")
        ratio = row["numpy_microseconds"] / row["lamina_microseconds"]
        assert ratio == pytest.approx(row["ratio"], rel=0.1)


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


def test_interrupted_while_commands_are_imported(monkeypatch, capsys):
    class Interrupted:
        def find_spec(self, name, *_):
            if name == "lamina.cli.bench":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "lamina.cli.bench", raising=False)
    monkeypatch.delattr("lamina.cli.bench", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main(["bench"]) == 130
    assert capsys.readouterr().err.strip() == "lamina: interrupted"


def test_demo_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("demo", "--output", tmp_path / "file")
    assert result.returncode != 0
    assert "file" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["trian"],
        ["train"],
        ["train", "stones.csv"],
        ["train", "stones.csv", "--target", "price", "--epochs", "0"],
        ["train", "stones.csv", "--target", "price", "--hidden", "64,x"],
        ["train", "stones.csv", "--target", "price", "--hidden", "-1"],
        ["train", "stones.csv", "--target", "price", "--learning-rate", "nan"],
        ["train", "stones.csv", "--target", "price", "--test-size", "1"],
        ["train", "stones.csv", "--target", "price", "--seed", "-1"],
        ["train", "stones.csv", "--target", "price", "--delimiter", "ab"],
        ["predict", "stones.safetensors"],
        ["predict", "stones.safetensors", "stones.csv", "--unknown", "warn"],
        ["inspect", "stones.safetensors", "--colour"],
        ["demo", "--epochs", "many"],
    ],
)
def test_wrong_usage_exits_with_2(capsys, arguments):
    assert "--help" in misused(capsys, *arguments)


def test_help_reads_well(capsys):
    with pytest.raises(SystemExit) as info:
        main(["--help"])
    assert info.value.code == 0
    shown = capsys.readouterr().out
    listed = [line.split()[0] for line in shown.split("commands:\n")[1].split("\n\n")[0].splitlines()]
    assert listed[:4] == ["train", "predict", "evaluate", "inspect"]
    assert "lamina train houses.csv --target price" in shown
    assert max(map(len, shown.splitlines())) <= 110
    for command in listed:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert "usage: lamina " + command in capsys.readouterr().out
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err


def test_names_of_columns():
    assert names('a, b ,"c, d","e ""f""",,g\nh, "i" ') == ["a", "b", "c, d", 'e "f"', "g\nh", "i"]
    assert names("") == []
    assert names('5" pipe,b') == ['5" pipe', "b"]
