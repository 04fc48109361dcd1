"""The command line on tables: train, predict, evaluate, inspect; in a pipe and in a terminal."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tables import passengers, pd, real, stones

import lamina as lm
from lamina.cli import main
from lamina.tabular import TabularModel

FAST = ["--hidden", "16", "--epochs", "25", "--learning-rate", "0.01"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two tables and the models that the command line made of them."""
    result = tmp_path_factory.mktemp("tables")
    passengers().to_csv(result / "passengers.csv", index=False)
    stones().to_csv(result / "stones.csv", index=False)
    for name, target in (("passengers", "survived"), ("stones", "price")):
        command = ["train", f"{result}/{name}.csv", "--target", target, "-o", f"{result}/{name}.safetensors"]
        assert main([*command, "--quiet", *FAST]) == 0
    return result


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def started(*arguments, **options):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "lamina", *map(str, arguments)]
    return subprocess.Popen(command, text=True, stderr=subprocess.PIPE, **options)


def failed(capsys, *arguments):
    """The one line that a command leaves on stderr when it fails with 1."""
    capsys.readouterr()
    assert main(list(arguments)) == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1, shown.err
    assert shown.err.startswith(f"lamina {arguments[0]}: ")
    return shown.err


def misused(capsys, *arguments):
    """The one line on stderr for wrong usage."""
    with pytest.raises(SystemExit) as info:
        main(list(arguments))
    assert info.value.code == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1, shown
    return shown


# ---- train


def test_report_of_classes(here, capsys):
    assert main(["train", "passengers.csv", "--target", "survived", "-o", "m.safetensors", *FAST]) == 0
    shown, errors = capsys.readouterr()
    assert errors == ""
    assert "300 rows and 11 columns" in shown
    assert re.search(r"^epoch  1/25 - loss \d\.\d+ - validation \d\.\d+ - accuracy \d+\.\d\d%$", shown, re.M)
    assert "\r" not in shown
    assert re.search(r"^ PassengerId +looks like the id of a row$", shown, re.M)
    assert "note: " not in shown
    match = re.search(r"true \\ predicted +no +yes\n  no +(\d+) +(\d+)\n  yes +(\d+) +(\d+)", shown)
    counts = np.array(match.groups(), dtype=int).reshape(2, 2)
    accuracy = float(re.search(r"^Accuracy ([\d.]+)% on 45 test rows; always 'no'", shown, re.M)[1])
    assert counts.sum() == 45
    assert accuracy == pytest.approx(100 * counts.trace() / 45, abs=0.01)
    recall = counts[1, 1] / counts[1].sum()
    assert re.search(rf"^  yes +\d\.\d+ +{recall:.3f} ", shown, re.M)
    assert shown.rstrip().endswith("Model: m.safetensors")


def test_report_of_numbers(here, capsys):
    assert main(["train", "stones.csv", "--target", "price", "-o", "m.safetensors", *FAST]) == 0
    shown = capsys.readouterr().out
    for word in (
        "regression",
        "R2 0.",
        "mean absolute error",
        "root mean square error",
        "Residuals",
        "|####",
    ):
        assert word in shown, word


def test_json_of_train_is_the_report(here, capsys):
    command = ["train", "passengers.csv", "--target", "survived", "-o", "j.safetensors", "--json"]
    assert main([*command, *FAST]) == 0
    shown = capsys.readouterr()
    result = json.loads(shown.out)
    assert "epoch" in shown.err
    assert result["task"] == "classification"
    assert result["rows"] == {"training": 210, "validation": 45, "test": 45}
    assert set(result["left_out"]) == {"PassengerId", "name", "ship", "deck"}
    assert len(result["history"]["val_loss"]) == result["epochs"]
    assert min(result["history"]["val_loss"]) == result["history"]["val_loss"][result["best_epoch"] - 1]
    scores = result["scores"]
    assert scores["accuracy"] == pytest.approx(np.trace(scores["confusion"]) / 45)
    # the same figures from evaluate on the very rows held back: the seed says which
    again = TabularModel.load("j.safetensors")
    assert again.target == "survived"
    assert result["parameters"] == again.model.count_params()


