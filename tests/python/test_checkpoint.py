"""Resuming: k epochs, save, load, the other n - k epochs equal n epochs, bit for bit."""

import numpy as np
import pytest
import safetensors
from helpers import run_python, same_weights

import lamina as lm

LOSS = "sparse_categorical_crossentropy"
CB = lm.callbacks
EPOCHS = 6


def model():
    return lm.Sequential(
        [
            lm.Dense(16, activation="relu", kernel_regularizer=lm.regularizers.L2(1e-3)),
            lm.BatchNormalization(),
            lm.Dropout(0.3),
            lm.GaussianNoise(0.1),
            lm.Dense(3, activation="softmax"),
        ],
        seed=5,
    )


OPTIMIZERS = {
    "adam": lambda: lm.optimizers.Adam(0.01),
    "schedule": lambda: lm.optimizers.Adam(lm.schedules.CosineDecayRestarts(0.02, 7)),
    "accumulation": lambda: lm.optimizers.Adam(0.01, gradient_accumulation_steps=4),  # 3 batches an epoch
    "ema": lambda: lm.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
    "everything": lambda: lm.optimizers.AdamW(
        lm.schedules.ExponentialDecay(0.02, 5, 0.9),
        amsgrad=True,
        use_ema=True,
        gradient_accumulation_steps=2,
        global_clipnorm=0.5,
    ),
    "sgd": lambda: lm.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "rmsprop": lambda: lm.optimizers.RMSprop(0.005, momentum=0.5, centered=True),
    "adamax": lambda: lm.optimizers.Adamax(0.01),
    "nadam": lambda: lm.optimizers.Nadam(0.01),
    "adagrad": lambda: lm.optimizers.Adagrad(0.1),
    "lion": lambda: lm.optimizers.Lion(0.003),
}


def trainer(optimizer):
    return lm.Trainer(model(), optimizer=optimizer, loss=LOSS, metrics=["accuracy"], seed=11)


def fit(trainer, data, epochs, callbacks=(), initial_epoch=0):
    x, y = data
    return trainer.fit(
        x,
        y,
        epochs=epochs,
        initial_epoch=initial_epoch,
        batch_size=32,
        validation_split=0.2,
        callbacks=list(callbacks),
        verbose=0,
    )


def tail(history, count):
    return {name: values[-count:] for name, values in history.history.items()}


def same_run(data, optimizer, make_callbacks, tmp_path, stop_at):
    """Trains at once, and in two parts with a file between; returns both trainers for more checks."""
    whole = trainer(optimizer())
    whole_history = fit(whole, data, EPOCHS, make_callbacks())
    first = trainer(optimizer())
    fit(first, data, stop_at, make_callbacks())
    path = tmp_path / "run.safetensors"
    first.save(path)
    resumed = lm.Trainer.load(path)
    assert same_weights(resumed.model, first.model)
    resumed_history = fit(resumed, data, EPOCHS, make_callbacks(), initial_epoch=stop_at)
    assert same_weights(resumed.model, whole.model)
    count = len(whole_history.epoch) - stop_at
    assert tail(resumed_history, count) == tail(whole_history, count)
    assert resumed_history.epoch[-count:] == whole_history.epoch[-count:]
    return whole, resumed


@pytest.mark.parametrize("stop_at", [1, 3, 5])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_resuming_equals_never_having_stopped(classes, tmp_path, name, stop_at):
    def callbacks():
        return [CB.EarlyStopping(patience=50), CB.LambdaCallback()]

    whole, resumed = same_run(classes, OPTIMIZERS[name], callbacks, tmp_path, stop_at)
    x, y = classes
    assert whole.evaluate(x, y) == resumed.evaluate(x, y)
    if name in ("ema", "everything"):
        assert whole.evaluate(x, y, use_ema=True) == resumed.evaluate(x, y, use_ema=True)
        assert whole.evaluate(x, y, use_ema=True) != whole.evaluate(x, y)


