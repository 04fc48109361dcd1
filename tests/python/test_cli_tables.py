"""The command line on tables: train, predict, evaluate, inspect; in a pipe and in a terminal."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from tables import passengers, pd, real, stones
from test_cli import misused

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
    frame = passengers(5, seed=7).assign(ticket=pd.array([1, 2, None, 4, 5], dtype="Int64"))
    frame.to_csv("new.csv", index=False)
    assert main(["predict", "passengers.safetensors", "new.csv", "--append"]) == 0
    table = pd.read_csv(io.StringIO(capsys.readouterr().out), dtype=str)
    assert table["ticket"].fillna("").tolist() == ["1", "2", "", "4", "5"]


CELLS = """\
carat,cut,sold,code,price,large,flag,gap,"a ""name""\"
0.50,Fair,2024-01-01,00123,1e3,9007199254740993,TRUE,NA,"one, two"
1.50, Good,2024-01-02,3.10,1.50,-0,false,,"say ""so""\"

2e-1,Ideal,2024-01-03,3,4.,7
"""


@pytest.mark.parametrize("source", ["cells.csv", "-", "pipe"])
def test_appended_cells_stay_as_they_are(here, capsys, monkeypatch, source):
    Path("cells.csv").write_text(CELLS)
    if source == "-":
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CELLS.encode())))
    if source == "pipe":  # which can be read once only
        ours, theirs = os.pipe()
        os.write(theirs, CELLS.encode())
        os.close(theirs)
        source = f"/dev/fd/{ours}"
    assert main(["predict", "stones.safetensors", source, "--append"]) == 0
    lines = capsys.readouterr().out.splitlines()
    expected = [line for line in CELLS.replace(", Good", ",Good").splitlines() if line]
    expected[-1] += ",,,"  # cells that the row lacks
    assert [line.rpartition(",")[0] for line in lines] == expected
    predictions = TabularModel.load("stones.safetensors").predict("cells.csv")
    np.testing.assert_allclose([float(line.rpartition(",")[2]) for line in lines[1:]], predictions, rtol=1e-8)


def test_appended_columns_of_parquet_keep_their_types(here, capsys):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: Parquet is not tested")
    large = pd.array([2**53 + 1, None, 3], dtype="Int64")
    stones(3, seed=7).assign(large=large, whole=[1.0, 2.0, 3.0]).to_parquet("types.parquet")
    assert (
        main(["predict", "stones.safetensors", "types.parquet", "--append", "-o", "types_out.parquet"]) == 0
    )
    table = pd.read_parquet("types_out.parquet", dtype_backend="numpy_nullable")
    assert table["large"].tolist()[::2] == [2**53 + 1, 3]
    assert table["whole"].dtype == "Float64"
    Path("cells.csv").write_text(CELLS)
    assert main(["predict", "stones.safetensors", "cells.csv", "--append", "-o", "cells.parquet"]) == 0
    assert pd.read_parquet("cells.parquet")["code"].tolist() == [123, 3.1, 3]


def test_one_is_singular(here, capsys):
    stones(1, seed=7).to_csv("one.csv", index=False)
    assert main(["predict", "stones.safetensors", "one.csv", "-o", "one_out.csv"]) == 0
    assert capsys.readouterr().err == "1 prediction of 'price' in one_out.csv\n"
    assert main(["evaluate", "stones.safetensors", "one.csv"]) == 0
    assert capsys.readouterr().out.startswith("R2 - on 1 row\n")


def test_control_characters_are_shown_not_sent(here, capsys):
    frame = stones(200)
    frame["cut"] = frame["cut"].map({"Fair": "Fa\x1b[31mir", "Good": "Go\nod", "Ideal": "Id\u202eeal"})
    frame = frame.rename(columns={"carat": "a\x07\nb"}).assign(**{"line\nfeed": 1})
    frame.to_csv("controls.csv", index=False)
    command = ["train", "controls.csv", "-o", "controls.safetensors", *FAST]
    assert main([*command, "--target", "cut", "-q"]) == 0
    shown = capsys.readouterr().out
    assert main(["inspect", "controls.safetensors"]) == 0
    assert main(["evaluate", "controls.safetensors", "controls.csv"]) == 0
    shown += capsys.readouterr().out
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert re.search(r"^ a\\x07\\nb +number", shown, re.M)
    assert re.search(r"^ line\\nfeed +is constant", shown, re.M)
    assert re.search(r"^  Go\\nod +\d\.\d+ ", shown, re.M)
    assert re.search(r"^  Id\\u202eeal +\d\.\d+ ", shown, re.M)
    assert "Predicts 'cut', one of Fa\\x1b[31mir, Go\\nod" in shown
    message = failed(capsys, "evaluate", "controls.safetensors", "stones.csv")
    assert r"'Fa\x1b[31mir', 'Go\nod'" in message
    assert main(["inspect", "controls.safetensors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"][0] == "Fa\x1b[31mir"
    assert main(["predict", "controls.safetensors", "controls.csv"]) == 0
    assert set(pd.read_csv(io.StringIO(capsys.readouterr().out))["prediction"]) <= set(frame["cut"])
    # and such columns can be named
    assert main([*command, "--target", "price", "--drop", 'a\x07\nb,"cut"', "-q"]) == 0
    assert re.search(r"^ a\\x07\\nb +as asked$", capsys.readouterr().out, re.M)


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
        (["train", "stones.safetensors", "--target", "price"], ["stones.safetensors"]),
        (["predict", "stones.csv", "stones.csv"], ["File 'stones.csv': is no model of lamina"]),
        (["evaluate", "stones.csv", "stones.csv"], ["File 'stones.csv': is no model of lamina"]),
        (["inspect", "stones.csv"], ["File 'stones.csv': is no model of lamina"]),
        (["export", "stones.csv", "-o", "stones.h"], ["File 'stones.csv': is no model of lamina"]),
        (["train", "stones.csv", "--target", "price", "--learning-rate", "1e10", "-q"], ["learning rate"]),
        (["predict", "stones.safetensors", "passengers.csv"], ["'carat', 'cut', 'sold'"]),
        (["predict", "stones.safetensors", "stones.csv", "--probabilities"], ["'price'"]),
        (["evaluate", "stones.safetensors", "."], ["Is a directory"]),
    ],
)
def test_errors_are_one_line(here, capsys, arguments, words):
    message = failed(capsys, *arguments)
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--activation", "rely"], ["--activation", "relu, relu6", "'rely'"]),
        (["--encoding", "klingon"], ["--encoding", "'klingon'"]),
        (["--encoding", "rot13"], ["--encoding", "'rot13'"]),
        (["--validation-size", "0.9", "--test-size", "0.2"], ["--validation-size", "0.9 and 0.2"]),
        (["--numeric", "carat,cut", "--categorical", "cut"], ["--numeric", "--categorical", "'cut' in both"]),
        (["--drop", "cut", "--keep", "cut"], ["--drop", "--keep", "'cut' in both"]),
        (["--balanced"], ["--balanced", "a regression, as the target has fractions"]),
        (["--balanced", "--task", "regression"], ["--balanced", "--task regression"]),
    ],
)
def test_options_that_train_cannot_follow(here, capsys, options, words):
    before = sorted(os.listdir())
    message = misused(capsys, "train", "stones.csv", "--target", "price", "-o", "w.safetensors", *options)
    assert message.startswith("lamina train: ")
    assert [word for word in words if word not in message] == [], message
    assert sorted(os.listdir()) == before


def test_wrong_usage_is_that_of_the_command(here, capsys):
    message = misused(capsys, "predict", "stones.safetensors", "stones.csv", "more.csv")
    assert message.startswith("lamina predict: unrecognized arguments: more.csv; see 'lamina predict --help'")
    for name in ("p.xlsx", "p", "p.gz", "p.CSV.gz"):
        message = misused(capsys, "predict", "stones.safetensors", "stones.csv", "-o", name)
        assert ".csv, .csv.gz or .parquet" in message
        assert not os.path.exists(name)


@pytest.mark.parametrize(
    ("arguments", "output", "kept"),
    [
        (["train", "stones.csv", "--target", "price"], "stones.csv", "stones.csv"),
        (["train", "stones.csv", "--target", "price"], "./stones.csv", "stones.csv"),
        (["train", "link.csv", "--target", "price"], "stones.csv", "stones.csv"),
        (["predict", "stones.safetensors", "stones.csv"], "stones.csv", "stones.csv"),
        (["predict", "stones.safetensors", "stones.csv"], "hard.csv", "stones.csv"),
        (["predict", "model.csv", "stones.csv"], "model.csv", "model.csv"),
        (["export", "model.csv"], "model.csv", "model.csv"),
    ],
)
def test_outputs_never_replace_inputs(here, capsys, monkeypatch, tmp_path, arguments, output, kept):
    for name in ("stones.csv", "stones.safetensors"):
        shutil.copy(name, tmp_path)
    monkeypatch.chdir(tmp_path)
    shutil.copy("stones.safetensors", "model.csv")
    os.symlink("stones.csv", "link.csv")
    os.link("stones.csv", "hard.csv")
    before = Path(kept).read_bytes()
    message = misused(capsys, *arguments, "-o", output)
    assert "-o/--output: expected another file than" in message
    assert f"got '{output}'" in message
    assert Path(kept).read_bytes() == before


def test_output_never_replaces_stdin(here):
    shutil.copy("stones.csv", "piped.csv")
    with open("piped.csv") as file:
        process = started("predict", "stones.safetensors", "-", "-o", "piped.csv", stdin=file)
        assert "expected another file than its input" in process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert Path("piped.csv").read_bytes() == Path("stones.csv").read_bytes()


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


# ---- in a terminal, interrupted, into a pipe that closes, to a full disk


def redirected(redirection, *arguments):
    """Exit code and stderr of a command whose output the shell sends somewhere."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "lamina", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return result.returncode, result.stderr


