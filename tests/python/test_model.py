"""Sequential: building, names, summary, weights, the flat parameters, freezing, predicting."""

import gc
import resource
from pathlib import Path

import numpy as np
import pytest
from helpers import same_weights

import lamina as lm


def mlp(**options):
    layers = [lm.Dense(8, activation="relu"), lm.BatchNormalization(), lm.Dense(3, activation="softmax")]
    return lm.Sequential(layers, **options)


def test_built_lazily_at_first_sight_of_data(rng):
    model = mlp(seed=1)
    assert not model.built
    assert not model.layers[0].built
    trainer = lm.Trainer(model, loss="sparse_categorical_crossentropy")
    trainer.evaluate(rng.normal(size=(4, 5)), np.zeros(4, int))
    assert model.built
    assert model.predict(rng.normal(size=(4, 5))).shape == (4, 3)
    assert all(layer.built for layer in model.layers)
    assert model.count_params() == (5 * 8 + 8) + 4 * 8 + (8 * 3 + 3)


def test_built_at_once_behind_an_input():
    model = lm.Sequential([lm.Input((5,)), lm.Dense(3)])
    assert model.built
    assert model.count_params() == 18


def test_build_by_hand():
    model = lm.Sequential([lm.Dense(3)])
    model.build((5,))
    assert model.built
    assert [w.shape for w in model.get_weights()] == [(5, 3), (3,)]


def test_build_twice_with_another_shape_changes_nothing():
    model = lm.Sequential([lm.Dense(3)], seed=0)
    model.build((5,))
    before = model.get_weights()
    with pytest.raises(lm.LaminaError, match="5"):
        model.build((6,))
    for got, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_lazy_and_explicit_models_are_the_same(rng):
    lazy = lm.Sequential([lm.Dense(4), lm.Dense(2)], seed=3)
    explicit = lm.Sequential([lm.Input((6,)), lm.Dense(4), lm.Dense(2)], seed=3)
    lazy.build((6,))
    assert same_weights(lazy, explicit)


def test_seeds():
    def weights(seed):
        model = mlp(seed=seed)
        model.build((5,))
        return model

    assert same_weights(weights(1), weights(1))
    assert not same_weights(weights(1), weights(2))
    assert not same_weights(weights(None), weights(None))
    assert weights(1).seed == 1


def test_a_trainers_seed_draws_the_weights_only_of_a_model_without_them(classes):
    x, y = classes

    def trained(model, seed):
        trainer = lm.Trainer(
            model, optimizer=lm.optimizers.SGD(0.0), loss="sparse_categorical_crossentropy", seed=seed
        )
        trainer.train_on_batch(x, y)
        return model

    def plain(**options):
        return lm.Sequential([lm.Dense(3, activation="softmax")], **options)

    assert same_weights(trained(plain(), 5), trained(plain(), 5))
    assert not same_weights(trained(plain(), 5), trained(plain(), 6))
    assert same_weights(trained(plain(seed=1), 5), trained(plain(seed=1), 6))
    drawn = plain()
    drawn.build((6,))
    before = [w.copy() for w in drawn.get_weights()]
    for got, expected in zip(trained(drawn, 5).get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_names_are_numbered_within_the_model():
    for _ in range(2):  # not across models
        model = lm.Sequential(
            [lm.Dense(3), lm.Dropout(0.1), lm.Dense(3), lm.BatchNormalization(), lm.Dense(3), lm.LeakyReLU()]
        )
        names = [layer.name for layer in model.layers]
        assert names == ["dense", "dropout", "dense_1", "batch_normalization", "dense_2", "leaky_re_lu"]


def test_given_names():
    model = lm.Sequential([lm.Dense(3, name="first"), lm.Dense(3)])
    assert [layer.name for layer in model.layers] == ["first", "dense"]
    with pytest.raises(lm.ArgumentError, match="first"):
        lm.Sequential([lm.Dense(3, name="first"), lm.Dense(3, name="first")])


def test_layers_are_the_objects_given():
    layers = [lm.Dense(3), lm.Dropout(0.5)]
    model = lm.Sequential(layers)
    assert all(got is given for got, given in zip(model.layers, layers, strict=True))


def test_summary(capsys):
    model = mlp()
    model.build((5,))
    lines = []
    model.summary(print_fn=lines.append)
    assert capsys.readouterr().out == ""
    text = "\n".join(lines)
    for word in (
        "dense",
        "batch_normalization",
        "dense_1",
        "Dense",
        "BatchNormalization",
        "48",
        "32",
        "27",
        "107",
    ):
        assert word in text, word
    assert "16" in text  # moving statistics are not trainable
    assert "91" in text
    model.summary()
    assert "dense_1" in capsys.readouterr().out


def test_summary_before_build():
    lines = []
    mlp().summary(print_fn=lines.append)
    assert "batch_normalization" in "\n".join(lines)


def test_weights_are_copies_in_keras_order(rng):
    model = mlp(seed=1)
    model.build((5,))
    shapes = [w.shape for w in model.get_weights()]
    assert shapes == [(5, 8), (8,), (8,), (8,), (8,), (8,), (8, 3), (3,)]
    weights = [rng.normal(size=shape).astype(np.float32) ** 2 for shape in shapes]
    model.set_weights(weights)
    for got, expected in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(got, expected)
    model.get_weights()[0][:] = 7.0
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])
    gamma, beta, mean, variance = model.layers[1].get_weights()
    np.testing.assert_array_equal([gamma, beta, mean, variance], weights[2:6])


