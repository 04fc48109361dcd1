"""Learning-rate schedules against Keras's formulas, and what they do to the rate while training."""

import numpy as np
import pytest
from helpers import small_regressor
from reference import schedules as reference

import lamina as lm

S = lm.schedules
STEPS = [0, 1, 2, 5, 9, 10, 11, 19, 20, 21, 37, 99, 100, 101, 250, 1000, 12345]
CASES = {
    "exponential": (S.ExponentialDecay(0.1, 20, 0.9), reference.exponential_decay, (0.1, 20, 0.9)),
    "exponential staircase": (
        S.ExponentialDecay(0.1, 20, 0.9, staircase=True),
        reference.exponential_decay,
        (0.1, 20, 0.9, True),
    ),
    "inverse time": (S.InverseTimeDecay(0.1, 20, 0.5), reference.inverse_time_decay, (0.1, 20, 0.5)),
    "inverse time staircase": (
        S.InverseTimeDecay(0.1, 20, 0.5, staircase=True),
        reference.inverse_time_decay,
        (0.1, 20, 0.5, True),
    ),
    "piecewise": (
        S.PiecewiseConstantDecay([10, 20, 100], [1.0, 0.5, 0.25, 0.1]),
        reference.piecewise_constant,
        ([10, 20, 100], [1.0, 0.5, 0.25, 0.1]),
    ),
    "polynomial": (S.PolynomialDecay(0.1, 100), reference.polynomial_decay, (0.1, 100)),
    "polynomial power": (
        S.PolynomialDecay(0.1, 100, end_learning_rate=0.01, power=2.5),
        reference.polynomial_decay,
        (0.1, 100, 0.01, 2.5),
    ),
    "polynomial cycle": (
        S.PolynomialDecay(0.1, 100, end_learning_rate=0.01, power=0.5, cycle=True),
        reference.polynomial_decay,
        (0.1, 100, 0.01, 0.5, True),
    ),
    "cosine": (S.CosineDecay(0.1, 100, alpha=0.05), reference.cosine_decay, (0.1, 100, 0.05)),
    "cosine warmup": (
        S.CosineDecay(0.01, 100, warmup_target=0.1, warmup_steps=20),
        reference.cosine_decay,
        (0.01, 100, 0.0, 0.1, 20),
    ),
    "restarts": (S.CosineDecayRestarts(0.1, 20), reference.cosine_decay_restarts, (0.1, 20)),
    "restarts equal": (
        S.CosineDecayRestarts(0.1, 20, t_mul=1.0, m_mul=0.9, alpha=0.1),
        reference.cosine_decay_restarts,
        (0.1, 20, 1.0, 0.9, 0.1),
    ),
    "restarts shrinking": (
        S.CosineDecayRestarts(0.1, 20, t_mul=1.5, m_mul=0.8),
        reference.cosine_decay_restarts,
        (0.1, 20, 1.5, 0.8),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_rate(name):
    schedule, formula, arguments = CASES[name]
    for step in STEPS:
        rate = schedule(step)
        assert isinstance(rate, float)
        # float64 on both sides; hyperparameters may have passed through a shortest decimal.
        np.testing.assert_allclose(rate, formula(step, *arguments), rtol=1e-9, atol=1e-12, err_msg=str(step))


@pytest.mark.parametrize("name", CASES)
def test_config_and_repr(name):
    schedule = CASES[name][0]
    again = type(schedule).from_config(schedule.get_config())
    assert [again(step) for step in STEPS] == [schedule(step) for step in STEPS]
    assert type(schedule).__name__ in repr(schedule)


def test_one_cycle_rises_to_the_top_and_falls_far_below_its_start():
    """Smith's 1cycle policy: warm up to the given rate, then anneal; past the end it stays there."""
    schedule = S.OneCycle(0.1, 100)
    rates = np.array([schedule(step) for step in range(100)])
    top = int(rates.argmax())
    np.testing.assert_allclose(rates.max(), 0.1, rtol=0.01)
    assert 5 < top < 60
    assert (np.diff(rates[: top + 1]) > 0).all()
    assert (np.diff(rates[top:]) < 0).all()
    assert 0 < rates[0] < 0.05
    assert 0 <= rates[-1] < rates[0]
    assert 0 <= schedule(10**6) <= rates[-1]


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: S.ExponentialDecay(-0.1, 20, 0.9), "initial_learning_rate"),
        (lambda: S.ExponentialDecay(0.1, 0, 0.9), "decay_steps"),
        (lambda: S.ExponentialDecay(0.1, 20, float("nan")), "decay_rate"),
        (lambda: S.CosineDecay(0.1, -5), "decay_steps"),
        (lambda: S.CosineDecay(float("inf"), 5), "initial_learning_rate"),
        (lambda: S.CosineDecayRestarts(0.1, 0), "first_decay_steps"),
        (lambda: S.PolynomialDecay(0.1, 0), "decay_steps"),
        (lambda: S.InverseTimeDecay(0.1, 0, 0.5), "decay_steps"),
        (lambda: S.PiecewiseConstantDecay([10, 20], [0.1, 0.2]), "values"),
    ],
)
def test_checked_when_made(make, word):
    with pytest.raises(lm.ArgumentError, match=word):
        make()


def fitted_rates(schedule, regression, epochs=4, batch_size=20):
    x, y = regression  # 60 rows: 3 steps an epoch
    trainer = lm.Trainer(small_regressor(), optimizer=lm.optimizers.SGD(schedule), loss="mse")
    return trainer.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0).history["learning_rate"]


def test_history_holds_the_rate_of_the_last_update(regression):
    schedule = S.ExponentialDecay(0.1, 5, 0.5)
    expected = [schedule(3 * (epoch + 1) - 1) for epoch in range(4)]
    np.testing.assert_allclose(fitted_rates(schedule, regression), expected, rtol=1e-6)


def test_any_callable_of_the_step(regression):
    seen = []

    def schedule(step):
        seen.append(step)
        return 0.1 / (1 + step)

    rates = fitted_rates(schedule, regression)
    np.testing.assert_allclose(rates, [0.1 / 3, 0.1 / 6, 0.1 / 9, 0.1 / 12], rtol=1e-6)
    assert {0, 5, 11} <= set(seen)


def test_a_failing_schedule_raises_its_own_error(regression):
    def schedule(step):
        if step == 4:
            raise KeyError("no rate for this step")
        return 0.1

    with pytest.raises(KeyError, match="no rate"):
        fitted_rates(schedule, regression)


@pytest.mark.parametrize("rate", [float("nan"), -1.0, float("inf")])
def test_a_schedule_must_give_a_rate(regression, rate):
    with pytest.raises(lm.ArgumentError, match="rate"):
        fitted_rates(lambda step: rate if step == 4 else 0.1, regression)
