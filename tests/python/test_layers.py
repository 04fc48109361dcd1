"""Layers: forward and backward against float64 networks and their finite differences, at odd shapes."""

import itertools

import numpy as np
import pytest
from helpers import check_gradient, predicted
from reference import activations, losses
from reference.layers import Network, batch_normalization, dense, elementwise, layer_normalization

import lamina as lm

ODD = [1, 3, 5, 17]


def regression_data(shape, outputs, n=7):
    generator = np.random.default_rng(11)
    x = generator.normal(size=(n, *shape)).astype(np.float32)
    return x, generator.normal(size=(n, outputs)).astype(np.float32)


def around(layer, step, columns, hidden=None, outputs=2, shapes=()):
    """A layer between two dense ones, so that its gradient by inputs and by parameters both count."""
    hidden = hidden or columns
    model = lm.Sequential([lm.Input((columns,)), lm.Dense(hidden), layer, lm.Dense(outputs)])
    network = Network(
        [
            (dense(activations.linear), [(columns, hidden), (hidden,)]),
            (step, list(shapes)),
            (dense(activations.linear), [(hidden, outputs), (outputs,)]),
        ]
    )
    return model, network


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("units", ODD)
@pytest.mark.parametrize("columns", ODD)
def test_dense(rows, units, columns):
    x, y = regression_data((columns,), units, rows)
    model = lm.Sequential([lm.Input((columns,)), lm.Dense(units)])
    network = Network([(dense(activations.linear), [(columns, units), (units,)])])
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y)


def test_dense_without_bias():
    x, y = regression_data((5,), 3)
    model = lm.Sequential([lm.Input((5,)), lm.Dense(4, use_bias=False), lm.Dense(3, use_bias=False)])
    network = Network([(dense(activations.linear), [(5, 4)]), (dense(activations.linear), [(4, 3)])])
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y)


def test_deep_chain():
    x, y = regression_data((5,), 2, 9)
    sizes = [5, 9, 8, 7, 2]
    model = lm.Sequential([lm.Input((5,)), *(lm.Dense(units, activation="tanh") for units in sizes[1:])])
    shapes = itertools.pairwise(sizes)
    network = Network([(dense(np.tanh), [(i, o), (o,)]) for i, o in shapes])
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y, scale=0.5)


@pytest.mark.parametrize("columns", [1, 3, 16, 17])
@pytest.mark.parametrize("name", activations.ALL)
def test_activations_in_dense_and_alone(name, columns):
    function = activations.ALL[name]
    x, y = regression_data((3,), 2)
    fused = lm.Sequential([lm.Input((3,)), lm.Dense(columns, activation=name), lm.Dense(2)])
    network = Network(
        [(dense(function), [(3, columns), (columns,)]), (dense(activations.linear), [(columns, 2), (2,)])]
    )
    check_gradient(fused, "mse", network, losses.mean_squared_error, x, y)
    alone = lm.Sequential([lm.Input((3,)), lm.Dense(columns), lm.Activation(name), lm.Dense(2)])
    check_gradient(alone, "mse", network, losses.mean_squared_error, x, y)


@pytest.mark.parametrize("name", activations.ALL)
def test_activation_last(name):
    """With a loss that is not fused with any activation."""
    x, y = regression_data((3,), 5)
    model = lm.Sequential([lm.Input((3,)), lm.Dense(5, activation=name)])
    network = Network([(dense(activations.ALL[name]), [(3, 5), (5,)])])
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y)


LAYERS = {
    "LeakyReLU": (lambda: lm.LeakyReLU(), lambda x: activations.leaky_relu(x, 0.3)),
    "LeakyReLU slope": (
        lambda: lm.LeakyReLU(negative_slope=0.05),
        lambda x: activations.leaky_relu(x, 0.05),
    ),
    "ELU": (lambda: lm.ELU(), activations.elu),
    "ELU alpha": (lambda: lm.ELU(alpha=2.5), lambda x: activations.elu(x, 2.5)),
    "Softmax": (lambda: lm.Softmax(), activations.softmax),
    "Rescaling": (lambda: lm.Rescaling(0.25, offset=-1.0), lambda x: x * 0.25 - 1.0),
    "Dropout": (lambda: lm.Dropout(0.5), lambda x: x),
    "GaussianNoise": (lambda: lm.GaussianNoise(1.0), lambda x: x),
    "Flatten": (lambda: lm.Flatten(), lambda x: x.reshape(len(x), -1)),
}