def test_layer_set_weights(rng):
    model = mlp(seed=1)
    model.build((5,))
    kernel, bias = rng.normal(size=(8, 3)).astype(np.float32), np.ones(3, np.float32)
    others = model.get_weights()[:6]
    model.layers[2].set_weights([kernel, bias])
    np.testing.assert_array_equal(model.get_weights()[6], kernel)
    for got, expected in zip(model.get_weights()[:6], others, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_weights_that_do_not_fit_change_nothing():
    model = mlp(seed=1)
    model.build((5,))
    before = model.get_weights()
    bad_last = [np.zeros_like(w) for w in before[:-1]] + [np.zeros(4, np.float32)]
    with pytest.raises(lm.ShapeError, match=r"dense_1"):
        model.set_weights(bad_last)
    with pytest.raises(lm.LaminaError, match="8"):
        model.set_weights(before[:-1])
    with pytest.raises(lm.LaminaError, match="dense_1"):
        model.layers[2].set_weights([np.zeros((3, 8), np.float32), np.zeros(3, np.float32)])
    for got, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_flat_parameters_are_the_memory_of_the_model(rng):
    model = lm.Sequential([lm.Input((4,)), lm.Dense(3), lm.BatchNormalization(), lm.Dense(2)], seed=0)
    flat = model.flat_parameters
    assert flat.dtype == np.float32
    assert flat.shape == (4 * 3 + 3 + 3 + 3 + 3 * 2 + 2,)
    assert flat.flags.writeable
    assert flat.flags.c_contiguous
    assert np.shares_memory(flat, model.flat_parameters)
    flat[:] = rng.normal(size=flat.size)
    x = rng.normal(size=(6, 4)).astype(np.float32)
    hidden = x @ flat[:12].reshape(4, 3) + flat[12:15]
    hidden = hidden / np.sqrt(1 + 1e-3) * flat[15:18] + flat[18:21]
    expected = hidden @ flat[21:27].reshape(3, 2) + flat[27:]
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.1), loss="mse")
    before = flat.copy()
    trainer.train_on_batch(x, np.zeros((6, 2)))
    assert (flat != before).sum() > 20  # training moves what the array shows


def test_flat_parameters_outlive_their_model():
    flat = lm.Sequential([lm.Input((4,)), lm.Dense(3, kernel_initializer="ones")]).flat_parameters
    gc.collect()
    np.testing.assert_array_equal(flat, [1.0] * 12 + [0.0] * 3)
    flat[:] = 2.0


def test_clone_has_the_same_layers_and_nothing_in_common(rng):
    model = lm.Sequential([lm.Input((3,)), lm.Dense(4, "relu", name="first"), lm.Dense(2)], seed=1)
    model.layers[1].trainable = False
    copy = model.clone()
    assert repr(copy) == repr(model)
    assert [layer.name for layer in copy.layers] == ["first", "dense"]
    assert [layer.trainable for layer in copy.layers] == [True, False]
    copy.add(lm.Dense(5))  # neither has been used
    assert copy.predict(np.ones((1, 3))).shape == (1, 5)
    assert model.predict(np.ones((1, 3))).shape == (1, 2)
    twin = model.clone()
    twin.layers[0].trainable = False
    twin.flat_parameters[:] = 0
    assert model.layers[0].trainable
    assert model.flat_parameters.any()


