"""Trainer: what batches, epochs, splits and weights mean; evaluate, train_on_batch, value_and_gradient."""

import numpy as np
import pytest
from helpers import same_weights, small_classifier, small_regressor
from reference import losses
from scipy import optimize

import lamina as lm

LOSS = "sparse_categorical_crossentropy"


def still(model=None, loss=LOSS, **options):
    """A trainer whose steps move nothing, so that every epoch reports the loss of the same weights."""
    return lm.Trainer(model or small_classifier(), optimizer=lm.optimizers.SGD(0.0), loss=loss, **options)


def row_losses(model, x, y):
    model.build(x.shape[1:])
    return losses.sparse_categorical_crossentropy(y, model.predict(x).astype(np.float64))


@pytest.mark.parametrize("batch_size", [1, 7, 32, 89, 90, 1000, "full"])
def test_the_last_smaller_batch_counts_by_its_size(classes, batch_size):
    x, y = classes
    trainer = still()
    history = trainer.fit(x, y, epochs=2, batch_size=batch_size, verbose=0)
    expected = row_losses(trainer.model, x, y).mean()
    # float32 batch losses added in float64, or the like: 1e-5.
    np.testing.assert_allclose(history.history["loss"], [expected, expected], rtol=1e-5)
    np.testing.assert_allclose(trainer.evaluate(x, y, batch_size=batch_size)["loss"], expected, rtol=1e-5)


@pytest.mark.parametrize(("batch_size", "rows"), [(1, 1), (7, 7), (32, 32), ("full", 90)])
def test_an_epoch_is_one_step_a_batch_in_order(classes, batch_size, rows):
    x, y = classes
    model, by_hand = small_classifier(), small_classifier()
    lm.Trainer(model, optimizer=lm.optimizers.Adam(0.05), loss=LOSS).fit(
        x, y, epochs=2, batch_size=batch_size, shuffle=False, verbose=0
    )
    trainer = lm.Trainer(by_hand, optimizer=lm.optimizers.Adam(0.05), loss=LOSS)
    for _ in range(2):
        for start in range(0, len(x), rows):
            trainer.train_on_batch(x[start : start + rows], y[start : start + rows])
    assert same_weights(model, by_hand)