@pytest.mark.parametrize("columns", ODD)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_without_parameters(name, columns):
    make, function = LAYERS[name]
    x, y = regression_data((columns,), 2)
    model, network = around(make(), elementwise(function), columns, hidden=columns + 2)
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y)
    np.testing.assert_allclose(predicted(make(), x), function(x.astype(np.float64)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("scale", "center"), [(True, True), (False, True), (True, False), (False, False)])
@pytest.mark.parametrize("columns", ODD)
def test_batch_normalization(columns, scale, center, training):
    x, y = regression_data((columns,), 2, n=11)
    layer = lm.BatchNormalization(scale=scale, center=center, epsilon=0.01)
    moving = (np.full(columns, 0.3), np.full(columns, 2.0))
    step = batch_normalization(0.01, training, moving, scale, center)
    shapes = [(columns,)] * (scale + center)
    model, network = around(layer, step, columns, shapes=shapes)
    model.build((columns,))
    layer.set_weights([np.full(columns, value) for value in [1.0] * scale + [0.0] * center + [0.3, 2.0]])
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y, training=training)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("scale", "center"), [(True, True), (False, True), (True, False), (False, False)])
@pytest.mark.parametrize("columns", [2, 3, 5, 17])
def test_layer_normalization(columns, scale, center, training):
    x, y = regression_data((columns,), 2)
    layer = lm.LayerNormalization(scale=scale, center=center)
    step = layer_normalization(1e-3, scale, center)
    model, network = around(layer, step, columns, shapes=[(columns,)] * (scale + center))
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y, training=training)


def test_batch_normalization_moves_its_statistics(rng):
    x = (3.0 + 2.0 * rng.normal(size=(50, 4))).astype(np.float32)
    layer = lm.BatchNormalization(momentum=0.9)
    model = lm.Sequential([layer, lm.Dense(1)], seed=0)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.0), loss="mse")
    mean, variance = np.zeros(4), np.ones(4)
    for rows in (x[:20], x[20:], x[:1], x):
        trainer.train_on_batch(rows, rows[:, :1])
        exact = rows.astype(np.float64)
        mean = 0.9 * mean + 0.1 * exact.mean(axis=0)
        variance = 0.9 * variance + 0.1 * exact.var(axis=0)  # of the population, as Keras
        got = layer.get_weights()
        np.testing.assert_allclose(got[2], mean, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(got[3], variance, rtol=1e-5, atol=1e-6)
    expected = (x - mean) / np.sqrt(variance + 1e-3)
    np.testing.assert_allclose(frozen_copy(layer).predict(x), expected, rtol=1e-4, atol=1e-5)


def frozen_copy(layer):
    """A model of another layer with the same weights (one object may stand in one model)."""
    other = type(layer).from_config(layer.get_config())
    model = lm.Sequential([lm.Input((4,)), other])
    other.set_weights(layer.get_weights())
    return model


def test_frozen_batch_normalization_runs_on_its_statistics(rng):
    x, y = regression_data((4,), 1, n=20)
    layer = lm.BatchNormalization()
    model = lm.Sequential([lm.Input((4,)), layer, lm.Dense(1)], seed=0)
    layer.set_weights([np.ones(4), np.zeros(4), np.full(4, 0.5), np.full(4, 3.0)])
    layer.trainable = False
    before = layer.get_weights()
    trainer = lm.Trainer(model, optimizer="sgd", loss="mse")
    frozen_value, _ = trainer.value_and_gradient(x, y, training=True)
    assert frozen_value == trainer.value_and_gradient(x, y, training=False)[0]
    trainer.fit(x, y, epochs=2, verbose=0)
    for got, expected in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("kind", ["batch", "layer", "dense", "softmax"])
def test_inputs_of_higher_rank(kind):
    """(batch, 3, 5): dense, normalisation and softmax work along the last axis."""
    x = np.random.default_rng(2).normal(size=(6, 3, 5)).astype(np.float32)
    y = np.random.default_rng(3).normal(size=(6, 2)).astype(np.float32)
    layer, step, shapes = {
        "batch": (lm.BatchNormalization(), batch_normalization(), [(5,), (5,)]),
        "layer": (lm.LayerNormalization(), layer_normalization(), [(5,), (5,)]),
        "dense": (lm.Dense(5, activation="tanh"), dense(np.tanh), [(5, 5), (5,)]),
        "softmax": (lm.Softmax(), elementwise(activations.softmax), []),
    }[kind]
    model = lm.Sequential([lm.Input((3, 5)), layer, lm.Flatten(), lm.Dense(2)])
    network = Network(
        [
            (step, shapes),
            (elementwise(lambda v: v.reshape(len(v), -1)), []),
            (dense(activations.linear), [(15, 2), (2,)]),
        ]
    )
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y, training=True)