def test_options_reach_the_model(here, capsys):
    command = ["train", "passengers.csv", "--target", "survived", "-o", "o.safetensors", "--json", "--quiet"]
    options = ["--hidden", "8,4", "--dropout", "0.2", "--categorical", "class", "--drop", "fare, alone"]
    options += ["--epochs", "2", "--test-size", "0", "--validation-size", "0.1", "--balanced", "--seed", "5"]
    assert main([*command, *options, "--keep", "PassengerId", "--batch-size", "50"]) == 0
    shown = capsys.readouterr()
    result = json.loads(shown.out)
    assert shown.err == ""
    assert result["scores_of"] == "validation"
    assert result["epochs"] == 2
    columns = {column["name"]: column for column in result["columns"]}
    assert columns["class"]["kind"] == "category"
    assert columns["class"]["categories"] == ["1", "2", "3"]
    assert columns["PassengerId"]["kind"] == "number"
    assert result["left_out"]["fare"] == "as asked"
    types = [type(layer).__name__ for layer in lm.load_model("o.safetensors").layers]
    assert types == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert main([*command, "--hidden", "none", "--epochs", "1"]) == 0
    assert len(lm.load_model("o.safetensors").layers) == 1


def test_a_model_is_written_whole_or_not_at_all(here, capsys):
    before = sorted(os.listdir())
    message = failed(capsys, "train", "stones.csv", "--target", "price", "-o", "no/where.safetensors")
    assert "no/where.safetensors" in message
    assert "No folder" in message
    failed(capsys, "train", "stones.csv", "--target", "price", "-o", ".")
    assert sorted(os.listdir()) == before


# ---- predict and evaluate


