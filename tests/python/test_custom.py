"""Losses, metrics, callbacks and schedules written in Python."""

import numpy as np
import pytest
from helpers import same_weights, small_classifier, small_regressor

import lamina as lm


class ScalarMSE(lm.losses.Loss):
    """The mean over the batch, and its gradient."""

    def value_and_gradient(self, y_true, y_pred):
        error = y_pred - y_true
        return np.mean(error**2), 2 * error / error.size


class RowMSE(lm.losses.Loss):
    """A loss a row, and the gradient of their sum."""

    def value_and_gradient(self, y_true, y_pred):
        error = y_pred - y_true
        return (error**2).mean(axis=1), 2 * error / error.shape[1]


class Scaled(lm.losses.Loss):
    """With an option of its own."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def value_and_gradient(self, y_true, y_pred):
        error = y_pred - y_true
        return self.factor * np.mean(error**2), self.factor * 2 * error / error.size

    def get_config(self):
        return {"factor": self.factor}


def trainer(loss, **options):
    return lm.Trainer(small_regressor(), optimizer=lm.optimizers.SGD(0.1), loss=loss, seed=1, **options)


@pytest.mark.parametrize("custom", [ScalarMSE, RowMSE])
def test_a_custom_loss_equals_the_built_in_one(regression, custom):
    """Both compute in float32, in another order: 1e-5 after a few epochs."""
    x, y = regression
    ours, theirs = trainer(custom()), trainer("mse")
    value, gradient = ours.value_and_gradient(x, y)
    expected, expected_gradient = theirs.value_and_gradient(x, y)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-6)
    options = {"epochs": 4, "batch_size": 13, "validation_split": 0.2, "verbose": 0}  # 13, 13, 13, 9
    history, expected_history = ours.fit(x, y, **options).history, theirs.fit(x, y, **options).history
    for name, values in expected_history.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-4)
    for got, weights in zip(ours.model.get_weights(), theirs.model.get_weights(), strict=True):
        np.testing.assert_allclose(got, weights, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.evaluate(x, y)["loss"], theirs.evaluate(x, y)["loss"], rtol=1e-4)


def test_called_alone(regression):
    _, y = regression
    p = np.zeros_like(y)
    for loss in (ScalarMSE(), RowMSE()):
        np.testing.assert_allclose(loss(y, p), (y**2).mean(), rtol=1e-5)


def test_sample_weights_need_a_loss_a_row(regression):
    x, y = regression
    weight = np.linspace(0, 2, len(y))
    ours, theirs = trainer(RowMSE()), trainer("mse")
    for one in (ours, theirs):
        one.fit(x, y, epochs=2, sample_weight=weight, verbose=0)
    for got, weights in zip(ours.model.get_weights(), theirs.model.get_weights(), strict=True):
        np.testing.assert_allclose(got, weights, rtol=1e-4, atol=1e-5)
    with pytest.raises(lm.ArgumentError, match=r"ScalarMSE.*weigh"):
        trainer(ScalarMSE()).fit(x, y, epochs=1, sample_weight=weight, verbose=0)


def test_a_custom_loss_behind_a_softmax_sees_probabilities(classes):
    x, y = classes
    seen = []

    class Look(lm.losses.Loss):
        def value_and_gradient(self, y_true, y_pred):
            seen.append((np.array(y_true), np.array(y_pred)))
            return np.mean(y_pred[:, 0]), np.eye(1, 3, dtype=np.float32).repeat(len(y_pred), 0) / len(y_pred)

    model = small_classifier()
    lm.Trainer(model, optimizer=lm.optimizers.SGD(0.0), loss=Look()).train_on_batch(x, y)
    np.testing.assert_array_equal(seen[0][0].ravel(), y)
    np.testing.assert_allclose(seen[0][1], model.predict(x), rtol=1e-5, atol=1e-7)


def test_regularizers_add_to_a_custom_loss(regression):
    x, y = regression
    model = lm.Sequential([lm.Dense(2, kernel_regularizer=lm.regularizers.L2(0.5))], seed=0)
    value, _ = lm.Trainer(model, loss=ScalarMSE()).value_and_gradient(x, y)
    kernel = model.get_weights()[0].astype(np.float64)
    expected = ((model.predict(x) - y) ** 2).mean() + 0.5 * (kernel**2).sum()
    np.testing.assert_allclose(value, expected, rtol=1e-5)


def returning(value, gradient):
    class Bad(lm.losses.Loss):
        def value_and_gradient(self, y_true, y_pred):
            return value(y_pred), gradient(y_pred)

    return Bad()


@pytest.mark.parametrize(
    "loss",
    [
        returning(lambda p: 0.0, lambda p: np.zeros((3, 3), np.float32)),
        returning(lambda p: 0.0, lambda p: None),
        returning(lambda p: np.zeros(7), np.zeros_like),
        returning(lambda p: np.zeros((len(p), 2)), np.zeros_like),
        returning(lambda p: "small", np.zeros_like),
        returning(lambda p: 0.0, lambda p: np.full(p.shape, "x")),
    ],
)
def test_results_of_the_wrong_form(regression, loss):
    x, y = regression
    one = trainer(loss)
    one.model.build((5,))
    before = one.model.flat_parameters.copy()
    with pytest.raises(lm.LaminaError, match="Bad"):
        one.fit(x, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(one.model.flat_parameters, before)


def test_an_error_in_a_loss_is_the_users_and_leaves_the_last_step(regression):
    x, y = regression
    calls = []

    class Breaks(ScalarMSE):
        def value_and_gradient(self, y_true, y_pred):
            calls.append(len(y_true))
            if len(calls) == 3:
                raise ZeroDivisionError("mine")
            return super().value_and_gradient(y_true, y_pred)

    one, other = trainer(Breaks()), trainer(ScalarMSE())
    with pytest.raises(ZeroDivisionError, match="mine"):
        one.fit(x, y, epochs=1, batch_size=10, shuffle=False, verbose=0)
    for start in (0, 10):
        other.train_on_batch(x[start : start + 10], y[start : start + 10])
    assert same_weights(one.model, other.model)


def test_a_gradient_may_be_float64_or_a_view(regression):
    x, y = regression

    class Wide(ScalarMSE):
        def value_and_gradient(self, y_true, y_pred):
            value, gradient = super().value_and_gradient(y_true, y_pred)
            return value, np.asfortranarray(gradient.astype(np.float64))

    one, other = trainer(Wide()), trainer(ScalarMSE())
    for each in (one, other):
        each.fit(x, y, epochs=2, verbose=0)
    assert same_weights(one.model, other.model)


def test_custom_metric(regression):
    """A function of a batch, named after itself; the figure is the mean over rows."""
    x, y = regression

    def mean_of_batch(y_true, y_pred):
        return np.abs(y_true - y_pred).mean()

    def one_a_row(y_true, y_pred):
        return np.abs(y_true - y_pred).mean(axis=1)

    metrics = ["mae", mean_of_batch, one_a_row]
    one = lm.Trainer(small_regressor(), optimizer=lm.optimizers.SGD(0.0), loss="mse", metrics=metrics)
    history = one.fit(x, y, epochs=2, batch_size=13, validation_split=0.2, verbose=0).history
    logs = one.evaluate(x, y, batch_size=13)
    assert list(logs) == ["loss", "mae", "mean_of_batch", "one_a_row"]
    expected = np.abs(one.model.predict(x) - y)
    for name in ("mae", "mean_of_batch", "one_a_row"):
        np.testing.assert_allclose(logs[name], expected.mean(), rtol=1e-5)
        np.testing.assert_allclose(history[name], [expected[:48].mean()] * 2, rtol=1e-5)
        np.testing.assert_allclose(history[f"val_{name}"], [expected[48:].mean()] * 2, rtol=1e-5)


def test_custom_metric_of_labels(classes):
    x, y = classes

    def share_of_zero(y_true, y_pred):
        assert y_pred.shape == (len(y_true), 3)
        return float((np.ravel(y_true) == 0).mean())

    loss = "sparse_categorical_crossentropy"
    logs = lm.Trainer(small_classifier(), loss=loss, metrics=[share_of_zero]).evaluate(x, y, batch_size=7)
    assert logs["share_of_zero"] == pytest.approx((y == 0).mean())


@pytest.mark.parametrize("result", ["good", None, np.zeros(3)])
def test_a_metric_must_give_a_number(regression, result):
    x, y = regression

    def odd(y_true, y_pred):
        return result

    with pytest.raises(lm.LaminaError, match="odd"):
        lm.Trainer(small_regressor(), loss="mse", metrics=[odd]).evaluate(x, y)


def test_an_error_in_a_metric_is_the_users(regression):
    x, y = regression

    def odd(y_true, y_pred):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        lm.Trainer(small_regressor(), loss="mse", metrics=[odd]).fit(x, y, epochs=1, verbose=0)


def test_custom_callback(regression):
    """One that gathers gradients' sizes by batch, as a course would."""
    x, y = regression
    norms = []

    class Norms(lm.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            norms.append(float(np.linalg.norm(self.model.flat_parameters)))

    trainer("mse").fit(x, y, epochs=2, batch_size=20, callbacks=[Norms()], verbose=0)
    assert len(norms) == 6
    assert len(set(norms)) == 6


def test_custom_schedule_is_that_of_the_formula(regression):
    x, y = regression

    class Halving:
        def __call__(self, step):
            return 0.1 * 0.5 ** (step / 10)

    models = []
    for schedule in (Halving(), lm.schedules.ExponentialDecay(0.1, 10, 0.5)):
        model = small_regressor()
        lm.Trainer(model, optimizer=lm.optimizers.SGD(schedule), loss="mse", seed=1).fit(
            x, y, epochs=3, verbose=0
        )
        models.append(model)
    for got, expected in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


def metric_of_mine(y_true, y_pred):
    return float(np.abs(y_true - y_pred).max())


def rate_of_mine(step):
    return 0.1 / (1 + step)


def test_checkpoints_need_the_custom_objects_again(regression, tmp_path):
    x, y = regression

    def make():
        return lm.Trainer(
            small_regressor(),
            optimizer=lm.optimizers.SGD(rate_of_mine, momentum=0.5),
            loss=Scaled(0.5),
            metrics=[metric_of_mine],
            seed=1,
        )

    whole, first = make(), make()
    whole.fit(x, y, epochs=4, verbose=0)
    first.fit(x, y, epochs=2, verbose=0)
    path = tmp_path / "run.safetensors"
    first.save(path)
    with pytest.raises(lm.LaminaError, match=r"Scaled|rate_of_mine|metric_of_mine"):
        lm.Trainer.load(path)
    objects = {"Scaled": Scaled(0.5), "rate_of_mine": rate_of_mine, "metric_of_mine": metric_of_mine}
    resumed = lm.Trainer.load(path, custom_objects=objects)
    history = resumed.fit(x, y, epochs=4, initial_epoch=2, verbose=0)
    assert same_weights(resumed.model, whole.model)
    assert "metric_of_mine" in history.history