def test_predictions_of_higher_rank():
    x = np.random.default_rng(2).normal(size=(6, 3, 5)).astype(np.float32)
    labels = np.random.default_rng(3).integers(0, 4, (6, 3))
    model = lm.Sequential([lm.Input((3, 5)), lm.Dense(4, activation="softmax")])
    network = Network([(dense(activations.softmax), [(5, 4), (4,)])])

    def loss(y, p):
        return losses.sparse_categorical_crossentropy(y.reshape(-1), p.reshape(-1, 4))

    check_gradient(model, "sparse_categorical_crossentropy", network, loss, x, labels)


@pytest.mark.parametrize(
    ("target", "expected"), [((4, 3), (4, 3)), ((-1,), (12,)), ((2, -1), (2, 6)), ((1, 12, 1), (1, 12, 1))]
)
def test_reshape(rng, target, expected):
    x = rng.normal(size=(5, 3, 4)).astype(np.float32)
    got = predicted(lm.Reshape(target), x)
    np.testing.assert_array_equal(got, x.reshape(5, *expected))


def test_reshape_and_flatten_pass_gradients():
    x, y = regression_data((6,), 2)
    model = lm.Sequential(
        [lm.Input((6,)), lm.Dense(6), lm.Reshape((2, 3)), lm.Dense(4), lm.Flatten(), lm.Dense(2)]
    )
    network = Network(
        [
            (dense(activations.linear), [(6, 6), (6,)]),
            (elementwise(lambda v: v.reshape(-1, 2, 3)), []),
            (dense(activations.linear), [(3, 4), (4,)]),
            (elementwise(lambda v: v.reshape(-1, 8)), []),
            (dense(activations.linear), [(8, 2), (2,)]),
        ]
    )
    check_gradient(model, "mse", network, losses.mean_squared_error, x, y)


@pytest.mark.parametrize("how", ["layer", "argument"])
def test_activity_regularization(how):
    """l1 * sum|a| + l2 * sum a^2 over the activities of a batch, divided by its rows, as Keras does."""
    x, y = regression_data((3,), 2, n=7)
    if how == "layer":
        hidden = [lm.Dense(4, activation="tanh"), lm.ActivityRegularization(l1=0.1, l2=0.2)]
    else:
        hidden = [lm.Dense(4, activation="tanh", activity_regularizer=lm.regularizers.L1L2(0.1, 0.2))]
    model = lm.Sequential([lm.Input((3,)), *hidden, lm.Dense(2)])
    first = Network([(dense(np.tanh), [(3, 4), (4,)])])
    whole = Network([(dense(np.tanh), [(3, 4), (4,)]), (dense(activations.linear), [(4, 2), (2,)])])

    def penalty(flat):
        activity = first.forward(flat[:16], x)
        return (0.1 * np.abs(activity).sum() + 0.2 * (activity**2).sum()) / len(x)

    check_gradient(model, "mse", whole, losses.mean_squared_error, x, y, training=True, penalty=penalty)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 16, 17, 31])
def test_prediction_does_not_depend_on_the_neighbours(rng, rows):
    model = lm.Sequential(
        [
            lm.Input((19,)),
            lm.Dense(33, activation="gelu"),
            lm.LayerNormalization(),
            lm.Dense(7, activation="softmax"),
        ],
        seed=1,
    )
    x = rng.normal(size=(31, 19)).astype(np.float32)
    np.testing.assert_array_equal(model.predict(x)[:rows], model.predict(x[:rows]))