def test_reduce_lr_on_plateau_goes_on_where_it_was(classes, tmp_path):
    """It reduces every second epoch (no gain is enough), counted across the file."""

    def callbacks():
        return [CB.ReduceLROnPlateau("loss", factor=0.5, patience=2, min_delta=1e6)]

    whole, resumed = same_run(classes, OPTIMIZERS["adam"], callbacks, tmp_path, 4)
    assert resumed.optimizer.learning_rate == whole.optimizer.learning_rate == pytest.approx(0.0025)


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_early_stopping_goes_on_where_it_was(classes, tmp_path, stop_at):
    """Never better by 1e6: stops after epoch 3 (patience 3), however often it was resumed."""

    def callbacks():
        return [CB.EarlyStopping("val_loss", patience=3, min_delta=1e6)]

    whole = trainer(OPTIMIZERS["adam"]())
    assert fit(whole, classes, 20, callbacks()).epoch == [0, 1, 2, 3]
    first = trainer(OPTIMIZERS["adam"]())
    fit(first, classes, stop_at, callbacks())
    first.save(tmp_path / "run.safetensors")
    resumed = lm.Trainer.load(tmp_path / "run.safetensors")
    assert fit(resumed, classes, 20, callbacks(), initial_epoch=stop_at).epoch[-1] == 3
    assert same_weights(resumed.model, whole.model)


def test_early_stopping_restores_a_best_epoch_from_before_the_file(classes, tmp_path):
    """The first epoch stays the best; its weights are in the file that was written after the second."""

    def stopping():
        return CB.EarlyStopping("loss", patience=4, min_delta=1e6, restore_best_weights=True)

    whole, seen = trainer(OPTIMIZERS["adam"]()), []

    def look(epoch, logs):
        seen.append(whole.model.get_weights())
        if epoch == 1:
            whole.save(tmp_path / "run.safetensors")

    fit(whole, classes, 20, [stopping(), CB.LambdaCallback(on_epoch_end=look)])
    assert len(seen) == 5
    np.testing.assert_array_equal(whole.model.get_weights()[0], seen[0][0])
    resumed = lm.Trainer.load(tmp_path / "run.safetensors")
    np.testing.assert_array_equal(resumed.model.get_weights()[0], seen[1][0])
    assert fit(resumed, classes, 20, [stopping()], initial_epoch=2).epoch[-1] == 4
    assert same_weights(resumed.model, whole.model)


def test_state_goes_to_callbacks_of_the_same_class_and_position(classes, tmp_path):
    """Another callback at that position, or none, is no error and gets nothing."""
    first = trainer(OPTIMIZERS["adam"]())
    fit(first, classes, 3, [CB.EarlyStopping("val_loss", patience=3, min_delta=1e6)])
    first.save(tmp_path / "run.safetensors")
    fresh = [CB.LambdaCallback(), CB.EarlyStopping("val_loss", patience=3, min_delta=1e6)]
    history = fit(lm.Trainer.load(tmp_path / "run.safetensors"), classes, 20, fresh, initial_epoch=3)
    assert history.epoch[-1] == 6  # it began to count anew at epoch 3
    history = fit(lm.Trainer.load(tmp_path / "run.safetensors"), classes, 8, initial_epoch=3)
    assert history.epoch[-1] == 7


def test_the_history_comes_back(classes, tmp_path):
    first = trainer(OPTIMIZERS["adam"]())
    history = fit(first, classes, 3)
    first.save(tmp_path / "run.safetensors")
    loaded = lm.Trainer.load(tmp_path / "run.safetensors")
    assert loaded.history.history == history.history
    assert loaded.history.epoch == [0, 1, 2]


def test_steps_by_hand_go_on(classes, tmp_path):
    x, y = classes
    whole, first = trainer(OPTIMIZERS["everything"]()), trainer(OPTIMIZERS["everything"]())
    for _ in range(7):
        whole.train_on_batch(x, y)
    for _ in range(3):
        first.train_on_batch(x, y)
    first.save(tmp_path / "run.safetensors")
    resumed = lm.Trainer.load(tmp_path / "run.safetensors")
    for _ in range(4):
        resumed.train_on_batch(x, y)
    assert same_weights(resumed.model, whole.model)


