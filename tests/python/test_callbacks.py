"""Callbacks: when they are called, and that each of the built-in ones does what Keras's does."""

import csv

import numpy as np
import pytest
from helpers import same_weights, small_classifier

import lamina as lm

LOSS = "sparse_categorical_crossentropy"
CB = lm.callbacks


class Scripted(CB.Callback):
    """Sets the single weight of a model each epoch, so that the losses are known: loss = weight ** 2."""

    def __init__(self, model, weights):
        super().__init__()
        self.flat, self.weights = model.flat_parameters, weights

    def on_epoch_begin(self, epoch, logs=None):
        self.flat[:] = self.weights[epoch]


def scripted(weights, *callbacks, epochs=None, validation=False, **options):
    """Trains w of y = w * 1 against 0 at rate 0, with w by the script. Returns (model, history, trainer)."""
    model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False)], seed=0)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(options.pop("rate", 0.0)), loss="mse")
    x, y = np.ones((4, 1), np.float32), np.zeros((4, 1), np.float32)
    if validation:
        options["validation_data"] = (x, y)
    history = trainer.fit(
        x,
        y,
        epochs=epochs or len(weights),
        callbacks=[Scripted(model, weights), *callbacks],
        verbose=0,
        **options,
    )
    return model, history, trainer


def unmoving(epochs, *callbacks, rate=0.1, **options):
    """Rows of zeros: the gradient is zero at any rate, and the loss is 1 for ever."""
    model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False)], seed=0)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(rate), loss="mse")
    x, y = np.zeros((4, 1), np.float32), np.ones((4, 1), np.float32)
    history = trainer.fit(x, y, epochs=epochs, callbacks=list(callbacks), verbose=0, **options)
    return history, trainer