def test_flat_parameters_can_not_be_replaced():
    model = lm.Sequential([lm.Input((4,)), lm.Dense(3)])
    with pytest.raises(AttributeError):
        model.flat_parameters = np.zeros(15)


def test_frozen_layers_do_not_move(classes):
    x, y = classes
    model = lm.Sequential(
        [lm.Dense(5, activation="relu"), lm.Dense(4), lm.Dense(3, activation="softmax")], seed=0
    )
    trainer = lm.Trainer(model, optimizer=lm.optimizers.AdamW(0.1), loss="sparse_categorical_crossentropy")
    model.build((6,))
    model.layers[1].trainable = False
    assert not model.layers[1].trainable
    before = model.get_weights()
    _, gradient = trainer.value_and_gradient(x, y)
    frozen = slice(6 * 5 + 5, 6 * 5 + 5 + 5 * 4 + 4)
    np.testing.assert_array_equal(gradient[frozen], 0.0)
    assert np.abs(gradient).max() > 0
    trainer.fit(x, y, epochs=2, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True)]
    assert moved == [True, True, False, False, True, True]  # not even by weight decay
    model.layers[1].trainable = True
    trainer.fit(x, y, epochs=1, verbose=0)
    assert not np.array_equal(model.get_weights()[2], before[2])


def test_frozen_from_the_start(classes):
    x, y = classes
    model = lm.Sequential([lm.Dense(5, trainable=False), lm.Dense(3, activation="softmax")], seed=0)
    trainer = lm.Trainer(model, optimizer="adam", loss="sparse_categorical_crossentropy")
    model.build((6,))
    before = model.get_weights()
    trainer.fit(x, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert not np.array_equal(model.get_weights()[2], before[2])


def test_freezing_changes_no_other_gradient(classes):
    x, y = classes
    model = lm.Sequential(
        [lm.Dense(5, activation="tanh"), lm.Dense(4), lm.Dense(3, activation="softmax")], seed=0
    )
    trainer = lm.Trainer(model, loss="sparse_categorical_crossentropy")
    model.build((6,))
    _, everything = trainer.value_and_gradient(x, y)
    model.layers[0].trainable = False
    value, gradient = trainer.value_and_gradient(x, y)
    np.testing.assert_array_equal(gradient[35:], everything[35:])
    np.testing.assert_array_equal(gradient[:35], 0.0)
    assert np.isfinite(value)


def test_calling_is_predicting(rng):
    model = mlp(seed=2)
    model.build((5,))
    x = rng.normal(size=(10, 5)).astype(np.float32)
    np.testing.assert_array_equal(model(x), model.predict(x))
    assert model.predict(x).dtype == np.float32


@pytest.mark.parametrize("batch_size", [1, 3, 10, 1000])
def test_prediction_does_not_depend_on_batches(rng, batch_size):
    model = mlp(seed=2)
    model.build((5,))
    x = rng.normal(size=(10, 5)).astype(np.float32)
    np.testing.assert_array_equal(model.predict(x, batch_size=batch_size), model.predict(x))


def test_predict_nothing():
    model = mlp(seed=2)
    model.build((5,))
    assert model.predict(np.zeros((0, 5))).shape == (0, 3)


def test_predictions_own_their_memory(rng):
    model = mlp(seed=2)
    model.build((5,))
    x = rng.normal(size=(10, 5))
    first = model.predict(x)
    copy = first.copy()
    model.predict(2 * x)
    np.testing.assert_array_equal(first, copy)


def test_larger_predictions_begin_at_a_cache_line():
    model = lm.Sequential([lm.Input((8,)), lm.Dense(32)])
    for rows in (32, 33, 4097):
        for _ in range(20):
            prediction = model.predict(np.zeros((rows, 8), np.float32))
            assert prediction.ctypes.data % 64 == 0
            assert prediction.flags.writeable


def test_trainer_shows_its_model():
    model = mlp()
    assert lm.Trainer(model, loss="mse").model is model


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_a_hundred_thousand_predictions_keep_no_memory():
    def resident_kib():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024

    model = lm.Sequential([lm.Input((20,)), lm.Dense(64, activation="relu"), lm.Dense(1)], seed=1)
    x = np.ones((1, 20), np.float32)
    for _ in range(1000):
        model.predict(x)
    before = resident_kib()
    for _ in range(100_000):
        model.predict(x)
    assert resident_kib() - before < 512  # one array kept a call would be 10,000
