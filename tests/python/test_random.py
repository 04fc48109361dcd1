"""Random numbers: Philox against NumPy's, and what is drawn with it."""

import numpy as np
import pytest
from helpers import predicted
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.philox import philox4

import lamina as lm
from lamina import _core

# Salmon et al.'s known answers (Random123, kat_vectors, philox4x32-10).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
words = st.integers(0, 2**32 - 1)


def test_the_reference_is_numpys_philox():
    """At 64 bits, word by word. NumPy counts up before it draws."""
    generator = np.random.default_rng(1)
    for _ in range(100):
        counter = generator.integers(0, 2**64 - 1, 4, dtype=np.uint64)
        key = generator.integers(0, 2**64 - 1, 2, dtype=np.uint64)
        expected = np.random.Philox(counter=counter, key=key).random_raw(4)
        counter[0] += np.uint64(1)
        assert philox4(counter, key, bits=64) == tuple(int(word) for word in expected)


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(counter, key, expected):
    assert philox4(counter, key, bits=32) == expected
    assert tuple(_core.philox4x32(counter, key)) == expected


@given(st.tuples(words, words, words, words), st.tuples(words, words))
@settings(max_examples=300, deadline=None)
def test_philox(counter, key):
    assert tuple(_core.philox4x32(counter, key)) == philox4(counter, key, bits=32)


def dropped(rate, seed, batches=1, columns=512, layer=None):
    """Which inputs a Dropout let through in each training step, read off the gradient of a linear model."""
    layers = [lm.Input((columns,)), layer or lm.Dropout(rate), lm.Dense(1, use_bias=False)]
    model = lm.Sequential(layers, seed=0)
    trainer = lm.Trainer(
        model, optimizer=lm.optimizers.SGD(0.0), loss=lm.losses.MeanAbsoluteError(), seed=seed
    )
    x, y = np.ones((1, columns), np.float32), np.full((1, 1), 1e6, np.float32)
    masks = []
    for _ in range(batches):
        _, gradient = trainer.value_and_gradient(x, y, training=True)
        masks.append(-gradient)  # d|y - w.x'| / dw = -x'
        trainer.train_on_batch(x, y)
    return np.array(masks)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_right_share_and_scales_the_rest(rate):
    kept = dropped(rate, seed=1, batches=20)
    share = (kept != 0).mean()
    n = kept.size
    assert abs(share - (1 - rate)) < 6 * np.sqrt(rate * (1 - rate) / n)
    np.testing.assert_allclose(kept[kept != 0], 1 / (1 - rate), rtol=1e-6)


def test_dropout_is_fresh_each_step_and_repeats_with_the_seed():
    first, again, other = dropped(0.5, 1, 3), dropped(0.5, 1, 3), dropped(0.5, 2, 3)
    np.testing.assert_array_equal(first, again)
    for a, b in [(first[0], first[1]), (first[1], first[2]), (first[0], other[0])]:
        assert 0.4 < ((a != 0) == (b != 0)).mean() < 0.6


def test_dropout_of_neighbouring_layers_is_independent():
    model = lm.Sequential([lm.Input((2000,)), lm.Dropout(0.5), lm.Dropout(0.5), lm.Dense(1, use_bias=False)])
    trainer = lm.Trainer(model, loss="mae", seed=0)
    x = np.ones((1, 2000), np.float32)
    _, gradient = trainer.value_and_gradient(x, np.array([1e6]), training=True)
    assert abs((gradient != 0).mean() - 0.25) < 6 * np.sqrt(0.25 * 0.75 / 2000)


def test_dropout_rows_differ():
    model = lm.Sequential([lm.Input((256,)), lm.Dropout(0.5), lm.Dense(1, use_bias=False)])
    trainer = lm.Trainer(model, loss="mae", seed=0)
    x, y = np.ones((40, 256), np.float32), np.full(40, 1e6, np.float32)
    _, gradient = trainer.value_and_gradient(x, y, training=True)
    kept = -gradient / 2.0 * 40  # rows that kept each column: binomial(40, 1/2), not 0 or 40
    assert 15 < kept.mean() < 25
    assert ((kept > 5) & (kept < 35)).mean() > 0.99
    assert kept.std() == pytest.approx(np.sqrt(10), rel=0.3)


def test_gaussian_noise():
    noise = dropped(None, seed=3, batches=40, layer=lm.GaussianNoise(0.3)) - 1.0
    assert abs(noise.mean()) < 6 * 0.3 / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(0.3, rel=6 / np.sqrt(2 * noise.size))
    assert not np.array_equal(noise[0], noise[1])


@pytest.mark.parametrize("layer", [lm.Dropout(0.5), lm.GaussianNoise(1.0)])
def test_nothing_random_in_prediction(rng, layer):
    x = rng.normal(size=(9, 7)).astype(np.float32)
    np.testing.assert_array_equal(predicted(layer, x), x)


class Order(lm.losses.Loss):
    """Writes down which rows came, in which order: y is the number of the row."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def value_and_gradient(self, y_true, y_pred):
        self.seen.extend(np.asarray(y_true).ravel().astype(int).tolist())
        return 0.0, np.zeros_like(y_pred)


def order(n, epochs=1, seed=0, batch_size=7, **options):
    loss = Order()
    trainer = lm.Trainer(lm.Sequential([lm.Dense(1)], seed=0), optimizer="sgd", loss=loss, seed=seed)
    x, y = np.zeros((n, 2), np.float32), np.arange(n, dtype=np.float32)
    trainer.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, **options)
    return np.array(loss.seen).reshape(epochs, -1)


def test_shuffles_are_permutations_fresh_each_epoch():
    epochs = order(100, epochs=3)
    for rows in epochs:
        np.testing.assert_array_equal(np.sort(rows), np.arange(100))
        assert not np.array_equal(rows, np.arange(100))
    assert not np.array_equal(epochs[0], epochs[1])
    assert not np.array_equal(epochs[1], epochs[2])


def test_shuffles_follow_the_seed():
    np.testing.assert_array_equal(order(50, seed=4), order(50, seed=4))
    assert not np.array_equal(order(50, seed=4), order(50, seed=5))


def test_no_shuffle():
    np.testing.assert_array_equal(order(50, shuffle=False)[0], np.arange(50))


def test_shuffles_are_uniform():
    """Where row 0 of four lands, over 600 epochs: chi-squared with 3 degrees of freedom."""
    epochs = order(4, epochs=600, batch_size=4)
    counts = np.bincount(np.argmax(epochs == 0, axis=1), minlength=4)
    assert ((counts - 150) ** 2 / 150).sum() < 25  # p = 1.5e-5
