"""Trainer.fit_lbfgs beside SciPy's L-BFGS, which is driven by value_and_gradient."""

import numpy as np
import pytest
from scipy import optimize

import lamina as lm


def network(*layers, seed=3):
    return lm.Sequential([lm.Input((6,)), *(layers or (lm.Dense(12, "tanh"), lm.Dense(1)))], seed=seed)


@pytest.fixture
def data(rng):
    x = rng.normal(size=(300, 6)).astype(np.float32)
    return x, (np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3]).astype(np.float32)


def by_scipy(model, x, y, weight=None, **options):
    trainer = lm.Trainer(model, loss="mse")

    def function(flat):
        model.flat_parameters[:] = flat
        value, gradient = trainer.value_and_gradient(x, y, weight)
        return value, gradient.astype(np.float64)

    start = model.flat_parameters.astype(np.float64)
    return optimize.minimize(function, start, jac=True, method="L-BFGS-B", options=options)


def test_it_takes_scipys_steps(data):
    theirs = by_scipy(network(), *data, maxiter=12)
    losses = []
    model = network()
    result = lm.Trainer(model, loss="mse").fit_lbfgs(
        *data, max_iterations=12, on_iteration=lambda *progress: losses.append(progress[2])
    )
    assert (result.iterations, result.evaluations) == (theirs.nit, theirs.nfev)
    assert not result.converged
    assert result.message == "the largest number of iterations is reached"
    np.testing.assert_allclose(result.loss, theirs.fun, rtol=1e-3)
    np.testing.assert_allclose(model.flat_parameters, theirs.x, rtol=1e-2, atol=1e-3)
    assert losses[-1] == result.loss
    assert losses[-2] - losses[-1] == result.last_decrease
    assert sorted(losses, reverse=True) == losses


def test_it_solves_least_squares(rng):
    x = rng.normal(size=(80, 6)).astype(np.float32)
    y = (x @ rng.normal(size=(6, 1)) + 0.5 + 0.1 * rng.normal(size=(80, 1))).astype(np.float32)
    weight = rng.uniform(0.5, 2.0, size=80)
    for sample_weight in (None, weight):
        model = network(lm.Dense(1))
        result = lm.Trainer(model, loss="mse").fit_lbfgs(x, y, sample_weight)
        assert result.converged
        root = np.sqrt(np.ones(80) if sample_weight is None else weight)[:, None]
        design = np.column_stack([x, np.ones(80)]).astype(np.float64)
        exact = np.linalg.lstsq(root * design, root * y, rcond=None)[0].ravel()
        np.testing.assert_allclose(model.flat_parameters, exact, atol=1e-4)


def test_penalties_count_and_dropout_is_off(data):
    model = network(lm.Dense(8, "relu", kernel_regularizer="l2"), lm.Dropout(0.5), lm.Dense(1))
    trainer = lm.Trainer(model, loss="mse")
    result = trainer.fit_lbfgs(*data, max_iterations=20)
    np.testing.assert_allclose(result.loss, trainer.evaluate(*data)["loss"], rtol=1e-6)
    assert trainer.epoch == 0


def test_threads_change_no_bit(data):
    weights = []
    for threads in (1, 2):
        lm.set_num_threads(threads)
        model = network(lm.Dense(64, "relu"), lm.Dense(64, "relu"), lm.Dense(1))
        lm.Trainer(model, loss="mse").fit_lbfgs(*data, max_iterations=30)
        weights.append(model.flat_parameters.copy())
    np.testing.assert_array_equal(*weights)


def test_frozen_layers_stay(data):
    model = network()
    model.layers[0].trainable = False
    kernel = model.layers[0].kernel.copy()
    result = lm.Trainer(model, loss="mse").fit_lbfgs(*data, max_iterations=30)
    assert result.iterations > 2
    np.testing.assert_array_equal(model.layers[0].kernel, kernel)


def test_a_callback_stops_it_and_an_error_in_it_keeps_the_last_step(data):
    trainer = lm.Trainer(network(), loss="mse")
    result = trainer.fit_lbfgs(*data, on_iteration=lambda iterations, evaluations, loss: iterations < 3)
    assert result.iterations == 3
    assert result.message == "a callback stopped it"
    np.testing.assert_allclose(trainer.evaluate(*data)["loss"], result.loss, rtol=1e-6)

    seen = []

    def breaks(iterations, evaluations, loss):
        seen.append(loss)
        if iterations == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer.fit_lbfgs(*data, on_iteration=breaks)
    np.testing.assert_allclose(trainer.evaluate(*data)["loss"], seen[-1], rtol=1e-6)
    trainer.fit(*data, verbose=0)  # the session is at rest again


def test_a_loss_of_ones_own(data):
    class Squares(lm.losses.Loss):
        def value_and_gradient(self, y_true, y_pred):
            difference = y_pred - y_true
            return np.mean(difference**2), 2 * difference / difference.size

    models = network(), network()
    for model, loss in zip(models, ("mse", Squares()), strict=True):
        lm.Trainer(model, loss=loss).fit_lbfgs(*data, max_iterations=8)
    np.testing.assert_allclose(models[1].flat_parameters, models[0].flat_parameters, atol=1e-3)


def test_where_the_loss_is_not_finite_nothing_moves(data):
    model = network()
    model.layers[0].kernel[0, 0] = np.nan
    before = model.flat_parameters.copy()
    result = lm.Trainer(model, loss="mse").fit_lbfgs(*data)
    assert result.message == "no step along the gradient makes the value smaller"
    assert (result.iterations, result.evaluations) == (0, 1)
    np.testing.assert_array_equal(model.flat_parameters, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_iterations": 0},
            "fit_lbfgs: expected max_iterations to be a whole number of at least 1, got 0",
        ),
        ({"max_evaluations": 2.5}, "expected max_evaluations to be a whole number"),
        ({"history": True}, "expected history to be a whole number"),
        ({"gradient_tolerance": -1.0}, "expected gradient_tolerance to be a finite number >= 0, got -1.0"),
        ({"value_tolerance": np.nan}, "expected value_tolerance to be a finite number >= 0, got nan"),
        ({"on_iteration": 3}, "expected on_iteration to be a function"),
    ],
)
def test_limits_are_checked(data, options, message):
    model = network()
    before = model.flat_parameters.copy()
    with pytest.raises(lm.errors.ArgumentError, match=message):
        lm.Trainer(model, loss="mse").fit_lbfgs(*data, **options)
    np.testing.assert_array_equal(model.flat_parameters, before)


def test_constraints_are_refused(data):
    model = network(lm.Dense(8, "relu", kernel_constraint="non_neg"), lm.Dense(1))
    with pytest.raises(lm.errors.ArgumentError, match="expected weights without constraints, got dense"):
        lm.Trainer(model, loss="mse").fit_lbfgs(*data)


def test_data_are_checked(data):
    x, y = data
    with pytest.raises(lm.errors.ShapeError):
        lm.Trainer(network(), loss="mse").fit_lbfgs(x[:, :4], y)
    with pytest.raises(lm.errors.LaminaError, match="NaN"):
        lm.Trainer(network(), loss="mse").fit_lbfgs(np.where(x > 2, np.nan, x), y)
