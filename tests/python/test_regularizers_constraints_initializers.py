"""What stands on single parameters: penalties, constraints, and the weights they start from."""

import numpy as np
import pytest
from reference import activations, constraints, initializers
from reference.layers import Network, dense, numeric_gradient
from scipy import stats

import lamina as lm

R, C, INIT = lm.regularizers, lm.constraints, lm.initializers

PENALTIES = [
    (R.L1(0.1), 0.1, 0.0),
    (R.L2(0.05), 0.0, 0.05),
    (R.L1L2(l1=0.02, l2=0.3), 0.02, 0.3),
    (R.ElasticNet(l1=0.2, l2=0.1), 0.2, 0.1),
    (R.L1(), 0.01, 0.0),
    (R.L2(), 0.0, 0.01),
    (R.L1L2(), 0.0, 0.0),
    (R.get("l1"), 0.01, 0.0),
    (R.get("l2"), 0.0, 0.01),
]


@pytest.mark.parametrize(("regularizer", "l1", "l2"), PENALTIES, ids=repr)
@pytest.mark.parametrize("shape", [(1,), (7,), (16, 17), (300, 100)])
def test_penalty(rng, regularizer, l1, l2, shape):
    w = rng.normal(size=shape).astype(np.float32)
    exact = w.astype(np.float64)
    expected = l1 * np.abs(exact).sum() + l2 * (exact**2).sum()
    # Sums of up to 30,000 terms: 1e-5 leaves room for any order of summation in float32 blocks.
    np.testing.assert_allclose(regularizer(w), expected, rtol=1e-5, atol=1e-9)


def test_elastic_net_is_l1l2():
    assert R.ElasticNet is R.L1L2


@pytest.mark.parametrize("where", ["kernel_regularizer", "bias_regularizer", "both"])
@pytest.mark.parametrize(("regularizer", "l1", "l2"), PENALTIES[:4], ids=repr)
def test_in_the_loss_and_in_the_gradient(regression, where, regularizer, l1, l2):
    x, y = regression
    options = {
        name: regularizer for name in ("kernel_regularizer", "bias_regularizer") if where in (name, "both")
    }
    layers = [lm.Input((5,)), lm.Dense(3, activation="tanh", **options), lm.Dense(2)]
    model = lm.Sequential(layers)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.0), loss="mse")
    generator = np.random.default_rng(0)
    model.flat_parameters[:] = generator.normal(size=model.flat_parameters.size)
    model.flat_parameters[3] = 0.0  # sign(0) is 0
    flat = model.flat_parameters.astype(np.float64)
    plain = lm.Sequential([lm.Input((5,)), lm.Dense(3, activation="tanh"), lm.Dense(2)])
    plain.flat_parameters[:] = flat
    mask = np.zeros(flat.size)
    mask[:15] = "kernel_regularizer" in options
    mask[15:18] = "bias_regularizer" in options
    penalty = (mask * (l1 * np.abs(flat) + l2 * flat**2)).sum()

    value, gradient = trainer.value_and_gradient(x, y)
    plain_value, plain_gradient = lm.Trainer(plain, loss="mse").value_and_gradient(x, y)
    np.testing.assert_allclose(value, plain_value + penalty, rtol=1e-5)
    expected = plain_gradient + mask * (l1 * np.sign(flat) + 2 * l2 * flat)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)
    # Reported everywhere, whatever the batches.
    for loss in (
        trainer.evaluate(x, y, batch_size=7)["loss"],
        trainer.fit(x, y, epochs=1, batch_size=13, verbose=0).history["loss"][0],
        trainer.train_on_batch(x, y)["loss"],
    ):
        np.testing.assert_allclose(loss, value, rtol=1e-5)


def test_regularized_gradient_against_differences(regression):
    x, y = regression
    model = lm.Sequential(
        [lm.Input((5,)), lm.Dense(2, kernel_regularizer=R.L1L2(0.1, 0.2), bias_regularizer="l2")], seed=0
    )
    network = Network([(dense(activations.linear), [(5, 2), (2,)])])
    flat = model.flat_parameters.astype(np.float64)

    def function(w):
        kernel, bias = w[:10], w[10:]
        penalty = 0.1 * np.abs(kernel).sum() + 0.2 * (kernel**2).sum() + 0.01 * (bias**2).sum()
        return ((network.forward(w, x) - y) ** 2).mean() + penalty

    value, gradient = lm.Trainer(model, loss="mse").value_and_gradient(x, y)
    np.testing.assert_allclose(value, function(flat), rtol=1e-5)
    np.testing.assert_allclose(gradient, numeric_gradient(function, flat), atol=1e-4)