@pytest.mark.parametrize("redirection", ["> /dev/full", ">&-"])
@pytest.mark.parametrize("command", ["train", "predict", "inspect"])
def test_output_that_cannot_be_written(here, redirection, command):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here: full disks are not tested")
    arguments = {
        "train": ["stones.csv", "--target", "price", "-o", "full.safetensors", *FAST],
        "predict": ["stones.safetensors", "stones.csv"],
        "inspect": ["stones.safetensors"],
    }[command]
    code, errors = redirected(redirection, command, *arguments)
    assert code == 1
    assert re.fullmatch(rf"lamina {command}: Standard output: can't be written: [\w ]+\.\n", errors), errors
    if command == "train":  # the model is worth more than the report
        assert lm.load_model("full.safetensors").count_params() > 0
        os.unlink("full.safetensors")


def test_closed_streams_that_nobody_needs(here):
    command = ["predict", "stones.safetensors", "stones.csv", "-o", "closed.csv"]
    assert redirected(">&-", *command) == (0, "600 predictions of 'price' in closed.csv\n")
    assert redirected(">&- 2>&- <&-", *command) == (0, "")
    code, errors = redirected("<&-", "predict", "stones.safetensors", "-")
    assert (code, errors) == (1, "lamina predict: Standard input: can't be read: it is closed.\n")


