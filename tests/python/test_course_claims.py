"""What the course claims, as experiments that can fail."""

import numpy as np
import pytest

import lamina as lm


def spirals(n, seed, noise=0.03):
    """Two arms of one and a half turns, half a turn apart; n points each."""
    rng = np.random.default_rng(seed)
    angle = np.sqrt(rng.uniform(0.05, 1.0, n)) * 3 * np.pi
    arm = np.column_stack([angle * np.cos(angle), angle * np.sin(angle)]) / (3 * np.pi)
    points = np.vstack([arm, -arm]) + noise * rng.normal(size=(2 * n, 2))
    return points.astype(np.float32), np.repeat([0, 1], n)


@pytest.mark.parametrize(
    ("hidden", "low", "high"), [([32, 32], 0.98, 1.0), ([], 0.0, 0.70)], ids=["hidden", "none"]
)
def test_hidden_layers_separate_two_spirals(hidden, low, high):
    (x, y), (x_test, y_test) = spirals(400, 0), spirals(400, 1)
    layers = [lm.Dense(units, activation="tanh") for units in hidden]
    model = lm.Sequential([lm.Rescaling(3.0), *layers, lm.Dense(1, activation="sigmoid")])
    trainer = lm.Trainer(
        model, optimizer=lm.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"], seed=1
    )
    trainer.fit(x, y, epochs=120, batch_size=64, verbose=0)
    assert low <= trainer.evaluate(x_test, y_test)["accuracy"] <= high


def share_near_zero(regularizer):
    """Of 40 features only 4 matter; Adam, so that weights can settle."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 40)).astype(np.float32)
    y = (x[:, :4] @ np.array([2.0, -1.5, 1.0, 3.0]) + 0.1 * rng.normal(size=400)).astype(np.float32)
    model = lm.Sequential([lm.Dense(1, kernel_regularizer=regularizer)])
    schedule = lm.schedules.CosineDecay(0.02, 800)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.Adam(schedule), loss="mse", seed=0)
    trainer.fit(x, y, epochs=200, batch_size=100, verbose=0)
    kernel = model.get_weights()[0].ravel()
    assert np.abs(kernel[:4]).min() > 0.5  # what matters stays
    return (np.abs(kernel) < 1e-3).mean()


def test_l1_drives_weights_to_zero_where_l2_does_not():
    l1, l2 = share_near_zero(lm.regularizers.L1(0.05)), share_near_zero(lm.regularizers.L2(0.05))
    assert l1 > 0.7
    assert l2 < 0.25


def gap(rate):
    """Validation loss minus training loss, both without dropout, of a big network on 60 noisy rows."""
    gaps = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(260, 20)).astype(np.float32)
        y = (x[:, 0] + 0.5 * rng.normal(size=260) > 0).astype(np.float32)
        layers = [[lm.Dense(32, activation="relu"), lm.Dropout(rate)] for _ in range(2)]
        model = lm.Sequential([*layers[0], *layers[1], lm.Dense(1, activation="sigmoid")])
        trainer = lm.Trainer(model, optimizer=lm.optimizers.Adam(3e-3), loss="binary_crossentropy", seed=seed)
        trainer.fit(x[:60], y[:60], epochs=30, batch_size=20, verbose=0)
        train, validation = trainer.evaluate(x[:60], y[:60]), trainer.evaluate(x[60:], y[60:])
        gaps.append(validation["loss"] - train["loss"])
    return np.mean(gaps)


def test_dropout_lowers_the_gap_between_training_and_validation():
    without, with_dropout = gap(0.0), gap(0.5)
    assert without > 0.5  # it does overfit
    assert with_dropout < 0.6 * without


def steps_to_the_bottom(momentum, rate):
    """Steps until the loss is 1e-4 of its start, with curvatures 2 and 0.005, equally far off."""
    scale = np.array([1.0, 0.05], np.float32)
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(64, 2)))[0] * 8
    x = (basis * scale).astype(np.float32)
    y = (x @ np.array([1.0, 20.0])).astype(np.float32)
    model = lm.Sequential([lm.Dense(1, use_bias=False, kernel_initializer="zeros")])
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(rate, momentum=momentum), loss="mse")
    first = trainer.evaluate(x, y)["loss"]
    for step in range(3000):
        if trainer.train_on_batch(x, y)["loss"] < 1e-4 * first:
            return step
    return 3000


def test_momentum_needs_fewer_steps_on_an_ill_conditioned_quadratic():
    """Each at its best of a range of rates. v = b v + (1 - b) g allows rates larger by (1 + b) / (1 - b)."""
    rates = [0.4, 0.8, 0.95, 2.0, 4.0, 8.0, 14.0]
    plain = min(steps_to_the_bottom(0.0, rate) for rate in rates[:3])
    with_momentum = min(steps_to_the_bottom(0.9, rate) for rate in rates)
    assert plain < 3000
    assert with_momentum < plain / 2
