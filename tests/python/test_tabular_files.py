"""lamina.tabular: tables in files, models in files, and files that nobody should trust."""

import contextlib
import gzip
import json

import numpy as np
import pytest
from helpers import run_python
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables import passengers, stones

import lamina as lm
from lamina.tabular import TabularModel, read_table


def test_a_model_predicts_the_same_from_its_file(tmp_path, survivors, prices):
    for model, frame in ((survivors, passengers(50, 3)), (prices, stones(50, 3))):
        path = tmp_path / "model.safetensors"
        model.save(path)
        loaded = TabularModel.load(path)
        np.testing.assert_array_equal(loaded.predict(frame), model.predict(frame))
        assert (loaded.target, loaded.classes) == (model.target, model.classes)
        # any file of the table gives the same, and the network alone is a model of lamina
        frame.to_csv(tmp_path / "new.csv", index=False)
        expected = model.predict(tmp_path / "new.csv")
        (tmp_path / "new.csv.gz").write_bytes(gzip.compress((tmp_path / "new.csv").read_bytes()))
        np.testing.assert_array_equal(loaded.predict(tmp_path / "new.csv.gz"), expected)
        frame.to_csv(tmp_path / "new.tsv", index=False, sep="\t")
        np.testing.assert_array_equal(loaded.predict(tmp_path / "new.tsv"), expected)
        x = model.preprocessor.transform(frame)
        np.testing.assert_array_equal(lm.load_model(path).predict(x), model.model.predict(x))


def test_other_frames(prices):
    polars = pytest.importorskip("polars")
    frame = stones(40, 4)
    expected = prices.predict(frame)
    np.testing.assert_array_equal(prices.predict(frame.to_dict("list")), expected)
    np.testing.assert_array_equal(prices.predict(polars.DataFrame(frame.to_dict("list"))), expected)


def test_parquet(tmp_path, prices):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: Parquet is not tested")
    frame = stones(40, 5)
    frame.to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(prices.predict(tmp_path / "t.parquet"), prices.predict(frame))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(lm.DataError, match=r"bad\.parquet"):
        read_table(tmp_path / "bad.parquet")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"a,b\n", "rows below"),
        (b"a,b,a\n1,2,3\n", "'a' twice"),
        (b"a,b\n1,2,3\n", "bad one"),
        (b"a,b\n1,2\n1,2,3\n", "line 3"),
        (b"\x1f\x8bnot gzip", "damaged"),
        (b"\xff\xfe\x00a", "utf-8"),
        (b"a,b\n1,\xff\n", "bad one"),
        (b"\x00\x01\x02\x03", "binary"),
    ],
)
def test_files_that_are_no_tables(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(lm.DataError, match=message) as info:
        read_table(path)
    assert "t.csv" in str(info.value)


def test_files_with_other_habits(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffa ; b\n1;é\n2;\n".encode())
    frame = read_table(path)
    assert list(frame.columns) == ["a", "b"]
    assert frame["b"].isna().tolist() == [False, True]
    path.write_bytes("a,b\n1,é\n".encode("latin-1"))
    assert read_table(path, encoding="latin-1")["b"][0] == "é"
    path.write_text("zip,b\n012,1\n")
    assert read_table(path, text_columns=["zip"])["zip"][0] == "012"


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('"a, b";c;y\n1;2;3\n', ["a, b", "c", "y"]),
        ('"a;b;c","d"\n1,2\n', ["a;b;c", "d"]),
        ('"a,""b""";c\n1;2\n', ['a,"b"', "c"]),
        ("a, b;c\n1,2\n", ["a", "b;c"]),
    ],
)
def test_delimiters_in_quotes_do_not_count(tmp_path, content, names):
    (tmp_path / "t.csv").write_text(content)
    assert list(read_table(tmp_path / "t.csv").columns) == names