class Recorder(CB.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append(("train_begin",))

    def on_train_end(self, logs=None):
        self.calls.append(("train_end",))

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("epoch_begin", epoch))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("epoch_end", epoch, dict(logs)))

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(("batch_begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("batch_end", batch, dict(logs)))


def test_order_of_calls(classes):
    x, y = classes
    recorder = Recorder()
    trainer = lm.Trainer(small_classifier(), loss=LOSS, metrics=["accuracy"])
    history = trainer.fit(
        x, y, epochs=2, batch_size=40, validation_split=0.2, callbacks=[recorder], verbose=0
    )
    epoch = lambda e: [  # noqa: E731
        ("epoch_begin", e),
        *(call for batch in (0, 1) for call in (("batch_begin", batch), ("batch_end", batch))),
        ("epoch_end", e),
    ]
    assert [call[:2] for call in recorder.calls] == [
        ("train_begin",),
        *epoch(0),
        *epoch(1),
        ("train_end",),
    ]
    for call in recorder.calls:
        if call[0] == "batch_end":
            assert {"loss", "accuracy"} <= set(call[2])
        if call[0] == "epoch_end":
            for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
                assert call[2][name] == history.history[name][call[1]]


def test_batch_callbacks_change_nothing(classes):
    x, y = classes
    models = small_classifier(), small_classifier()
    for model, callbacks in zip(models, [[], [Recorder()]], strict=True):
        trainer = lm.Trainer(model, optimizer="adam", loss=LOSS, seed=1)
        trainer.fit(x, y, epochs=2, callbacks=callbacks, verbose=0)
    assert same_weights(*models)


def test_batch_logs_are_means_so_far(classes):
    x, y = classes
    recorder = Recorder()
    trainer = lm.Trainer(small_classifier(), optimizer=lm.optimizers.SGD(0.0), loss=LOSS)
    trainer.fit(x, y, epochs=1, batch_size=40, shuffle=False, callbacks=[recorder], verbose=0)
    got = [call[2]["loss"] for call in recorder.calls if call[0] == "batch_end"]
    expected = [trainer.evaluate(x[:end], y[:end])["loss"] for end in (40, 80, 90)]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_callbacks_know_their_trainer_and_model(classes):
    x, y = classes
    seen = []

    class Look(CB.Callback):
        def on_train_begin(self, logs=None):
            seen.append((self.trainer, self.model))

    trainer = lm.Trainer(small_classifier(), loss=LOSS)
    trainer.fit(x, y, epochs=1, callbacks=[Look()], verbose=0)
    assert seen == [(trainer, trainer.model)]


@pytest.mark.parametrize("where", ["on_epoch_end", "on_train_batch_end"])
def test_a_callback_can_stop_training(classes, where):
    x, y = classes
    batches = []

    class Stop(CB.Callback):
        pass

    def stop(self, index, logs=None):
        batches.append(index)
        if len(batches) == 2:
            self.trainer.stop_training = True

    setattr(Stop, where, stop)
    trainer = lm.Trainer(small_classifier(), loss=LOSS)
    history = trainer.fit(x, y, epochs=9, batch_size=9, callbacks=[Stop()], verbose=0)
    assert len(batches) == 2
    assert history.epoch == ([0, 1] if where == "on_epoch_end" else [0])
    assert len(trainer.fit(x, y, epochs=3, verbose=0).history["loss"]) >= 3  # the next fit goes on


def test_an_error_in_a_callback_is_the_callers(classes):
    x, y = classes

    class Broken(CB.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise ZeroDivisionError("mine")

    trainer = lm.Trainer(small_classifier(), optimizer="adam", loss=LOSS)
    with pytest.raises(ZeroDivisionError, match="mine"):
        trainer.fit(x, y, epochs=9, batch_size=9, callbacks=[Broken()], verbose=0)
    assert np.isfinite(trainer.model.predict(x)).all()
    trainer.fit(x, y, epochs=1, verbose=0)


@pytest.mark.parametrize("thing", [object(), "early_stopping", lambda: None])
def test_what_is_no_callback(classes, thing):
    x, y = classes
    with pytest.raises((lm.ArgumentError, lm.DTypeError), match="allback"):
        lm.Trainer(small_classifier(), loss=LOSS).fit(x, y, epochs=1, callbacks=[thing], verbose=0)


@pytest.mark.parametrize(
    ("weights", "options", "epochs"),
    [
        ([3, 2, 1, 1, 1, 1, 1, 1], {"patience": 3}, 6),
        ([3, 2, 2, 1, 1, 1, 1, 1], {"patience": 2}, 6),
        ([3, 2, 2, 2, 2], {"patience": 0}, 3),
        ([3, 2.99, 2.98, 2.97, 2.96], {"patience": 2, "min_delta": 1.0}, 3),
        ([1, 2, 3, 4, 5], {"patience": 2, "mode": "max"}, 5),
        ([5, 4, 3, 2, 1], {"patience": 2, "mode": "max"}, 3),
        ([3, 3, 3, 3, 3, 3], {"patience": 2, "start_from_epoch": 2}, 5),
        ([5, 4, 4.5, 3, 2], {"patience": 2, "baseline": 1.5}, 3),
        ([1, 2, 2, 2], {"patience": 2, "baseline": 1.5}, 3),
    ],
)
@pytest.mark.parametrize("monitor", ["loss", "val_loss"])
def test_early_stopping(weights, options, epochs, monitor):
    callback = CB.EarlyStopping(monitor=monitor, **options)
    _, history, _ = scripted(weights, callback, validation=True)
    assert len(history.epoch) == epochs
    if epochs < len(weights):
        assert callback.stopped_epoch == epochs - 1


@pytest.mark.parametrize("restore", [False, True])
@pytest.mark.parametrize("weights", [[3, 2, 1, 4, 5, 6], [3, 2, 1, 4]])  # stopped, and run to its end
def test_early_stopping_restores_the_best_weights(weights, restore):
    callback = CB.EarlyStopping(monitor="loss", patience=2, restore_best_weights=restore)
    model, history, _ = scripted(weights, callback)
    expected = 1.0 if restore else float(weights[len(history.epoch) - 1])
    assert model.flat_parameters[0] == expected


def test_early_stopping_takes_the_best_of_what_a_baseline_never_saw():
    callback = CB.EarlyStopping(monitor="loss", patience=3, baseline=0.5, restore_best_weights=True)
    model, _, _ = scripted([3, 2, 4, 5, 6], callback)
    assert model.flat_parameters[0] == 2.0


def test_early_stopping_restores_statistics_too(classes):
    x, y = classes
    model = lm.Sequential([lm.BatchNormalization(), lm.Dense(3, activation="softmax")], seed=0)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.0), loss=LOSS)
    callback = CB.EarlyStopping(monitor="loss", patience=2, mode="max", restore_best_weights=True)
    saved = CB.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.setdefault(epoch, model.get_weights()))
    kept = {}
    trainer.fit(x, y, epochs=5, callbacks=[callback, saved], batch_size="full", shuffle=False, verbose=0)
    assert len(kept) == 3  # the same loss thrice: the first epoch is the best
    for got, expected in zip(model.get_weights(), kept[0], strict=True):
        np.testing.assert_array_equal(got, expected)


def test_early_stopping_picks_the_direction_by_the_name(classes):
    x, y = classes
    callback = CB.EarlyStopping(monitor="accuracy", patience=3)
    trainer = lm.Trainer(
        small_classifier(), optimizer=lm.optimizers.Adam(0.02), loss=LOSS, metrics=["accuracy"]
    )
    history = trainer.fit(x, y, epochs=200, callbacks=[callback], verbose=0).history["accuracy"]
    assert max(history) > history[0]
    assert 4 < len(history) < 200
    assert max(history[-3:]) <= max(history[:-3])


