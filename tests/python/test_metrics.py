"""Metrics against NumPy and scikit-learn, alone and over an epoch in batches."""

import numpy as np
import pytest
from reference import metrics as reference

import lamina as lm


def soft(rng, n, k):
    return rng.dirichlet(np.ones(k), n).astype(np.float32)


def one_hot(labels, k):
    return np.eye(k, dtype=np.float32)[labels]


@pytest.mark.parametrize("n", [1, 7, 100])
def test_accuracies(rng, n):
    labels, p = rng.integers(0, 4, n), soft(rng, n, 4)
    expected = reference.sparse_categorical_accuracy(labels, p)
    np.testing.assert_allclose(lm.metrics.SparseCategoricalAccuracy()(labels, p), expected)
    np.testing.assert_allclose(lm.metrics.CategoricalAccuracy()(one_hot(labels, 4), p), expected)
    bits, q = rng.integers(0, 2, (n, 1)), rng.random((n, 1)).astype(np.float32)
    np.testing.assert_allclose(lm.metrics.BinaryAccuracy()(bits, q), reference.binary_accuracy(bits, q))
    np.testing.assert_allclose(
        lm.metrics.BinaryAccuracy(threshold=0.8)(bits, q), reference.binary_accuracy(bits, q, 0.8)
    )


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k(rng, k):
    labels, p = rng.integers(0, 9, 200), soft(rng, 200, 9)
    expected = reference.top_k_categorical_accuracy(labels, p, k)
    np.testing.assert_allclose(lm.metrics.TopKCategoricalAccuracy(k=k)(one_hot(labels, 9), p), expected)
    assert lm.metrics.TopKCategoricalAccuracy().k == 5


@pytest.mark.parametrize(
    ("kind", "formula"),
    [
        ("MeanSquaredError", reference.mean_squared_error),
        ("MeanAbsoluteError", reference.mean_absolute_error),
        ("RootMeanSquaredError", reference.root_mean_squared_error),
        ("R2Score", reference.r2),
    ],
)
@pytest.mark.parametrize("shape", [(2, 1), (50, 1), (33, 3)])
def test_errors(rng, kind, formula, shape):
    y = rng.normal(size=shape).astype(np.float32)
    p = (y + 0.3 * rng.normal(size=shape)).astype(np.float32)
    expected = formula(y.astype(np.float64), p.astype(np.float64))
    np.testing.assert_allclose(getattr(lm.metrics, kind)()(y, p), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "name"), [("Precision", "precision"), ("Recall", "recall"), ("F1Score", "f1")]
)
def test_precision_recall_f1(rng, kind, name):
    metric = getattr(lm.metrics, kind)()
    bits, q = rng.integers(0, 2, (150, 1)), rng.random((150, 1)).astype(np.float32)
    expected = reference.classification(name, bits.ravel(), q.ravel() > 0.5, "binary")
    np.testing.assert_allclose(metric(bits, q), expected, rtol=1e-6)
    # Class 3 never occurs among the labels and class 0 is never predicted: both count as zero.
    labels, p = rng.integers(0, 3, 150), soft(rng, 150, 4)
    p[:, 0] = 0.0
    expected = reference.classification(name, labels, p.argmax(axis=1), "macro")
    np.testing.assert_allclose(metric(one_hot(labels, 4), p), expected, rtol=1e-6)
    np.testing.assert_allclose(metric(labels, p), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["Precision", "Recall", "F1Score"])
def test_nothing_positive_is_zero(kind):
    zeros = np.zeros((5, 1), np.float32)
    assert getattr(lm.metrics, kind)()(zeros, zeros) == 0.0


def test_auc(rng):
    p = rng.random((500, 1)).astype(np.float32)
    y = (rng.random((500, 1)) < p).astype(np.float32)
    expected = reference.auc(y, p)
    np.testing.assert_allclose(lm.metrics.AUC()(y, p), expected, rtol=1e-5)
    assert lm.metrics.AUC()(y, y) == pytest.approx(1.0)
    assert lm.metrics.AUC()(y, 1 - y) == pytest.approx(0.0, abs=1e-6)
    assert lm.metrics.AUC()(y, np.full_like(y, 0.3)) == pytest.approx(0.5)
    few = lm.metrics.AUC(num_thresholds=3)
    # Keras's own example.
    assert few(np.array([0, 0, 1, 1]), np.array([0, 0.5, 0.3, 0.9], np.float32)) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("binary_accuracy", "BinaryAccuracy"),
        ("categorical_accuracy", "CategoricalAccuracy"),
        ("sparse_categorical_accuracy", "SparseCategoricalAccuracy"),
        ("top_k_categorical_accuracy", "TopKCategoricalAccuracy"),
        ("mse", "MeanSquaredError"),
        ("mae", "MeanAbsoluteError"),
        ("rmse", "RootMeanSquaredError"),
        ("r2", "R2Score"),
        ("precision", "Precision"),
        ("recall", "Recall"),
        ("f1", "F1Score"),
        ("auc", "AUC"),
    ],
)
def test_names(name, kind):
    assert type(lm.metrics.get(name)) is getattr(lm.metrics, kind)