CONSTRAINTS = [
    (C.MaxNorm(), lambda w: constraints.max_norm(w)),
    (C.MaxNorm(max_value=0.7, axis=1), lambda w: constraints.max_norm(w, 0.7, 1)),
    (C.NonNeg(), constraints.non_neg),
    (C.UnitNorm(), lambda w: constraints.unit_norm(w)),
    (C.UnitNorm(axis=1), lambda w: constraints.unit_norm(w, 1)),
    (C.MinMaxNorm(), lambda w: constraints.min_max_norm(w)),
    (C.MinMaxNorm(0.5, 2.0, rate=0.3, axis=1), lambda w: constraints.min_max_norm(w, 0.5, 2.0, 0.3, 1)),
]


@pytest.mark.parametrize(("constraint", "formula"), CONSTRAINTS, ids=lambda value: repr(value)[:40])
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (17, 33)])
def test_constraint(rng, constraint, formula, shape):
    w = (rng.normal(size=shape) * rng.uniform(0.1, 3.0, shape[1])).astype(np.float32)
    before = w.copy()
    got = constraint(w)
    np.testing.assert_array_equal(w, before)  # a new array
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, formula(w.astype(np.float64)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("constraint", "formula"), CONSTRAINTS, ids=lambda value: repr(value)[:40])
def test_constraint_holds_after_every_step(regression, constraint, formula):
    """A step with a constraint is the step without one, then the constraint."""
    x, y = regression

    def stepped(kernel_constraint):
        model = lm.Sequential([lm.Dense(2, kernel_constraint=kernel_constraint)], seed=3)
        trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.5), loss="mse")
        trainer.train_on_batch(x, y)
        return model.get_weights()

    (free, free_bias), (kernel, bias) = stepped(None), stepped(constraint)
    np.testing.assert_allclose(kernel, formula(free.astype(np.float64)), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(bias, free_bias)


def test_bias_constraint(regression):
    x, y = regression
    model = lm.Sequential([lm.Dense(2, bias_constraint="non_neg")], seed=3)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.5), loss="mse")
    for _ in range(5):
        trainer.train_on_batch(x, y - 10.0)
        assert (model.get_weights()[1] >= 0).all()


@pytest.mark.parametrize("name", initializers.SCALED)
@pytest.mark.parametrize("shape", [(300, 200), (40, 900)])
def test_variance_scaling(name, shape):
    values = getattr(INIT, name)()(shape, seed=5).astype(np.float64).ravel()
    mean, deviation, bound = initializers.variance_scaling(shape, *initializers.SCALED[name])
    n = values.size
    # Six standard errors: of the mean, and of the deviation (kurtosis below 3 in both families).
    assert abs(values.mean() - mean) < 6 * deviation / np.sqrt(n)
    assert abs(values.std() - deviation) < 6 * deviation / np.sqrt(2 * n)
    assert np.abs(values).max() <= bound * (1 + 1e-6)
    assert np.abs(values).max() > 0.98 * bound
    family = stats.uniform(-bound, 2 * bound) if "Uniform" in name else stats.truncnorm(-2, 2, 0, bound / 2)
    assert stats.kstest(values, family.cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    ("initializer", "distribution"),
    [
        (INIT.RandomNormal(), stats.norm(0, 0.05)),
        (INIT.RandomNormal(mean=1.0, stddev=2.0), stats.norm(1, 2)),
        (INIT.RandomUniform(), stats.uniform(-0.05, 0.1)),
        (INIT.RandomUniform(minval=-1.0, maxval=3.0), stats.uniform(-1, 4)),
        (INIT.TruncatedNormal(), stats.truncnorm(-2, 2, 0, 0.05)),
        (INIT.TruncatedNormal(mean=1.0, stddev=2.0), stats.truncnorm(-2, 2, 1, 2)),
    ],
    ids=repr,
)
def test_random_distributions(initializer, distribution):
    values = initializer((211, 97), seed=9).astype(np.float64).ravel()
    assert stats.kstest(values, distribution.cdf).pvalue > 1e-4
    low, high = distribution.support()
    assert values.min() >= low - 1e-6
    assert values.max() <= high + 1e-6