def test_full_batch_is_gradient_descent(classes):
    x, y = classes
    model = small_classifier()
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.1), loss=LOSS)
    model.build((6,))
    value, gradient = trainer.value_and_gradient(x, y)
    expected = model.flat_parameters - 0.1 * gradient
    history = trainer.fit(x, y, epochs=1, batch_size="full", verbose=0)
    np.testing.assert_allclose(model.flat_parameters, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(history.history["loss"], [value], rtol=1e-5)


def test_default_batch_is_32(classes):
    x, y = classes
    models = small_classifier(), small_classifier()
    for model, options in zip(models, [{}, {"batch_size": 32}], strict=True):
        lm.Trainer(model, optimizer="adam", loss=LOSS, seed=1).fit(x, y, epochs=1, verbose=0, **options)
    assert same_weights(*models)


@pytest.mark.parametrize(("split", "kept"), [(0.2, 72), (0.1, 81), (0.5, 45), (0.33, 60)])
def test_validation_split_is_the_last_fraction_before_shuffling(classes, split, kept):
    """Keras: int(n * (1 - split)) rows stay for training."""
    x, y = classes
    trainer = still(metrics=["accuracy"])
    history = trainer.fit(x, y, epochs=1, validation_split=split, verbose=0).history
    rows = row_losses(trainer.model, x, y)
    np.testing.assert_allclose(history["loss"], [rows[:kept].mean()], rtol=1e-5)
    np.testing.assert_allclose(history["val_loss"], [rows[kept:].mean()], rtol=1e-5)
    assert history["val_accuracy"] == [trainer.evaluate(x[kept:], y[kept:])["accuracy"]]


def test_validation_rows_are_not_trained_on(classes):
    x, y = classes
    held_out, shown = small_classifier(), small_classifier()
    changed = x.copy()
    changed[72:] += 100.0
    for model, data in [(held_out, x), (shown, changed)]:
        trainer = lm.Trainer(model, optimizer="adam", loss=LOSS, seed=2)
        trainer.fit(data, y, epochs=2, validation_split=0.2, verbose=0)
    assert same_weights(held_out, shown)


def test_validation_data(classes):
    x, y = classes
    trainer = still()
    rows = row_losses(small_classifier(), x[:20], y[:20])
    weight = np.linspace(0, 2, 20)
    history = trainer.fit(x, y, epochs=1, validation_data=(x[:20], y[:20]), verbose=0).history
    np.testing.assert_allclose(history["val_loss"], [rows.mean()], rtol=1e-5)
    history = trainer.fit(x, y, epochs=1, validation_data=(x[:20], y[:20], weight), verbose=0).history
    np.testing.assert_allclose(history["val_loss"], [(rows * weight).mean()], rtol=1e-5)


def test_validation_data_win_over_the_split(classes):
    x, y = classes
    trainer = still()
    history = trainer.fit(
        x, y, epochs=1, validation_split=0.5, validation_data=(x[:20], y[:20]), verbose=0
    ).history
    rows = row_losses(trainer.model, x, y)
    np.testing.assert_allclose(history["val_loss"], [rows[:20].mean()], rtol=1e-5)


def test_sample_weight(classes):
    """Keras: the sum of weight times loss, over the number of rows."""
    x, y = classes
    weight = np.linspace(0.0, 3.0, len(y))
    trainer = still()
    expected = (row_losses(small_classifier(), x, y) * weight).mean()
    history = trainer.fit(x, y, epochs=1, batch_size=17, sample_weight=weight, verbose=0).history
    np.testing.assert_allclose(history["loss"], [expected], rtol=1e-5)
    np.testing.assert_allclose(trainer.evaluate(x, y, sample_weight=weight)["loss"], expected, rtol=1e-5)
    value, gradient = trainer.value_and_gradient(x, y, sample_weight=weight)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    # Whole weights are repetitions of rows.
    whole = np.arange(len(y)) % 3
    repeated = np.repeat(np.arange(len(y)), whole)
    value, gradient = trainer.value_and_gradient(x, y, sample_weight=whole)
    other_value, other_gradient = trainer.value_and_gradient(x[repeated], y[repeated])
    share = len(repeated) / len(y)
    np.testing.assert_allclose(value, other_value * share, rtol=1e-5)
    np.testing.assert_allclose(gradient, other_gradient * share, rtol=1e-4, atol=1e-6)


def test_sample_weight_follows_the_split_and_the_shuffle(classes):
    x, y = classes
    weight = np.linspace(0.0, 3.0, len(y))
    trainer = still()
    history = trainer.fit(x, y, epochs=1, sample_weight=weight, validation_split=0.2, verbose=0).history
    rows = row_losses(trainer.model, x, y) * weight
    np.testing.assert_allclose(history["loss"], [rows[:72].mean()], rtol=1e-5)
    np.testing.assert_allclose(history["val_loss"], [rows[72:].mean()], rtol=1e-5)


def test_class_weight_is_a_sample_weight(classes):
    x, y = classes
    models = small_classifier(), small_classifier(), small_classifier()
    by_class = {0: 0.5, 2: 4.0}  # a class without a weight has 1
    weight = np.array([0.5, 1.0, 4.0])[y]
    for model, options in zip(models, [{"class_weight": by_class}, {"sample_weight": weight}], strict=False):
        trainer = lm.Trainer(model, optimizer="adam", loss=LOSS, seed=1)
        trainer.fit(x, y, epochs=2, verbose=0, **options)
    assert same_weights(models[0], models[1])
    one_hot = np.eye(3, dtype=np.float32)[y]
    trainer = lm.Trainer(models[2], optimizer="adam", loss="categorical_crossentropy", seed=1)
    trainer.fit(x, one_hot, epochs=2, verbose=0, class_weight=by_class)
    for got, expected in zip(models[2].get_weights(), models[0].get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_class_weight_for_binary_labels(classes):
    x, y = classes
    bits = (y == 1).astype(np.float32)
    model = lm.Sequential([lm.Dense(1, activation="sigmoid")], seed=0)
    trainer = still(model, "binary_crossentropy")
    history = trainer.fit(x, bits, epochs=1, class_weight={0: 1.0, 1: 3.0}, verbose=0).history
    rows = losses.binary_crossentropy(bits[:, None], model.predict(x).astype(np.float64))
    np.testing.assert_allclose(history["loss"], [(rows * np.where(bits == 1, 3, 1)).mean()], rtol=1e-5)


def test_history(classes):
    x, y = classes
    trainer = lm.Trainer(
        small_classifier(), optimizer=lm.optimizers.Adam(0.01), loss=LOSS, metrics=["accuracy"]
    )
    history = trainer.fit(x, y, epochs=3, validation_split=0.2, verbose=0)
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"}
    assert all(len(values) == 3 for values in history.history.values())
    assert all(isinstance(value, float) for values in history.history.values() for value in values)
    assert history.epoch == [0, 1, 2]
    assert history.history["learning_rate"] == pytest.approx([0.01] * 3)


def test_initial_epoch(classes):
    x, y = classes
    trainer = lm.Trainer(small_classifier(), optimizer="adam", loss=LOSS, seed=3)
    history = trainer.fit(x, y, epochs=7, initial_epoch=4, verbose=0)
    assert history.epoch[-3:] == [4, 5, 6]


def test_two_fits_are_one(classes):
    x, y = classes
    at_once, in_parts = small_classifier(), small_classifier()
    lm.Trainer(at_once, optimizer="adam", loss=LOSS, seed=3).fit(x, y, epochs=5, verbose=0)
    trainer = lm.Trainer(in_parts, optimizer="adam", loss=LOSS, seed=3)
    trainer.fit(x, y, epochs=2, verbose=0)
    trainer.fit(x, y, epochs=5, initial_epoch=2, verbose=0)
    assert same_weights(at_once, in_parts)


def test_history_to_csv_and_plot(classes, tmp_path):
    x, y = classes
    trainer = lm.Trainer(small_classifier(), optimizer="adam", loss=LOSS, metrics=["accuracy"])
    history = trainer.fit(x, y, epochs=3, validation_split=0.2, verbose=0)
    history.to_csv(tmp_path / "curves.csv")
    header, *rows = (tmp_path / "curves.csv").read_text().splitlines()
    columns = header.split(",")
    assert columns[0] == "epoch"
    assert set(columns[1:]) == set(history.history)
    for epoch, row in enumerate(rows):
        values = dict(zip(columns, row.split(","), strict=True))
        assert int(values.pop("epoch")) == epoch
        for name, value in values.items():
            assert float(value) == pytest.approx(history.history[name][epoch], rel=1e-6)
    assert len(rows) == 3
    history.plot(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_train_on_batch_reports_the_loss_before_its_step(classes):
    x, y = classes
    trainer = lm.Trainer(
        small_classifier(), optimizer=lm.optimizers.SGD(0.5), loss=LOSS, metrics=["accuracy"]
    )
    before = trainer.evaluate(x, y)
    logs = trainer.train_on_batch(x, y)
    assert list(logs) == ["loss", "accuracy"]
    np.testing.assert_allclose(logs["loss"], before["loss"], rtol=1e-5)
    assert logs["accuracy"] == pytest.approx(before["accuracy"])
    assert trainer.evaluate(x, y)["loss"] < before["loss"]


def test_evaluate_moves_nothing(classes):
    x, y = classes
    model = lm.Sequential(
        [lm.BatchNormalization(), lm.Dropout(0.5), lm.Dense(3, activation="softmax")], seed=0
    )
    trainer = lm.Trainer(model, loss=LOSS, metrics=["accuracy"])
    first = trainer.evaluate(x, y)
    before = model.get_weights()
    assert trainer.evaluate(x, y) == first
    for got, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_predict_through_the_trainer(classes):
    x, _ = classes
    model = small_classifier()
    model.build((6,))
    np.testing.assert_array_equal(lm.Trainer(model, loss=LOSS).predict(x), model.predict(x))


@pytest.mark.parametrize("training", [False, True])
def test_value_and_gradient_moves_no_state(classes, training):
    x, y = classes

    def make():
        layers = [lm.BatchNormalization(), lm.Dropout(0.5), lm.Dense(3, activation="softmax")]
        model = lm.Sequential(layers, seed=0)
        return model, lm.Trainer(model, optimizer="adam", loss=LOSS, seed=1)

    (model, trainer), (other, other_trainer) = make(), make()
    model.build((6,))
    for _ in range(3):
        trainer.value_and_gradient(x, y, training=training)
        trainer.train_on_batch(x, y)
        other_trainer.train_on_batch(x, y)
    trainer.value_and_gradient(x, y, training=training)
    assert same_weights(model, other)


def test_value_and_gradient_without_training_is_a_plain_function(classes):
    x, y = classes
    layers = [lm.BatchNormalization(), lm.Dropout(0.5), lm.Dense(3, activation="softmax")]
    trainer = lm.Trainer(lm.Sequential(layers, seed=0), loss=LOSS)
    value, gradient = trainer.value_and_gradient(x, y)
    again, again_gradient = trainer.value_and_gradient(x, y)
    assert isinstance(value, float)
    assert value == again
    np.testing.assert_array_equal(gradient, again_gradient)
    np.testing.assert_allclose(value, trainer.evaluate(x, y)["loss"], rtol=1e-5)
    kept = gradient.copy()
    trainer.value_and_gradient(2 * x, y)
    np.testing.assert_array_equal(gradient, kept)  # an array of the caller's own


def test_scipys_lbfgs_drives_it(rng):
    """Least squares has an exact answer to compare with."""
    x = rng.normal(size=(80, 6)).astype(np.float32)
    y = (x @ rng.normal(size=(6, 1)) + 0.5 + 0.1 * rng.normal(size=(80, 1))).astype(np.float32)
    model = lm.Sequential([lm.Input((6,)), lm.Dense(1)], seed=0)
    trainer = lm.Trainer(model, loss="mse")

    def function(flat):
        model.flat_parameters[:] = flat
        value, gradient = trainer.value_and_gradient(x, y)
        return value, gradient.astype(np.float64)

    optimize.minimize(function, model.flat_parameters.astype(np.float64), jac=True, method="L-BFGS-B")
    design = np.column_stack([x, np.ones(80)]).astype(np.float64)
    exact = np.linalg.lstsq(design, y, rcond=None)[0].ravel()
    np.testing.assert_allclose(model.flat_parameters, exact, atol=2e-3)


def test_lbfgs_trains_a_network(regression):
    x, y = regression
    model = small_regressor(hidden=12)
    trainer = lm.Trainer(model, loss="mse")
    model.build((5,))

    def function(flat):
        model.flat_parameters[:] = flat
        value, gradient = trainer.value_and_gradient(x, y)
        return value, gradient.astype(np.float64)

    start = model.flat_parameters.astype(np.float64)
    result = optimize.minimize(function, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    assert result.fun < 0.05 * function(start)[0]


def test_inputs_are_never_modified(classes):
    x, y = classes
    weight = np.ones(len(y))
    copies = x.copy(), y.copy(), weight.copy()
    model = lm.Sequential([lm.Rescaling(2.0), lm.BatchNormalization(), lm.Dense(3, activation="softmax")])
    trainer = lm.Trainer(model, optimizer="adam", loss=LOSS)
    trainer.fit(x, y, epochs=2, sample_weight=weight, verbose=0)
    trainer.evaluate(x, y)
    model.predict(x)
    for array, copy in zip((x, y, weight), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_strings_are_their_objects(classes):
    x, y = classes
    models = small_classifier(), small_classifier()
    lm.Trainer(models[0], optimizer="rmsprop", loss=LOSS, seed=0).fit(x, y, epochs=1, verbose=0)
    loss = lm.losses.SparseCategoricalCrossentropy()
    lm.Trainer(models[1], optimizer=lm.optimizers.RMSprop(), loss=loss, seed=0).fit(x, y, epochs=1, verbose=0)
    assert same_weights(*models)


def test_uneven_accumulation_averages_by_rows(classes):
    """Batches of 32, 32 and 26 rows accumulated into one update: the gradient of all 90 rows."""
    x, y = classes
    model = small_classifier()
    optimizer = lm.optimizers.SGD(0.1, gradient_accumulation_steps=3)
    trainer = lm.Trainer(model, optimizer=optimizer, loss=LOSS)
    model.build((6,))
    _, gradient = trainer.value_and_gradient(x, y)
    expected = model.flat_parameters - 0.1 * gradient
    trainer.fit(x, y, epochs=1, batch_size=32, verbose=0)
    np.testing.assert_allclose(model.flat_parameters, expected, rtol=1e-5, atol=1e-6)


def test_sum_reduction_steps_by_the_sum(classes):
    x, y = classes
    models = small_classifier(), small_classifier()
    for model, reduction, rate in zip(models, ["sum", "sum_over_batch_size"], [0.01, 0.9], strict=True):
        loss = lm.losses.SparseCategoricalCrossentropy(reduction=reduction)
        lm.Trainer(model, optimizer=lm.optimizers.SGD(rate), loss=loss).train_on_batch(x, y)
    for got, expected in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