def test_training_outlives_its_reader(here):
    process = started(
        "train", "stones.csv", "--target", "price", "-o", "alone.safetensors", *FAST, stdout=subprocess.PIPE
    )
    assert process.stdout.readline().startswith("600 rows")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(60) == 1
    predictions = TabularModel.load("alone.safetensors").predict("stones.csv")
    np.testing.assert_array_equal(predictions, TabularModel.load("stones.safetensors").predict("stones.csv"))


def test_a_warning_is_told_where_training_goes_on(here, capsys, monkeypatch):
    def fit(self, *arguments, **options):
        warnings.warn("the loss is NaN", lm.NumericalWarning, stacklevel=1)
        return trained(self, *arguments, **options)

    trained = TabularModel.fit
    monkeypatch.setattr(TabularModel, "fit", fit)
    assert main(["train", "stones.csv", "--target", "price", "-o", "w.safetensors", "-q", *FAST]) == 0
    assert capsys.readouterr().err == "warning: the loss is NaN\n"


def in_terminal(kind):
    """What training shows in a terminal of a kind."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    command = ["train", "stones.csv", "--target", "price", "-o", "t.safetensors", "--patience", "100", *FAST]
    environment = {**os.environ, "COLUMNS": "90", "TERM": kind}
    process = started(*command, stdout=theirs, stdin=subprocess.DEVNULL, env=environment)
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
    return data.decode().replace("\r\n", "\n")


def test_plain_lines_in_a_dumb_terminal(here):
    shown = in_terminal("dumb")
    assert "\r" not in shown
    assert len(re.findall(r"^epoch +\d+/25 - loss ", shown, re.M)) == 25


def test_a_live_line_in_a_terminal(here):
    shown = in_terminal("xterm")
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
