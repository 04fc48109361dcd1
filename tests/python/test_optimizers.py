"""Every optimizer and its options, step by step, against a float64 run of Keras's formulas."""

import numpy as np
import pytest
from helpers import small_regressor
from reference.optimizers import Run

import lamina as lm

RATE = 0.02
RULES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "dampening": None, "nesterov": True}),
    ("SGD", {"momentum": 0.9, "dampening": 0.0}),
    ("SGD", {"momentum": 0.9, "dampening": 0.0, "nesterov": True}),
    ("SGD", {"momentum": 0.5, "dampening": 0.25}),
    ("RMSprop", {}),
    ("RMSprop", {"rho": 0.8, "momentum": 0.7, "epsilon": 1e-3}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adam", {}),
    ("Adam", {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-2}),
    ("Adam", {"amsgrad": True, "beta_2": 0.6}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3}),
    ("AdamW", {"amsgrad": True}),
    ("Adamax", {}),
    ("Adamax", {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-2}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 1e-2}),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.7, "beta_2": 0.8}),
]
SHARED = [
    {"weight_decay": 0.4},
    {"clipvalue": 0.05},
    {"clipnorm": 0.1},
    {"global_clipnorm": 0.2},
    {"clipnorm": 1e6},
    {"gradient_accumulation_steps": 3},
    {"gradient_accumulation_steps": 2, "clipnorm": 0.1, "weight_decay": 0.1},
    {"use_ema": True, "ema_momentum": 0.8},
    {"use_ema": True, "global_clipnorm": 0.2},
]
NAMES = ["SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Lion"]


def split(flat, like):
    parts, at = [], 0
    for array in like:
        parts.append(np.asarray(flat[at : at + array.size]).reshape(array.shape))
        at += array.size
    assert at == flat.size
    return parts


def compare(optimizer, run, data, steps=12, batch=20):
    """Feeds both with lamina's gradients (their rightness is tested with the layers).

    Both start at the same float32 weights. A step rounds each weight once or twice (6e-8 relative) and
    computes its increment in float32, so after 12 steps of weights near 1 they differ by some 1e-6.
    """
    x, y = data
    model = small_regressor()
    trainer = lm.Trainer(model, optimizer=optimizer, loss="mse", seed=0)
    model.build((x.shape[1],))
    parameters = [w.astype(np.float64) for w in model.get_weights()]
    start = [w.copy() for w in parameters]
    for step in range(steps):
        at = step * batch % (len(x) - batch + 1)
        rows = slice(at, at + batch)
        _, gradient = trainer.value_and_gradient(x[rows], y[rows], training=True)
        trainer.train_on_batch(x[rows], y[rows])
        run.step(parameters, split(gradient, parameters))
        for got, expected in zip(model.get_weights(), parameters, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=5e-6, err_msg=f"after step {step}")
    assert any(np.abs(w - v).max() > 1e-3 for w, v in zip(parameters, start, strict=True)), "nothing moved"
    return trainer


@pytest.mark.parametrize(("name", "options"), RULES)
def test_rule(regression, name, options):
    optimizer = getattr(lm.optimizers, name)(learning_rate=RATE, **options)
    compare(optimizer, Run(name, RATE, **options), regression)


