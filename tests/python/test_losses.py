"""Losses against float64: values, gradients, reductions, sample weights, logits, kinds of labels."""

from functools import partial

import numpy as np
import pytest
from reference import activations
from reference import losses as reference
from reference.layers import Network, dense, numeric_gradient

import lamina as lm


def probabilities(rng, n, k):
    return rng.dirichlet(np.ones(k), n) * 0.98 + 0.01 / k * 2


def one_hot(rng, n, k):
    return np.eye(k)[rng.integers(0, k, n)]


def labels(rng, n, k):
    return rng.integers(0, k, n)


def bits(rng, n, k):
    return rng.integers(0, 2, (n, k)).astype(float)


def unit(rng, n, k):
    return rng.uniform(0.02, 0.98, (n, k))


def normal(rng, n, k):
    return rng.normal(size=(n, k)) * 2.0


def signs(rng, n, k):
    return rng.choice([-1.0, 1.0], (n, k))


def counts(rng, n, k):
    return rng.poisson(3.0, (n, k)).astype(float)


def positive(rng, n, k):
    return rng.uniform(0.1, 5.0, (n, k))


L = lm.losses
# name: (loss, reference, targets, predictions)
CASES = {
    "categorical": (
        L.CategoricalCrossentropy,
        {},
        reference.categorical_crossentropy,
        one_hot,
        probabilities,
    ),
    "categorical unnormalised": (
        L.CategoricalCrossentropy,
        {},
        reference.categorical_crossentropy,
        one_hot,
        unit,
    ),
    "categorical logits": (
        L.CategoricalCrossentropy,
        {"from_logits": True},
        reference.categorical_crossentropy,
        one_hot,
        normal,
    ),
    "categorical soft targets": (
        L.CategoricalCrossentropy,
        {"from_logits": True},
        reference.categorical_crossentropy,
        probabilities,
        normal,
    ),
    "categorical smoothed": (
        L.CategoricalCrossentropy,
        {"label_smoothing": 0.1},
        reference.categorical_crossentropy,
        one_hot,
        probabilities,
    ),
    "categorical smoothed logits": (
        L.CategoricalCrossentropy,
        {"label_smoothing": 0.2, "from_logits": True},
        reference.categorical_crossentropy,
        one_hot,
        normal,
    ),
    "sparse": (
        L.SparseCategoricalCrossentropy,
        {},
        reference.sparse_categorical_crossentropy,
        labels,
        probabilities,
    ),
    "sparse logits": (
        L.SparseCategoricalCrossentropy,
        {"from_logits": True},
        reference.sparse_categorical_crossentropy,
        labels,
        normal,
    ),
    "binary": (L.BinaryCrossentropy, {}, reference.binary_crossentropy, bits, unit),
    "binary logits": (
        L.BinaryCrossentropy,
        {"from_logits": True},
        reference.binary_crossentropy,
        bits,
        normal,
    ),
    "binary smoothed": (
        L.BinaryCrossentropy,
        {"label_smoothing": 0.3},
        reference.binary_crossentropy,
        bits,
        unit,
    ),
    "binary smoothed logits": (
        L.BinaryCrossentropy,
        {"label_smoothing": 0.3, "from_logits": True},
        reference.binary_crossentropy,
        bits,
        normal,
    ),
    "focal": (L.BinaryFocalCrossentropy, {}, reference.binary_focal_crossentropy, bits, unit),
    "focal balanced": (
        L.BinaryFocalCrossentropy,
        {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5},
        reference.binary_focal_crossentropy,
        bits,
        unit,
    ),
    "focal logits": (
        L.BinaryFocalCrossentropy,
        {"from_logits": True, "label_smoothing": 0.1},
        reference.binary_focal_crossentropy,
        bits,
        normal,
    ),
    "nll": (L.NegativeLogLikelihood, {}, reference.categorical_crossentropy, one_hot, probabilities),
    "mse": (L.MeanSquaredError, {}, reference.mean_squared_error, normal, normal),
    "mae": (L.MeanAbsoluteError, {}, reference.mean_absolute_error, normal, normal),
    "huber": (L.Huber, {}, reference.huber, normal, normal),
    "huber delta": (L.Huber, {"delta": 2.5}, reference.huber, normal, normal),
    "log_cosh": (L.LogCosh, {}, reference.log_cosh, normal, normal),
    "hinge": (L.Hinge, {}, reference.hinge, signs, normal),
    "hinge bits": (L.Hinge, {}, reference.hinge, bits, normal),
    "squared_hinge": (L.SquaredHinge, {}, reference.squared_hinge, signs, normal),
    "kl": (L.KLDivergence, {}, reference.kl_divergence, probabilities, probabilities),
    "poisson": (L.Poisson, {}, reference.poisson, counts, positive),
    "cosine": (L.CosineSimilarity, {}, reference.cosine_similarity, normal, normal),
}
SHAPES = [(1, 2), (7, 3), (16, 16), (5, 17), (33, 9)]