def test_rows_that_are_all_too_long(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,"2\n2",\n\n1,2,3\n1,2,3\n')
    with pytest.raises(lm.DataError, match=r"t\.csv'.* bad one: line 5 has 3 fields, the header 2\.$"):
        read_table(path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x93\n\x81", b"some text\n", b""])
def test_a_file_that_is_no_parquet(tmp_path, content):
    path = tmp_path / "t.parquet"
    path.write_bytes(content)
    with pytest.raises(lm.DataError, match=r"t\.parquet': expected Parquet, got data that don't begin with"):
        read_table(path)


def test_cells_that_python_writes_in_another_way_stay_texts(tmp_path):
    rows = ["TRUE,true,True,007,1,01,5", "FALSE,,False,012,0,1,1.5", "TRUE,false,True,,1,01,05"]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c,d,e,f,g", *rows]))
    frame = read_table(tmp_path / "t.csv")
    assert frame["a"].tolist() == ["TRUE", "FALSE", "TRUE"]
    assert frame["b"].fillna("-").tolist() == ["true", "-", "false"]
    assert frame["c"].tolist() == [True, False, True]
    assert frame["d"].fillna("-").tolist() == ["007", "012", "-"]
    assert frame["e"].tolist() == [1, 0, 1]
    assert frame["f"].tolist() == [1, 1, 1]  # 1 and 01 are the same number
    assert frame["g"].tolist() == [5, 1.5, 5]


@pytest.mark.parametrize(("low", "high"), [("FALSE", "TRUE"), ("false", "true"), ("01", "02"), ("0", "1")])
def test_classes_come_back_as_they_were_written(tmp_path, low, high):
    labels = [high if i % 7 > 3 else low for i in range(80)]
    rows = [f"{i % 7},{i % 3:03},{label}" for i, label in enumerate(labels)]
    (tmp_path / "t.csv").write_text("\n".join(["x,code,y", *rows]))
    model = TabularModel(hidden=(8,), epochs=60, learning_rate=0.02).fit(tmp_path / "t.csv", "y", verbose=0)
    assert [str(label) for label in model.classes] == [low, high]
    assert [column.kind for column in model.preprocessor.columns] == ["number", "number"]
    model.save(tmp_path / "m")
    loaded = TabularModel.load(tmp_path / "m")
    assert [str(label) for label in loaded.predict(tmp_path / "t.csv")] == labels
    scores = loaded.evaluate(tmp_path / "t.csv")
    # in a frame they may be what they stand for
    values = {"FALSE": False, "TRUE": True, "false": False, "true": True}
    frame = read_table(tmp_path / "t.csv")
    frame["y"] = [values.get(label) if label in values else int(label) for label in labels]
    assert loaded.evaluate(frame) == scores
    with pytest.raises(lm.DataError, match="expected one of"):
        loaded.evaluate(frame.assign(y="7"))


def test_numbers_written_with_a_comma_in_files(tmp_path):
    numbers = [round(0.5 + i * 0.37, 2) for i in range(100)]
    rows = [f"{value};{1000 * value:.0f}".replace(".", ",") for value in numbers]
    (tmp_path / "t.csv").write_text("\n".join(["x;y", *rows]))
    model = TabularModel(hidden=(), epochs=1).fit(tmp_path / "t.csv", "x", verbose=0)
    model.save(tmp_path / "m")
    loaded = TabularModel.load(tmp_path / "m")
    assert loaded.preprocessor.text_columns == ["x"]
    # every point of these rows is one of thousands, which a reader of numbers would not see
    (tmp_path / "new.csv").write_text("x;y\n1.234;5\n5.678;6\n")
    scores = loaded.evaluate({"x": [1234.0, 5678.0], "y": [5, 6]})
    assert loaded.evaluate(tmp_path / "new.csv") == scores
    features = TabularModel(hidden=(), epochs=1).fit(tmp_path / "t.csv", "y", verbose=0)
    features.save(tmp_path / "m")
    loaded = TabularModel.load(tmp_path / "m")
    expected = loaded.predict({"x": [1234.0, 5678.0]})
    np.testing.assert_array_equal(loaded.predict(tmp_path / "new.csv"), expected)


@pytest.mark.parametrize(
    "style",
    [None, [], {}, "x", 1, {"decimal": ".", "sign": "x"}, {"decimal": "x", "sign": ""}, {"decimal": ","}],
)
@pytest.mark.parametrize("place", ["target", "column"])
def test_a_style_in_a_file_is_checked(tmp_path, prices, place, style):
    prices.save(tmp_path / "m")
    fields = json.loads(lm.load_model(tmp_path / "m").metadata["tabular"])
    entry = fields["target"] if place == "target" else fields["preprocessor"]["columns"][0]
    assert "style" not in entry  # files without one are those of before
    entry["style"] = style
    prices.model.save(tmp_path / "m", {"tabular": json.dumps(fields)})
    with pytest.raises(lm.FormatError, match="Tabular model: expected"):
        TabularModel.load(tmp_path / "m")
    entry["style"] = {"decimal": ",", "sign": "€"}
    prices.model.save(tmp_path / "m", {"tabular": json.dumps(fields)})
    read_as_text = TabularModel.load(tmp_path / "m").preprocessor.text_columns
    assert ("carat" if place == "column" else "price") in read_as_text


SWEEP = [
    None,
    [],
    {},
    "x",
    -1,
    0,
    10**400,
    True,
    float("nan"),
    float("inf"),
    ["a", "a"],
    [{"kind": "number"}],
    {"task": "regression"},
]


def mutated(value, path, replacement):
    """A copy of JSON with one node replaced, or taken away where the replacement is ... ."""
    if not path:
        return replacement
    copy = dict(value) if isinstance(value, dict) else list(value)
    keys = list(copy) if isinstance(value, dict) else range(len(copy))
    if not len(keys):
        return replacement
    key = keys[path[0] % len(keys)]
    if len(path) == 1 and replacement is ...:
        del copy[key]
        return copy
    inner = copy[key]
    if not isinstance(inner, (dict, list)):
        copy[key] = None if replacement is ... else replacement
    else:
        copy[key] = mutated(inner, path[1:], None if replacement is ... and len(path) == 1 else replacement)
    return copy


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.lists(st.integers(0, 30), min_size=1, max_size=5),
    replacement=st.sampled_from([..., *SWEEP]) | st.text(max_size=5),
)
def test_hostile_preparation_is_a_format_error(tmp_path, survivors, path, replacement):
    file = tmp_path / "m.safetensors"
    survivors.save(file)
    fields = json.loads(lm.load_model(file).metadata["tabular"])
    replacement = None if replacement is ... and len(path) == 5 else replacement
    text = json.dumps(mutated(fields, path, replacement), default=lambda _: None)
    survivors.model.save(file, {"tabular": text})
    try:
        loaded = TabularModel.load(file)
    except lm.FormatError:
        return
    with contextlib.suppress(lm.DataError):  # what is read is usable
        loaded.predict(passengers(20))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 100_000, '{"version": 2}', '{"version": 1}', "1" * 5000]
)
def test_preparation_that_is_no_json(tmp_path, survivors, text):
    survivors.model.save(tmp_path / "m", {"tabular": text})
    with pytest.raises(lm.FormatError):
        TabularModel.load(tmp_path / "m")