def test_unknown_name_tells_the_nearest():
    with pytest.raises(lm.ArgumentError, match="top_k_categorical_accuracy"):
        lm.metrics.get("top_k_categorical_acuracy")


def evaluated(x, y, last, loss, metrics, batch_size=17):
    model = lm.Sequential([lm.Dense(last[0], activation=last[1])], seed=4)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.0), loss=loss, metrics=metrics)
    logs = trainer.evaluate(x, y, batch_size=batch_size)
    history = trainer.fit(x, y, epochs=1, batch_size=batch_size, verbose=0).history
    for key, value in logs.items():  # nothing moves at rate 0: training streams the same figures
        np.testing.assert_allclose(history[key], [value], rtol=1e-5, atol=1e-6, err_msg=key)
    return model.predict(x), logs


@pytest.mark.parametrize("batch_size", [1, 7, 90, "full"])
def test_accuracy_picks_sparse(classes, batch_size):
    x, y = classes
    p, logs = evaluated(x, y, (3, "softmax"), "sparse_categorical_crossentropy", ["accuracy"], batch_size)
    np.testing.assert_allclose(logs["accuracy"], reference.sparse_categorical_accuracy(y, p))


def test_accuracy_picks_categorical(classes):
    x, y = classes
    p, logs = evaluated(x, one_hot(y, 3), (3, "softmax"), "categorical_crossentropy", ["accuracy"])
    np.testing.assert_allclose(logs["accuracy"], reference.sparse_categorical_accuracy(y, p))


def test_accuracy_picks_binary(classes):
    x, y = classes
    bits = (y == 1).astype(np.int32)
    p, logs = evaluated(x, bits, (1, "sigmoid"), "binary_crossentropy", ["accuracy"])
    np.testing.assert_allclose(logs["accuracy"], reference.binary_accuracy(bits[:, None], p))


def test_stream_over_batches_is_the_figure_over_all(classes, regression):
    """Not a mean over batches: R2, RMSE, precision and AUC of the whole differ from that."""
    x, y = classes
    bits = (y == 1).astype(np.float32)
    p, logs = evaluated(x, bits, (1, "sigmoid"), "binary_crossentropy", ["precision", "recall", "f1", "auc"])
    for name in ("precision", "recall", "f1"):
        expected = reference.classification(name, bits, p.ravel() > 0.5, "binary")
        np.testing.assert_allclose(logs[name], expected, rtol=1e-6)
    np.testing.assert_allclose(logs["auc"], reference.auc(bits, p), rtol=1e-5)

    x, y = regression
    names = {
        "mse": reference.mean_squared_error,
        "mae": reference.mean_absolute_error,
        "rmse": reference.root_mean_squared_error,
        "r2": reference.r2,
    }
    p, logs = evaluated(x, y, (2, None), "mse", list(names))
    for name, formula in names.items():
        expected = formula(y.astype(np.float64), p.astype(np.float64))
        np.testing.assert_allclose(logs[name], expected, rtol=1e-5, err_msg=name)
    assert list(logs) == ["loss", *names]


def test_sparse_top_k_and_macro_scores_in_evaluate(classes):
    x, y = classes
    p, logs = evaluated(
        x, y, (3, "softmax"), "sparse_categorical_crossentropy", ["precision", "recall", "f1"]
    )
    for name, value in logs.items():
        if name != "loss":
            expected = reference.classification(name, y, p.argmax(axis=1), "macro")
            np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_metrics_ignore_sample_weights(classes):
    """As Keras's metrics=[...] does; weighted metrics would be weighted_metrics."""
    x, y = classes
    model = lm.Sequential([lm.Dense(3, activation="softmax")], seed=4)
    trainer = lm.Trainer(model, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    plain = trainer.evaluate(x, y)
    weighted = trainer.evaluate(x, y, sample_weight=np.linspace(0, 2, len(y)))
    assert plain["accuracy"] == weighted["accuracy"]
    assert plain["loss"] != weighted["loss"]


def test_config_and_repr():
    metric = lm.metrics.TopKCategoricalAccuracy(k=3)
    assert metric.get_config()["k"] == 3
    assert lm.metrics.TopKCategoricalAccuracy.from_config(metric.get_config()).k == 3
    assert "TopKCategoricalAccuracy" in repr(metric)
    with pytest.raises(lm.ArgumentError, match="threshold"):
        lm.metrics.BinaryAccuracy(threshold=float("nan"))