def make(name, rng, n=11, k=5):
    kind, options, formula, targets, predictions = CASES[name]
    # Predictions rounded to float32 first, so that the reference sees the same numbers.
    p = predictions(rng, n, k).astype(np.float32)
    y = targets(rng, n, k)
    if y.dtype != np.int64:
        y = y.astype(np.float32)
    return kind, options, partial(formula, **options), y, p


def exact(formula, y, p):
    return formula(np.asarray(y, np.float64), np.asarray(p, np.float64))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(rng, name, shape):
    kind, options, formula, y, p = make(name, rng, *shape)
    loss = kind(**options)
    # float32 logarithms and divisions, each right to some ulp: 1e-5 of the value.
    expected = exact(formula, y, p).mean()
    np.testing.assert_allclose(loss(y, p), expected, rtol=1e-5, atol=1e-6)
    value, gradient = loss.value_and_gradient(y, p)
    np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
    # The differences are right to 1e-8 or so, the gradient to some ulp of its largest element.
    slopes = numeric_gradient(
        lambda flat: exact(formula, y, flat.reshape(p.shape)).mean(), p.ravel().astype(np.float64)
    ).reshape(p.shape)
    assert gradient.shape == p.shape
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, slopes, rtol=1e-4, atol=2e-5 * max(np.abs(slopes).max(), 1e-3))


@pytest.mark.parametrize("name", CASES)
def test_sample_weight_and_reductions(rng, name):
    kind, options, formula, y, p = make(name, rng)
    rows = exact(formula, y, p)
    weight = rng.uniform(0.0, 3.0, len(p)).astype(np.float32)
    close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-6)
    close(kind(**options)(y, p, sample_weight=weight), (rows * weight).sum() / len(p))
    close(kind(**options, reduction="sum")(y, p), rows.sum(), atol=1e-5)
    close(kind(**options, reduction="sum")(y, p, sample_weight=weight), (rows * weight).sum(), atol=1e-5)
    mean = kind(**options, reduction="mean_with_sample_weight")
    close(mean(y, p, sample_weight=weight), (rows * weight).sum() / weight.sum())


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["categorical_crossentropy"], "CategoricalCrossentropy"),
        (["sparse_categorical_crossentropy"], "SparseCategoricalCrossentropy"),
        (["binary_crossentropy"], "BinaryCrossentropy"),
        (["binary_focal_crossentropy"], "BinaryFocalCrossentropy"),
        (["nll"], "NegativeLogLikelihood"),
        (["mean_squared_error", "mse"], "MeanSquaredError"),
        (["mean_absolute_error", "mae"], "MeanAbsoluteError"),
        (["huber"], "Huber"),
        (["log_cosh"], "LogCosh"),
        (["hinge"], "Hinge"),
        (["squared_hinge"], "SquaredHinge"),
        (["kl_divergence"], "KLDivergence"),
        (["poisson"], "Poisson"),
        (["cosine_similarity"], "CosineSimilarity"),
    ],
)
def test_names(names, kind):
    for name in names:
        assert type(lm.losses.get(name)) is getattr(lm.losses, kind)


def test_unknown_name_tells_the_nearest():
    with pytest.raises(lm.ArgumentError, match="categorical_crossentropy"):
        lm.losses.get("categorical_crossentopy")


@pytest.mark.parametrize("k", [2, 3, 10, 17])
def test_nll_is_categorical_crossentropy_to_the_last_bit(rng, k):
    p = probabilities(rng, 23, k).astype(np.float32)
    y = one_hot(rng, 23, k).astype(np.float32)
    value, gradient = L.NegativeLogLikelihood().value_and_gradient(y, p)
    other_value, other_gradient = L.CategoricalCrossentropy().value_and_gradient(y, p)
    assert value == other_value
    np.testing.assert_array_equal(gradient, other_gradient)


@pytest.mark.parametrize("from_logits", [False, True])
def test_integer_labels_equal_one_hot(rng, from_logits):
    p = (normal if from_logits else probabilities)(rng, 19, 6).astype(np.float32)
    y = labels(rng, 19, 6)
    sparse = L.SparseCategoricalCrossentropy(from_logits=from_logits)
    dense_loss = L.CategoricalCrossentropy(from_logits=from_logits)
    np.testing.assert_allclose(sparse(y, p), dense_loss(np.eye(6, dtype=np.float32)[y], p), rtol=1e-6)
    assert sparse(y, p) == sparse(y[:, None], p) == sparse(y.astype(np.uint8), p)