def test_early_stopping_can_be_used_again():
    callback = CB.EarlyStopping(monitor="loss", patience=1)
    for _ in range(2):
        _, history, _ = scripted([2, 1, 1, 1], callback)
        assert len(history.epoch) == 3


@pytest.mark.parametrize(
    "callback",
    [
        CB.EarlyStopping(monitor="val_los"),
        CB.EarlyStopping(),  # no validation data: no val_loss
        CB.ReduceLROnPlateau(monitor="val_los"),
        CB.ModelCheckpoint("never.safetensors", monitor="val_los", save_best_only=True),
    ],
    ids=["early", "early default", "reduce", "checkpoint"],
)
def test_a_monitored_figure_that_is_not_there(classes, callback):
    x, y = classes
    trainer = lm.Trainer(small_classifier(), loss=LOSS, metrics=["accuracy"])
    with pytest.raises(lm.ArgumentError, match=r"(?=.*'val_los)(?=.*'loss')"):
        trainer.fit(x, y, epochs=1, callbacks=[callback], verbose=0)


def test_model_checkpoint_every_epoch(tmp_path):
    path = tmp_path / "w-{epoch:02d}-{loss:.2f}.safetensors"
    scripted([3, 2, 1.5], CB.ModelCheckpoint(path))
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["w-01-9.00.safetensors", "w-02-4.00.safetensors", "w-03-2.25.safetensors"]
    for name, weight in zip(names, [3, 2, 1.5], strict=True):
        assert lm.load_model(tmp_path / name).flat_parameters[0] == weight


def test_model_checkpoint_best_only(tmp_path):
    path = tmp_path / "best.safetensors"
    scripted([3, 1, 2, 4], CB.ModelCheckpoint(path, monitor="val_loss", save_best_only=True), validation=True)
    assert lm.load_model(path).flat_parameters[0] == 1.0


def test_model_checkpoint_threshold(tmp_path):
    path = tmp_path / "best.safetensors"
    callback = CB.ModelCheckpoint(path, monitor="loss", save_best_only=True, initial_value_threshold=5.0)
    scripted([3, 4], callback)
    assert not path.exists()


def test_model_checkpoint_weights_only(tmp_path):
    path = tmp_path / "only.weights.safetensors"
    scripted([3, 2], CB.ModelCheckpoint(path, save_weights_only=True))
    model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False)])
    model.load_weights(path)
    assert model.flat_parameters[0] == 2.0


def test_model_checkpoint_every_so_many_batches(classes, tmp_path):
    x, y = classes
    path = tmp_path / "b-{epoch}-{batch}.safetensors"
    trainer = lm.Trainer(small_classifier(), loss=LOSS)
    trainer.fit(x, y, epochs=2, batch_size=30, callbacks=[CB.ModelCheckpoint(path, save_freq=2)], verbose=0)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["b-1-2.safetensors", "b-2-1.safetensors", "b-2-3.safetensors"]


def test_reduce_lr_on_plateau():
    callback = CB.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2)
    history, trainer = unmoving(8, callback, rate=0.8)
    expected = [0.8, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1]
    np.testing.assert_allclose(history.history["learning_rate"], expected, rtol=1e-6)
    assert trainer.optimizer.learning_rate == pytest.approx(0.1)


def test_reduce_lr_on_plateau_cooldown_and_floor():
    """Keras: the epochs of a cooldown don't count as waiting."""
    callback = CB.ReduceLROnPlateau(monitor="loss", factor=0.1, patience=1, cooldown=2, min_lr=0.02)
    history, _ = unmoving(8, callback, rate=0.8)
    expected = [0.8, 0.8, 0.08, 0.08, 0.08 * 0.25, 0.02, 0.02, 0.02]
    np.testing.assert_allclose(history.history["learning_rate"], expected, rtol=1e-6)


def test_reduce_lr_on_plateau_counts_small_gains_as_none():
    callback = CB.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2, min_delta=1.0)
    _, history, _ = scripted([1.0, 0.9, 0.8, 0.7], callback, rate=0.4)
    np.testing.assert_allclose(history.history["learning_rate"], [0.4, 0.4, 0.4, 0.2], rtol=1e-6)


def test_reduce_lr_needs_a_rate_that_can_be_set(classes):
    x, y = classes
    optimizer = lm.optimizers.SGD(lm.schedules.CosineDecay(0.1, 100))
    trainer = lm.Trainer(small_classifier(), optimizer=optimizer, loss=LOSS)
    with pytest.raises((lm.ArgumentError, lm.StateError), match="schedule"):
        trainer.fit(
            x, y, epochs=9, callbacks=[CB.ReduceLROnPlateau("loss", patience=0, min_delta=1e9)], verbose=0
        )