@pytest.mark.parametrize(
    "layer",
    [
        lm.Dense(3, activation="relu", kernel_regularizer=lm.regularizers.L2(0.1), name="mine"),
        lm.Activation("gelu"),
        lm.Dropout(0.25),
        lm.BatchNormalization(momentum=0.5, epsilon=0.01),
        lm.LayerNormalization(epsilon=0.01),
        lm.Flatten(),
        lm.Reshape((2, -1)),
        lm.Rescaling(0.5, offset=1.0),
        lm.ActivityRegularization(l1=0.1, l2=0.2),
        lm.GaussianNoise(0.1),
        lm.LeakyReLU(negative_slope=0.1),
        lm.ELU(alpha=0.5),
        lm.Softmax(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_and_repr(layer):
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert repr(layer).startswith(type(layer).__name__ + "(")
    assert getattr(lm.layers, type(layer).__name__) is type(layer)
    assert getattr(lm, type(layer).__name__) is type(layer)


def test_repr_names_the_values():
    assert repr(lm.Dropout(0.5)).startswith("Dropout(")
    assert "0.5" in repr(lm.Dropout(0.5))
    assert "relu" in repr(lm.Dense(3, activation="relu"))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: lm.Dense(0), "units"),
        (lambda: lm.Dense(-3), "units"),
        (lambda: lm.Dense(3, activation="rleu"), "relu"),
        (lambda: lm.Dense(3, kernel_initializer="glorot_unifrom"), "glorot_uniform"),
        (lambda: lm.Dense(3, kernel_regularizer="l3"), "l1|l2"),
        (lambda: lm.Activation("sigmod"), "sigmoid"),
        (lambda: lm.Dropout(1.5), "rate"),
        (lambda: lm.Dropout(-0.1), "rate"),
        (lambda: lm.Dropout(float("nan")), "rate"),
        (lambda: lm.BatchNormalization(momentum=1.5), "momentum"),
        (lambda: lm.BatchNormalization(epsilon=-1e-3), "epsilon"),
        (lambda: lm.LayerNormalization(epsilon=float("inf")), "epsilon"),
        (lambda: lm.GaussianNoise(-1.0), "stddev"),
        (lambda: lm.ActivityRegularization(l1=-1.0), "l1"),
        (lambda: lm.Rescaling(float("inf")), "scale"),
        (lambda: lm.ELU(alpha=float("nan")), "alpha"),
        (lambda: lm.LeakyReLU(negative_slope=-1.0), "negative_slope"),
        (lambda: lm.Reshape((-1, -1)), "target_shape"),
        (lambda: lm.Input((0,)), "shape"),
    ],
)
def test_checked_when_made(make, word):
    with pytest.raises(lm.ArgumentError, match=word):
        make()


def test_unknown_argument():
    with pytest.raises((TypeError, lm.ArgumentError), match=r"activaton.*activation"):
        lm.Dense(3, activaton="relu")


@pytest.mark.parametrize("layer", [lm.Dropout(0.4), lm.GaussianNoise(0.2)], ids=repr)
def test_random_layers_pass_gradients_while_training(layer):
    """The numbers are the same while the step is, so float32 differences along a direction can judge.

    Central differences of fourth order at 0.02: truncation below 1e-6, rounding near 1e-7 / 0.02 = 5e-6.
    """
    x, y = regression_data((5,), 2, n=9)
    model = lm.Sequential([lm.Input((5,)), lm.Dense(6, activation="tanh"), layer, lm.Dense(2)], seed=0)
    trainer = lm.Trainer(model, loss="mse", seed=1)
    start = model.flat_parameters.copy()
    _, gradient = trainer.value_and_gradient(x, y, training=True)
    generator = np.random.default_rng(0)
    for _ in range(5):
        direction = generator.normal(size=start.size)
        direction /= np.linalg.norm(direction)

        def along(t, direction=direction):
            model.flat_parameters[:] = start + t * direction
            return trainer.value_and_gradient(x, y, training=True)[0]

        h = 0.02
        slope = (8 * (along(h) - along(-h)) - (along(2 * h) - along(-2 * h))) / (12 * h)
        assert slope == pytest.approx(gradient @ direction, abs=2e-4)
        model.flat_parameters[:] = start