@pytest.mark.parametrize("magnitude", [50.0, 1e4, 1e30])
def test_logits_of_any_size_give_finite_losses(magnitude):
    logits = np.array([[magnitude, -magnitude, 0.0]], np.float32)
    value, gradient = L.SparseCategoricalCrossentropy(from_logits=True).value_and_gradient(
        np.array([1]), logits
    )
    np.testing.assert_allclose(value, 2 * np.float64(np.float32(magnitude)), rtol=1e-6)
    np.testing.assert_allclose(gradient, [[1.0, -1.0, 0.0]], atol=1e-6)
    value, gradient = L.BinaryCrossentropy(from_logits=True).value_and_gradient(
        np.array([[0.0]], np.float32), logits[:, :1]
    )
    np.testing.assert_allclose(value, magnitude, rtol=1e-6)
    np.testing.assert_allclose(gradient, [[1.0]], atol=1e-6)


@pytest.mark.parametrize("kind", ["CategoricalCrossentropy", "BinaryCrossentropy", "BinaryFocalCrossentropy"])
def test_probabilities_of_zero_and_one_are_clipped_as_keras_does(kind):
    y = np.array([[1.0, 0.0]], np.float32)
    loss = getattr(L, kind)()
    value, gradient = loss.value_and_gradient(y, np.array([[0.0, 1.0]], np.float32))
    # -log(1e-7); 1 - 1e-7 is 1 - 1.19e-7 in float32, which moves the binary one by some percent.
    np.testing.assert_allclose(value, -np.log(1e-7), rtol=0.02)
    assert np.isfinite(gradient).all()
    assert loss(y, y) < 1e-6


@pytest.mark.parametrize(
    ("activation", "loss", "targets", "formula"),
    [
        ("softmax", "categorical_crossentropy", one_hot, reference.categorical_crossentropy),
        ("softmax", "sparse_categorical_crossentropy", labels, reference.sparse_categorical_crossentropy),
        ("sigmoid", "binary_crossentropy", bits, reference.binary_crossentropy),
    ],
)
def test_last_activation_and_loss_are_fused(rng, activation, loss, targets, formula):
    """Logits so wide that probabilities underflow: the loss is that of the logits, not -log(1e-7)."""
    n, k = 9, 4
    x = (100.0 * rng.normal(size=(n, 3))).astype(np.float32)
    y = targets(rng, n, k)
    y = y if y.dtype == np.int64 else y.astype(np.float32)
    model = lm.Sequential([lm.Input((3,)), lm.Dense(k, activation=activation)], seed=0)
    trainer = lm.Trainer(model, optimizer="sgd", loss=loss)
    model.flat_parameters[:] = rng.normal(size=model.flat_parameters.size)
    logits = Network([(dense(activations.linear), [(3, k), (k,)])])

    def function(flat):
        return formula(y, logits.forward(flat, x), from_logits=True).mean()

    flat = model.flat_parameters.astype(np.float64)
    assert function(flat) > 17  # more than -log(1e-7) on average: the clipped form can't pass
    value, gradient = trainer.value_and_gradient(x, y)
    np.testing.assert_allclose(value, function(flat), rtol=1e-5)
    expected = numeric_gradient(function, flat)
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-4 * np.abs(expected).max())
    predicted = model.predict(x)
    expected = activations.ALL[activation](logits.forward(flat, x))
    np.testing.assert_allclose(predicted, expected, rtol=1e-3, atol=1e-5)  # still probabilities


def test_a_loss_of_logits_is_not_fused_twice(rng):
    """A softmax followed by from_logits=True is odd, but means what it says."""
    x = rng.normal(size=(7, 3)).astype(np.float32)
    y = labels(rng, 7, 4)
    model = lm.Sequential([lm.Input((3,)), lm.Dense(4, activation="softmax")], seed=0)
    loss = L.SparseCategoricalCrossentropy(from_logits=True)
    value, _ = lm.Trainer(model, loss=loss).value_and_gradient(x, y)
    p = model.predict(x).astype(np.float64)
    expected = reference.sparse_categorical_crossentropy(y, p, from_logits=True).mean()
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_predictions_of_higher_rank(rng):
    p, y = rng.normal(size=(2, 4, 3, 5)).astype(np.float32)
    np.testing.assert_allclose(L.MeanSquaredError()(y, p), ((p - y) ** 2).mean(), rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("CategoricalCrossentropy", {"label_smoothing": 1.5}),
        ("BinaryCrossentropy", {"label_smoothing": -0.1}),
        ("Huber", {"delta": float("nan")}),
        ("BinaryFocalCrossentropy", {"gamma": -1.0}),
        ("MeanSquaredError", {"reduction": "average"}),
    ],
)
def test_options_are_checked_when_made(kind, options):
    with pytest.raises(lm.ArgumentError, match=next(iter(options))):
        getattr(L, kind)(**options)


def test_config_and_repr():
    loss = L.CategoricalCrossentropy(label_smoothing=0.1)
    config = loss.get_config()
    assert config["label_smoothing"] == 0.1
    assert config["from_logits"] is False
    assert L.CategoricalCrossentropy.from_config(config).get_config() == config
    assert loss.label_smoothing == 0.1
    assert "CategoricalCrossentropy" in repr(loss)
    assert "0.1" in repr(loss)
