"""Tables for the tests of lamina.tabular and of the command line, generated and real."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="pandas is not installed: tables are not tested")
pytest.importorskip("sklearn", reason="scikit-learn is not installed: tables are not tested")


def real(package, file):
    """The path of a file that a package ships, without importing the package; skips where it isn't there."""
    spec = importlib.util.find_spec(package)
    path = None if spec is None else Path(spec.submodule_search_locations[0]) / "data" / file
    if path is None or not path.is_file():
        pytest.skip(f"{package}, which ships the real table {file}, is not installed")
    return path


def passengers(rows=300, seed=0):
    """A ship's passengers: names, gaps, truths, classes that look like numbers."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "PassengerId": np.arange(1, rows + 1),
            "name": [f"Passenger {i}" for i in range(rows)],
            "class": random.integers(1, 4, rows),
            "sex": random.choice(["female", "male"], rows),
            "age": random.uniform(1, 80, rows).round(1),
            "fare": random.lognormal(3, 1, rows).round(2),
            "alone": random.choice(["yes", "no"], rows),
            "port": random.choice(["Cherbourg", "Queenstown", "Southampton"], rows, p=[0.2, 0.1, 0.7]),
            "ship": "Titanic",
            "deck": np.nan,
        }
    )
    score = 2.5 * (frame["sex"] == "female") - 1.2 * (frame["class"] - 2) - 0.03 * frame["age"]
    frame["survived"] = np.where(score + 0.3 * random.normal(size=rows) > 0.2, "yes", "no")
    frame.loc[random.random(rows) < 0.2, "age"] = np.nan
    frame.loc[random.random(rows) < 0.05, "port"] = None
    return frame


def stones(rows=600, seed=0):
    """Stones as in diamonds: the price is a smooth function of weight and cut, and noise."""
    random = np.random.default_rng(seed)
    cuts = {"Fair": 0.8, "Good": 1.0, "Ideal": 1.3}
    frame = pd.DataFrame(
        {
            "carat": random.uniform(0.2, 2.5, rows).round(2),
            "cut": random.choice(list(cuts), rows),
            "sold": pd.date_range("2024-01-01", periods=rows, freq="17h").strftime("%Y-%m-%d"),
        }
    )
    price = 3000 * frame["carat"] ** 1.5 * frame["cut"].map(cuts)
    frame["price"] = (price * random.uniform(0.97, 1.03, rows)).round(2)
    return frame