def test_predictions_are_those_of_python(here, capsys):
    new = passengers(30, seed=7).drop(columns="survived")
    new.to_csv("new.csv", index=False)
    model = TabularModel.load("passengers.safetensors")
    assert main(["predict", "passengers.safetensors", "new.csv", "--probabilities"]) == 0
    shown = capsys.readouterr()
    table = pd.read_csv(io.StringIO(shown.out))
    assert shown.err == ""
    assert list(table.columns) == ["prediction", "probability", "probability_no", "probability_yes"]
    assert table["prediction"].tolist() == model.predict(new).tolist()
    np.testing.assert_allclose(table.iloc[:, 2:], model.predict_proba(new), rtol=1e-5)
    np.testing.assert_allclose(table["probability"], model.predict_proba(new).max(axis=1), rtol=1e-5)

    assert main(["predict", "passengers.safetensors", "new.csv", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["prediction"] == table["prediction"].tolist()
    assert (result["target"], result["rows"]) == ("survived", 30)


def test_predictions_go_to_a_file(here, capsys):
    stones(20, seed=7).to_csv("new.csv", index=False)
    expected = TabularModel.load("stones.safetensors").predict("new.csv")
    assert main(["predict", "stones.safetensors", "new.csv", "-o", "out.csv.gz", "--append"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "20 predictions" in shown.err
    table = pd.read_csv("out.csv.gz")
    assert list(table.columns) == ["carat", "cut", "sold", "price", "prediction"]
    np.testing.assert_allclose(table["prediction"], expected, rtol=1e-8)
    np.testing.assert_allclose(table["price"], stones(20, seed=7)["price"])
    assert "no/out.csv" in failed(capsys, "predict", "stones.safetensors", "new.csv", "-o", "no/out.csv")
    assert not [name for name in os.listdir() if "tmp" in name]


def test_predictions_in_parquet(here, capsys):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: Parquet is not tested")
    stones(20, seed=7).to_parquet("new.parquet")
    assert main(["predict", "stones.safetensors", "new.parquet", "-o", "out.parquet"]) == 0
    expected = TabularModel.load("stones.safetensors").predict("new.parquet")
    np.testing.assert_allclose(pd.read_parquet("out.parquet")["prediction"], expected, rtol=1e-8)


def test_whole_numbers_stay_whole_beside_gaps(here, capsys):
    frame = passengers(5, seed=7).assign(ticket=[1, 2, None, 4, 5])
    frame.to_csv("new.csv", index=False)
    assert main(["predict", "passengers.safetensors", "new.csv", "--append"]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), dtype=str)
    assert table["ticket"].fillna("").tolist() == ["1", "2", "", "4", "5"]


def test_stdin(here, capsys, monkeypatch):
    with open("stones.csv", "rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read())))
    assert main(["predict", "stones.safetensors", "-"]) == 0
    got = pd.read_csv(io.StringIO(capsys.readouterr().out))["prediction"]
    np.testing.assert_allclose(got, TabularModel.load("stones.safetensors").predict("stones.csv"), rtol=1e-8)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"carat,cut\n1,Fair\n")))
    message = failed(capsys, "predict", "stones.safetensors", "-")
    assert "Expected the column 'sold'" in message


def test_evaluate(here, capsys):
    passengers(100, seed=8).to_csv("test.csv", index=False)
    expected = TabularModel.load("passengers.safetensors").evaluate("test.csv")
    assert main(["evaluate", "passengers.safetensors", "test.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"] == expected
    assert main(["evaluate", "passengers.safetensors", "test.csv"]) == 0
    assert f"Accuracy {expected['accuracy']:.2%} on 100 rows" in capsys.readouterr().out
    message = failed(capsys, "evaluate", "stones.safetensors", "test.csv")
    assert "'price'" in message


def test_unknown_categories(here, capsys):
    frame = passengers(100, seed=8)
    frame.loc[2, "port"] = "Atlantis"
    frame.to_csv("strange.csv", index=False)
    for command in ("predict", "evaluate"):
        message = failed(capsys, command, "passengers.safetensors", "strange.csv")
        assert "'port'" in message
        assert "'Atlantis' in row 3" in message
        assert main([command, "passengers.safetensors", "strange.csv", "--unknown", "ignore"]) == 0
        assert "'Atlantis'" in capsys.readouterr().err


# ---- inspect


def test_inspect_shows_the_columns(here, capsys):
    assert main(["inspect", "passengers.safetensors"]) == 0
    shown = capsys.readouterr().out
    assert "Predicts 'survived', one of no, yes" in shown
    assert re.search(r"^ port +category: Cherbourg, Queenstown, Southampton", shown, re.M)
    assert main(["inspect", "passengers.safetensors", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["target"] == "survived"
    assert [column["name"] for column in result["columns"]][:3] == ["class", "sex", "age"]
    assert result["layers"][-1] == {
        "name": "dense_1",
        "type": "Dense",
        "output_shape": [None, 2],
        "parameters": 34,
    }
    inputs = len(TabularModel.load("passengers.safetensors").preprocessor.feature_names)
    assert result["tensors"][0]["shape"] == [inputs, 16]
    assert main(["inspect", "nothing.safetensors"]) == 1


# ---- errors and exit codes


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "nothing.csv", "--target", "a"], ["nothing.csv", "No such file"]),
        (["train", "stones.csv", "--target", "Price"], ["'Price'", "is it 'price'?"]),
        (["train", "stones.csv", "--target", "cut", "--task", "regression"], ["'cut'", "in row 1"]),
        (["train", "stones.csv", "--target", "price", "--drop", "weight"], ["'weight'"]),
        (["train", "stones.csv", "--target", "price", "--activation", "rely"], ["rely"]),
        (["train", "stones.csv", "--target", "price", "--encoding", "klingon"], ["klingon"]),
        (["train", "stones.safetensors", "--target", "price"], ["stones.safetensors"]),
        (["predict", "stones.csv", "stones.csv"], ["stones.csv"]),
        (["predict", "stones.safetensors", "passengers.csv"], ["'carat', 'cut', 'sold'"]),
        (["predict", "stones.safetensors", "stones.csv", "--probabilities"], ["'price'"]),
        (["evaluate", "stones.safetensors", "."], ["Is a directory"]),
    ],
)
def test_errors_are_one_line(here, capsys, arguments, words):
    message = failed(capsys, *arguments)
    assert [word for word in words if word not in message] == [], message


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
def test_wrong_usage_exits_with_2(here, capsys, arguments):
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