def test_a_model_without_preparation(tmp_path, survivors):
    survivors.model.save(tmp_path / "m", {})
    with pytest.raises(lm.FormatError, match="preparation"):
        TabularModel.load(tmp_path / "m")
    with pytest.raises(lm.FileError):
        TabularModel.load(tmp_path / "nothing")
    with pytest.raises(lm.StateError):
        TabularModel().save(tmp_path / "m")


def test_a_network_that_does_not_fit_its_preparation(tmp_path, survivors, prices):
    for file, model in (("s", survivors), ("p", prices)):
        model.save(tmp_path / file)
    text = lm.load_model(tmp_path / "s").metadata["tabular"]
    prices.model.save(tmp_path / "x", {"tabular": text})
    with pytest.raises(lm.FormatError, match="inputs"):
        TabularModel.load(tmp_path / "x")


def test_nothing_is_imported_before_it_is_used():
    code = "import sys, lamina.tabular, lamina.cli; print({'pandas', 'sklearn'} & sys.modules.keys())"
    assert run_python(code).strip() == "set()"


def test_without_pandas_the_extra_is_named():
    code = """
import sys
sys.modules["pandas"] = None
from lamina.tabular import TabularModel
try:
    TabularModel().fit("x.csv", "y")
except ImportError as error:
    print(error)
"""
    assert "pip install 'lamina[tabular]'" in run_python(code)