def test_learning_rate_scheduler():
    callback = CB.LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else 0.8)
    history, trainer = unmoving(4, callback)
    np.testing.assert_allclose(history.history["learning_rate"], [0.8, 0.4, 0.2, 0.1], rtol=1e-6)
    assert trainer.optimizer.learning_rate == pytest.approx(0.1)


@pytest.mark.parametrize("rate", [-1.0, float("nan"), "fast"])
def test_learning_rate_scheduler_must_give_a_rate(rate):
    with pytest.raises((lm.ArgumentError, lm.DTypeError), match=r"rate"):
        unmoving(2, CB.LearningRateScheduler(lambda epoch, old: rate))


@pytest.mark.parametrize("separator", [",", ";"])
def test_csv_logger(classes, tmp_path, separator):
    x, y = classes
    path = tmp_path / "log.csv"
    trainer = lm.Trainer(small_classifier(), loss=LOSS, metrics=["accuracy"])

    def logger(**options):
        return CB.CSVLogger(path, separator=separator, **options)

    history = trainer.fit(x, y, epochs=3, validation_split=0.1, callbacks=[logger()], verbose=0).history
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=separator))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        np.testing.assert_allclose([float(row[name]) for row in rows], history[name], rtol=1e-6)
    options = {"validation_split": 0.1, "verbose": 0}
    trainer.fit(x, y, epochs=5, initial_epoch=3, callbacks=[logger(append=True)], **options)
    lines = path.read_text().splitlines()
    assert len(lines) == 6
    assert [line.split(separator)[0] for line in lines] == ["epoch", "0", "1", "2", "3", "4"]
    trainer.fit(x, y, epochs=1, callbacks=[logger()], **options)
    assert len(path.read_text().splitlines()) == 2


def diverging(rng):
    x = rng.normal(size=(64, 3)).astype(np.float32)
    model = lm.Sequential([lm.Dense(4), lm.Dense(1)], seed=0)
    return x, x[:, :1], lm.Trainer(model, optimizer=lm.optimizers.SGD(1e9), loss="mse")


def test_terminate_on_nan(rng):
    x, y, trainer = diverging(rng)
    with pytest.warns(lm.NumericalWarning, match=r"(?s)loss.*epoch 1.*batch"):
        history = trainer.fit(x, y, epochs=50, batch_size=8, callbacks=[CB.TerminateOnNaN()], verbose=0)
    assert len(history.epoch) == 1
    assert not np.isfinite(history.history["loss"][-1])
    assert np.isfinite(trainer.model.flat_parameters).all()  # the batch that shows it is not learned from


def test_nan_is_never_silent(rng):
    x, y, trainer = diverging(rng)
    with pytest.warns(lm.NumericalWarning, match=r"(?s)loss.*epoch.*batch"):
        trainer.fit(x, y, epochs=3, batch_size=8, verbose=0)
    assert issubclass(lm.NumericalWarning, RuntimeWarning)


def test_lambda_callback(classes):
    x, y = classes
    calls = []
    callback = CB.LambdaCallback(
        on_train_begin=lambda logs: calls.append("begin"),
        on_epoch_begin=lambda epoch, logs: calls.append(epoch),
        on_train_batch_end=lambda batch, logs: calls.append(round(logs["loss"])),
        on_epoch_end=lambda epoch, logs: calls.append("loss" in logs),
        on_train_end=lambda logs: calls.append("end"),
    )
    trainer = lm.Trainer(small_classifier(), loss=LOSS)
    trainer.fit(x, y, epochs=1, batch_size=45, callbacks=[callback], verbose=0)
    assert calls == ["begin", 0, calls[2], calls[3], True, "end"]
    assert all(isinstance(value, int) for value in calls[2:4])


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: CB.EarlyStopping(patience=-1), "patience"),
        (lambda: CB.EarlyStopping(mode="up"), "mode"),
        (lambda: CB.EarlyStopping(min_delta=float("nan")), "min_delta"),
        (lambda: CB.ReduceLROnPlateau(factor=1.0), "factor"),
        (lambda: CB.ReduceLROnPlateau(patience=-1), "patience"),
        (lambda: CB.ReduceLROnPlateau(min_lr=-1.0), "min_lr"),
        (lambda: CB.ModelCheckpoint("x", save_freq=0), "save_freq"),
        (lambda: CB.ModelCheckpoint("x", save_freq="step"), "save_freq"),
        (lambda: CB.LearningRateScheduler(0.1), "function|schedule"),
    ],
)
def test_checked_when_made(make, word):
    with pytest.raises((lm.ArgumentError, lm.DTypeError), match=word):
        make()