def test_without_the_extra(here):
    code = "import sys; sys.modules['pandas'] = None; from lamina.cli import main; sys.exit(main())"
    result = subprocess.run(
        [sys.executable, "-c", code, "train", "stones.csv", "--target", "price"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert "pip install 'lamina[tabular]'" in result.stderr


# ---- in a terminal, interrupted, into a pipe that closes


def test_a_live_line_in_a_terminal(here):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    command = ["train", "stones.csv", "--target", "price", "-o", "t.safetensors", "--patience", "100", *FAST]
    process = started(*command, stdout=theirs, stdin=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "90"})
    os.close(theirs)
    data = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        data += block
    os.close(ours)
    assert process.wait(60) == 0, process.stderr.read()
    process.stderr.close()
    shown = data.decode().replace("\r\n", "\n")
    live = next(line for line in shown.split("\n") if "\r" in line)
    looks = live.split("\r")
    assert any(re.match(r"epoch +\d+/25 \[=* *\] - ", look) for look in looks)
    assert all(len(look) < 90 for look in looks)
    *_, wiped, last = looks
    assert wiped.strip() == ""  # the line has gone before the report begins
    assert last.startswith("Target 'price'")
    assert "Model: t.safetensors" in shown


def test_interruption(here):
    command = ["train", "stones.csv", "--target", "price", "-o", "i.safetensors"]
    process = started(*command, "--epochs", "1000000", "--patience", "1000000", stdout=subprocess.PIPE)
    for line in process.stdout:
        if line.startswith("epoch"):
            break
    process.send_signal(signal.SIGINT)
    start = time.perf_counter()
    errors = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert time.perf_counter() - start < 10
    assert errors.strip() == "lamina train: interrupted"
    assert not os.path.exists("i.safetensors")


def test_penguins_from_the_shell(tmp_path):
    """What the guide shows, in processes of their own."""
    path = real("palmerpenguins", "penguins.csv")
    model = tmp_path / "penguins.safetensors"
    trained = started("train", path, "--target", "species", "-o", model, "-q", stdout=subprocess.PIPE)
    shown, errors = trained.communicate(timeout=60)
    assert (trained.returncode, errors) == (0, "")
    assert float(re.search(r"Accuracy ([\d.]+)%", shown)[1]) > 95
    predicted = started("predict", model, path, stdout=subprocess.PIPE)
    table = pd.read_csv(io.StringIO(predicted.communicate(timeout=60)[0]))
    assert (table["prediction"] == pd.read_csv(path)["species"]).mean() > 0.95


def masked(text):
    """A text without its numbers, bars and blanks: instruction sets differ in the last bits."""
    text = re.sub(r"lamina\.crc32 .*", "", re.sub(r"\|[#.]* ", "| ", text))
    text = re.sub(r"-?\b\d[\d.,]*( (ms|s|min)\b)?", "N", text)
    return " ".join(text.split())


def test_the_guide_shows_what_is_printed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = real("palmerpenguins", "penguins.csv").read_text().splitlines()
    rows = [lines[i].split(",")[1:] for i in (0, 9, 199, 299)]  # without the species
    new = "\n".join(map(",".join, rows))
    short = "\n".join(",".join([*row[:3], *row[4:]]) for row in rows)
    for name, text in (
        ("penguins", "\n".join(lines)),
        ("new", new),
        ("strange", new.replace("Dream", "Mars")),
        ("short", short.replace("body_mass_g", "Body_Mass_g")),
    ):
        (tmp_path / f"{name}.csv").write_text(text + "\n")
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
    shown = [
        part.partition("\n")
        for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        for part in block.split("$ lamina ")[1:]
    ]
    assert len(shown) >= 8
    for command, _, expected in shown:
        main(command.split())
        printed = capsys.readouterr()
        assert masked(printed.err + printed.out) == masked(expected), command