@pytest.mark.parametrize("shape", [(5, 5), (12, 5), (5, 12), (1, 7), (64, 33)])
def test_orthogonal(shape):
    w = INIT.Orthogonal()(shape, seed=2).astype(np.float64)
    gram = w.T @ w if shape[0] >= shape[1] else w @ w.T
    np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-5)
    np.testing.assert_allclose(INIT.Orthogonal(gain=3.0)(shape, seed=2), 3 * w, rtol=1e-5, atol=1e-6)


def test_constants():
    np.testing.assert_array_equal(INIT.Zeros()((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(INIT.Ones()((4,)), np.ones(4))
    np.testing.assert_array_equal(INIT.Constant(0.25)((2, 2)), np.full((2, 2), 0.25))
    np.testing.assert_array_equal(INIT.Identity()((3, 3)), np.eye(3))
    np.testing.assert_array_equal(INIT.Identity(gain=2.0)((2, 3)), 2 * np.eye(2, 3))


RANDOM = [
    *(getattr(INIT, name)() for name in initializers.SCALED),
    INIT.RandomNormal(),
    INIT.RandomUniform(),
    INIT.TruncatedNormal(),
    INIT.Orthogonal(),
]


@pytest.mark.parametrize("initializer", RANDOM, ids=repr)
def test_seeds(initializer):
    first = initializer((6, 5), seed=1)
    assert first.dtype == np.float32
    assert first.shape == (6, 5)
    np.testing.assert_array_equal(first, initializer((6, 5), seed=1))
    assert (first != initializer((6, 5), seed=2)).mean() > 0.9


@pytest.mark.parametrize(
    "name",
    [
        "glorot_uniform",
        "glorot_normal",
        "he_uniform",
        "he_normal",
        "lecun_uniform",
        "lecun_normal",
        "random_normal",
        "random_uniform",
        "truncated_normal",
        "orthogonal",
        "zeros",
        "ones",
        "constant",
        "identity",
    ],
)
def test_initializer_names(name):
    expected = "".join(word.capitalize() for word in name.split("_"))
    assert type(INIT.get(name)).__name__ == expected
    model = lm.Sequential([lm.Dense(4, kernel_initializer=name)], seed=0)
    model.build((4,))
    assert model.get_weights()[0].shape == (4, 4)


def test_dense_starts_as_in_keras():
    model = lm.Sequential([lm.Dense(200)], seed=0)
    model.build((300,))
    kernel, bias = model.get_weights()
    limit = np.sqrt(6 / 500)
    assert 0.98 * limit < np.abs(kernel).max() <= limit * (1 + 1e-6)
    np.testing.assert_array_equal(bias, 0.0)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: R.L1(-0.1), "l1"),
        (lambda: R.L2(float("nan")), "l2"),
        (lambda: R.L1L2(0.1, float("inf")), "l2"),
        (lambda: C.MaxNorm(-1.0), "max_value"),
        (lambda: C.MinMaxNorm(rate=1.5), "rate"),
        (lambda: C.MinMaxNorm(min_value=-1.0), "min_value"),
        (lambda: INIT.RandomNormal(stddev=-1.0), "stddev"),
        (lambda: INIT.Constant(float("nan")), "value"),
        (lambda: R.get("l3"), "l1|l2"),
        (lambda: C.get("maxnorm"), "MaxNorm|max_norm"),
        (lambda: INIT.get("glorot"), "glorot"),
    ],
)
def test_checked_when_made(make, word):
    with pytest.raises(lm.ArgumentError, match=word):
        make()


def test_shapes_that_do_not_fit():
    with pytest.raises(lm.ShapeError, match="Orthogonal"):
        INIT.Orthogonal()((3,), seed=0)
    with pytest.raises(lm.ShapeError, match="Identity"):
        INIT.Identity()((3,))


@pytest.mark.parametrize(
    "thing",
    [R.L1L2(0.1, 0.2), C.MinMaxNorm(0.5, 2.0), INIT.RandomNormal(1.0, 0.5), INIT.HeNormal()],
    ids=repr,
)
def test_config_and_repr(thing):
    config = thing.get_config()
    assert type(thing).from_config(config).get_config() == config
    assert type(thing).__name__ in repr(thing)
    for field, value in config.items():
        assert getattr(thing, field) == value
