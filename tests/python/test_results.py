"""Real results on scikit-learn's data sets, which need no network."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import lamina as lm


def test_datasets_are_split_by_the_seed():
    for load, rows, columns in [
        (lm.datasets.digits, 1797, 64),
        (lm.datasets.breast_cancer, 569, 30),
        (lm.datasets.diabetes, 442, 10),
    ]:
        (x_train, y_train), (x_test, y_test) = load()
        assert len(x_train) + len(x_test) == rows
        assert len(x_train) == len(y_train)
        assert len(x_test) == len(y_test)
        assert x_train.shape[1:] == x_test.shape[1:] == (columns,)
        assert abs(len(x_test) - 0.2 * rows) < 1
        (again, _), _ = load(test_size=0.2, seed=0)
        np.testing.assert_array_equal(again, x_train)
        (other, _), _ = load(seed=1)
        assert not np.array_equal(other, x_train)
        (_, _), (half, _) = load(test_size=0.5)
        assert abs(len(half) - 0.5 * rows) < 1


def test_digits():
    (x, y), (x_test, y_test) = lm.datasets.digits()
    scores = []
    for seed in range(3):
        model = lm.Sequential(
            [
                lm.Rescaling(1 / 16),
                lm.Dense(256, activation="relu"),
                lm.BatchNormalization(),
                lm.Dropout(0.3),
                lm.Dense(10, activation="softmax"),
            ]
        )
        trainer = lm.Trainer(
            model,
            optimizer=lm.optimizers.Adam(1e-3),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            seed=seed,
        )
        trainer.fit(x, y, epochs=40, batch_size=32, verbose=0)
        scores.append(trainer.evaluate(x_test, y_test)["accuracy"])
    assert np.mean(scores) >= 0.97, scores


def test_breast_cancer():
    (x, y), (x_test, y_test) = lm.datasets.breast_cancer()
    scores = []
    for seed in range(3):
        model = lm.Sequential(
            [
                lm.BatchNormalization(),
                lm.Dense(16, activation="relu"),
                lm.Dropout(0.3),
                lm.Dense(1, activation="sigmoid"),
            ]
        )
        trainer = lm.Trainer(
            model,
            optimizer=lm.optimizers.Adam(5e-3),
            loss="binary_crossentropy",
            metrics=["accuracy"],
            seed=seed,
        )
        trainer.fit(x, y, epochs=40, batch_size=32, verbose=0)
        scores.append(trainer.evaluate(x_test, y_test)["accuracy"])
    assert np.mean(scores) >= 0.96, scores


def test_diabetes():
    (x, y), (x_test, y_test) = lm.datasets.diabetes()
    linear = LinearRegression().fit(x, y)
    linear_mse = float(((linear.predict(x_test) - np.ravel(y_test)) ** 2).mean())
    mean, deviation = x.mean(axis=0), x.std(axis=0)
    x, x_test = (x - mean) / deviation, (x_test - mean) / deviation
    centre, spread = y.mean(), y.std()
    scores = []
    for seed in range(5):
        model = lm.Sequential(
            [
                lm.Dense(16, activation="tanh", kernel_regularizer=lm.regularizers.L2(0.01)),
                lm.Dropout(0.2),
                lm.Dense(1, kernel_regularizer=lm.regularizers.L2(0.01)),
            ]
        )
        trainer = lm.Trainer(model, optimizer=lm.optimizers.Adam(3e-3), loss="mse", seed=seed)
        trainer.fit(x, (y - centre) / spread, epochs=60, batch_size=32, verbose=0)
        predicted = model.predict(x_test)[:, 0] * spread + centre
        scores.append(float(((predicted - np.ravel(y_test)) ** 2).mean()))
    assert np.mean(scores) < linear_mse, (scores, linear_mse)


def test_missing_scikit_learn_is_told(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"(?i)scikit-learn|sklearn"):
        lm.datasets.digits()