def test_resumed_in_another_process(classes, tmp_path):
    x, y = classes
    whole = trainer(OPTIMIZERS["everything"]())
    fit(whole, classes, EPOCHS)
    first = trainer(OPTIMIZERS["everything"]())
    fit(first, classes, 2)
    first.save(tmp_path / "run.safetensors")
    np.savez(tmp_path / "data.npz", x=x, y=y)
    code = """
import sys
import numpy as np
import lamina as lm
data = np.load(sys.argv[1] + "/data.npz")
trainer = lm.Trainer.load(sys.argv[1] + "/run.safetensors")
trainer.fit(data["x"], data["y"], epochs=6, initial_epoch=2, batch_size=32, validation_split=0.2, verbose=0)
trainer.model.save(sys.argv[1] + "/model.safetensors")
"""
    run_python(code, tmp_path)
    assert same_weights(lm.load_model(tmp_path / "model.safetensors"), whole.model)


def test_a_rate_set_by_hand_survives(classes, tmp_path):
    first = trainer(OPTIMIZERS["adam"]())
    fit(first, classes, 1)
    first.optimizer.learning_rate = 0.0321
    first.save(tmp_path / "run.safetensors")
    assert lm.Trainer.load(tmp_path / "run.safetensors").optimizer.learning_rate == pytest.approx(0.0321)


def test_frozen_layers_stay_frozen(classes, tmp_path):
    first = trainer(OPTIMIZERS["adam"]())
    fit(first, classes, 1)
    first.model.layers[0].trainable = False
    first.save(tmp_path / "run.safetensors")
    resumed = lm.Trainer.load(tmp_path / "run.safetensors")
    for one in (first, resumed):
        fit(one, classes, 3, initial_epoch=1)
    assert not resumed.model.layers[0].trainable
    assert same_weights(first.model, resumed.model)


def test_saving_changes_nothing(classes, tmp_path):
    whole, saving = trainer(OPTIMIZERS["everything"]()), trainer(OPTIMIZERS["everything"]())
    fit(whole, classes, 4)
    save = CB.LambdaCallback(on_epoch_end=lambda epoch, logs: saving.save(tmp_path / f"{epoch}.safetensors"))
    fit(saving, classes, 4, [save])
    assert same_weights(whole.model, saving.model)


def test_saved_by_a_callback_in_the_middle(classes, tmp_path):
    """A checkpoint written from on_epoch_end of epoch 1 resumes at epoch 2."""
    whole = trainer(OPTIMIZERS["everything"]())
    save = CB.LambdaCallback(on_epoch_end=lambda epoch, logs: whole.save(tmp_path / f"{epoch}.safetensors"))
    fit(whole, classes, EPOCHS, [save])
    resumed = lm.Trainer.load(tmp_path / "1.safetensors")
    fit(resumed, classes, EPOCHS, initial_epoch=2)
    assert same_weights(whole.model, resumed.model)


def test_a_checkpoint_holds_its_model(classes, tmp_path):
    """A trainer's file is a safetensors file too, and a model can be read from it."""
    x, _ = classes
    first = trainer(OPTIMIZERS["ema"]())
    fit(first, classes, 1)
    path = tmp_path / "run.safetensors"
    first.save(path)
    with safetensors.safe_open(path, framework="numpy") as file:
        assert any(name.startswith("optimizer/") for name in file.keys())  # noqa: SIM118
    np.testing.assert_array_equal(lm.load_model(path).predict(x), first.model.predict(x))


def test_a_model_file_is_no_checkpoint(tmp_path):
    built = model()
    built.build((6,))
    built.save(tmp_path / "model.safetensors")
    with pytest.raises(lm.FormatError, match="model"):
        lm.Trainer.load(tmp_path / "model.safetensors")


def test_damaged_checkpoints(classes, tmp_path, rng):
    first = trainer(OPTIMIZERS["everything"]())
    fit(first, classes, 1)
    path = tmp_path / "run.safetensors"
    first.save(path)
    data = path.read_bytes()
    size = 8 + int.from_bytes(data[:8], "little")
    for at in rng.integers(size, len(data), 60):
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(0, 8))
        path.write_bytes(damaged)
        with pytest.raises(lm.FormatError):
            lm.Trainer.load(path)
    for length in rng.integers(0, len(data), 30):
        path.write_bytes(data[:length])
        with pytest.raises(lm.FormatError):
            lm.Trainer.load(path)