@pytest.mark.parametrize("options", SHARED, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_shared_options(regression, name, options):
    optimizer = getattr(lm.optimizers, name)(learning_rate=RATE, **options)
    run = Run(name, RATE, **options)
    trainer = compare(optimizer, run, regression)
    if options.get("use_ema"):
        before = trainer.model.get_weights()
        with trainer.ema_weights():
            averaged = trainer.model.get_weights()
        for got, expected in zip(averaged, run.ema, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=5e-6)
        for again, expected in zip(trainer.model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(again, expected)


@pytest.mark.parametrize("name", NAMES)
def test_follows_a_schedule(regression, name):
    schedule = lm.schedules.ExponentialDecay(0.05, decay_steps=4, decay_rate=0.5)
    optimizer = getattr(lm.optimizers, name)(learning_rate=schedule)
    compare(optimizer, Run(name, lambda step: 0.05 * 0.5 ** (step / 4)), regression)


def test_a_schedule_counts_updates_not_batches(regression):
    options = {"gradient_accumulation_steps": 3}
    optimizer = lm.optimizers.SGD(lambda step: 0.1 / (1 + step), **options)
    compare(optimizer, Run("SGD", lambda step: 0.1 / (1 + step), **options), regression)


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("SGD", {"learning_rate": 0.01, "momentum": 0.0, "dampening": None, "nesterov": False}),
        (
            "RMSprop",
            {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
        ),
        ("Adam", {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False}),
        ("AdamW", {"learning_rate": 0.001, "weight_decay": 0.004, "beta_1": 0.9, "beta_2": 0.999}),
        ("Adamax", {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
        ("Nadam", {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
        ("Adagrad", {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7}),
        ("Lion", {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99}),
    ],
)
def test_defaults_are_those_of_keras(name, defaults):
    optimizer = getattr(lm.optimizers, name)()
    shared = {
        "clipnorm": None,
        "clipvalue": None,
        "global_clipnorm": None,
        "use_ema": False,
        "ema_momentum": 0.99,
        "gradient_accumulation_steps": None,
    }
    for field, value in {**shared, **defaults}.items():
        assert getattr(optimizer, field) == value, field
        assert optimizer.get_config()[field] == value, field
    if name != "AdamW":
        assert optimizer.weight_decay is None
    again = type(optimizer).from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    assert name in repr(optimizer)
    assert type(lm.optimizers.get(name.lower())) is type(optimizer)


def test_first_argument_is_the_rate():
    assert lm.optimizers.Adam(3e-4).learning_rate == pytest.approx(3e-4)


def test_adamw_takes_weight_decay_second():
    """Keras's order of arguments."""
    assert lm.optimizers.AdamW(0.01, 0.02).weight_decay == pytest.approx(0.02)


def test_rate_can_be_read_and_set(regression):
    x, y = regression
    model = small_regressor()
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.5), loss="mse")
    assert trainer.optimizer.learning_rate == 0.5
    trainer.optimizer.learning_rate = 0.125
    assert trainer.optimizer.learning_rate == 0.125
    model.build((5,))
    before = model.flat_parameters.copy()
    _, gradient = trainer.value_and_gradient(x, y)
    trainer.train_on_batch(x, y)
    np.testing.assert_allclose(model.flat_parameters, before - 0.125 * gradient, rtol=1e-5, atol=1e-6)
    with pytest.raises(lm.ArgumentError, match="learning_rate"):
        trainer.optimizer.learning_rate = -1.0
    assert trainer.optimizer.learning_rate == 0.125


def test_rate_set_between_fits_keeps_the_slots(regression):
    x, y = regression
    model = small_regressor()
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.1, momentum=0.9), loss="mse")
    trainer.train_on_batch(x, y)
    trainer.optimizer.learning_rate = 0.2
    run = Run("SGD", lambda step: (0.1, 0.2)[step], momentum=0.9)
    again = small_regressor()
    again.build((5,))
    parameters = [w.astype(np.float64) for w in again.get_weights()]
    other = lm.Trainer(again, optimizer=lm.optimizers.SGD(0.1), loss="mse")
    run.step(parameters, split(other.value_and_gradient(x, y)[1], parameters))
    run.step(parameters, split(trainer.value_and_gradient(x, y)[1], parameters))
    trainer.train_on_batch(x, y)
    for got, expected in zip(model.get_weights(), parameters, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-6)


def test_evaluating_with_the_average(regression):
    x, y = regression
    model = small_regressor()
    optimizer = lm.optimizers.SGD(0.3, use_ema=True, ema_momentum=0.9)
    trainer = lm.Trainer(model, optimizer=optimizer, loss="mse")
    trainer.fit(x, y, epochs=5, batch_size=7, verbose=0)
    plain, averaged = trainer.evaluate(x, y), trainer.evaluate(x, y, use_ema=True)
    assert plain["loss"] != averaged["loss"]
    with trainer.ema_weights():
        inside = trainer.evaluate(x, y)
    assert inside["loss"] == averaged["loss"]
    assert trainer.evaluate(x, y)["loss"] == plain["loss"]


def test_no_average_to_evaluate_with(regression):
    x, y = regression
    trainer = lm.Trainer(small_regressor(), optimizer="sgd", loss="mse")
    trainer.train_on_batch(x, y)
    with pytest.raises(lm.StateError, match="ema"):
        trainer.evaluate(x, y, use_ema=True)


def test_average_is_restored_after_an_error(regression):
    x, y = regression
    trainer = lm.Trainer(small_regressor(), optimizer=lm.optimizers.SGD(0.1, use_ema=True), loss="mse")
    trainer.fit(x, y, epochs=2, verbose=0)
    before = trainer.model.get_weights()
    with pytest.raises(ZeroDivisionError), trainer.ema_weights():
        raise ZeroDivisionError
    for got, expected in zip(trainer.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)
