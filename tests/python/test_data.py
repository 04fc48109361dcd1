"""What arrays may be: every type, layout, frame and stream trains alike; big ones are read in place."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import PEAK, run_python, same_weights, small_classifier

import lamina as lm

LOSS = "sparse_categorical_crossentropy"
DTYPES = [
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "float16", "float32", "float64",
]  # fmt: skip


@pytest.fixture
def whole(rng):
    """(x, y) of small whole numbers, so that every type holds the same values."""
    return rng.integers(0, 2, (50, 6)).astype(np.float32), rng.integers(0, 3, 50).astype(np.int32)


def fitted(x, y, model=None, **options):
    model = model or small_classifier(seed=1)
    trainer = lm.Trainer(model, optimizer=lm.optimizers.Adam(0.01), loss=LOSS, seed=2)
    trainer.fit(x, y, epochs=2, batch_size=16, verbose=0, **options)
    return model


def strided(a):
    padded = np.full((a.shape[0] * 2, *a.shape[1:]), 77, a.dtype)
    padded[::2] = a
    return padded[::2]


def column_strided(a):
    padded = np.full((a.shape[0], a.shape[1] * 3), 77, a.dtype)
    padded[:, ::3] = a
    return padded[:, ::3]


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def misaligned(a):
    memory = np.zeros(a.nbytes + 1, np.uint8)
    view = memory[1:].view(a.dtype) if a.itemsize == 1 else np.frombuffer(memory, a.dtype, a.size, 1)
    view = view.reshape(a.shape)
    view[...] = a
    return view


LAYOUTS = {
    "fortran": np.asfortranarray,
    "transposed view": lambda a: a.T.copy().T,
    "every other row": strided,
    "every third column": column_strided,
    "reversed rows": lambda a: a[::-1].copy()[::-1],
    "reversed columns": lambda a: a[:, ::-1].copy()[:, ::-1],
    "window of columns": lambda a: np.hstack([a, a])[:, : a.shape[1]],
    "read-only": read_only,
    "misaligned": misaligned,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "list": lambda a: a.tolist(),
    "list of arrays": list,
    "tuple": lambda a: tuple(map(tuple, a.tolist())),
    "pandas": pd.DataFrame,
    "polars": lambda a: pl.DataFrame(a.copy()),
    "memoryview": lambda a: memoryview(np.ascontiguousarray(a)),
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_trains_and_predicts_alike(whole, dtype):
    x, y = whole
    expected = fitted(x, y)
    got = fitted(x.astype(dtype), y)
    assert same_weights(got, expected)
    np.testing.assert_array_equal(got.predict(x.astype(dtype)), expected.predict(x))


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bool"])
def test_every_type_of_labels(whole, dtype):
    x, y = whole
    assert same_weights(fitted(x, y.astype(dtype)), fitted(x, y))


def test_boolean_labels(whole):
    x, y = whole
    assert same_weights(fitted(x, y == 1), fitted(x, (y == 1).astype(int)))


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_trains_and_predicts_alike(whole, layout, dtype):
    x, y = whole
    expected = fitted(x, y)
    other = LAYOUTS[layout](x.astype(dtype))
    got = fitted(other, y)
    assert same_weights(got, expected)
    np.testing.assert_array_equal(got.predict(other), expected.predict(x))


@pytest.mark.parametrize(
    "layout",
    [
        lambda y: y[:, None],
        lambda y: y.tolist(),
        lambda y: np.repeat(y, 2)[::2],
        lambda y: y[::-1].copy()[::-1],
        lambda y: pd.Series(y, index=range(100, 100 + len(y))),
        lambda y: pl.Series(y),
        lambda y: pd.DataFrame({"label": y}),
        read_only,
    ],
)
def test_layouts_of_labels(whole, layout):
    x, y = whole
    assert same_weights(fitted(x, layout(y)), fitted(x, y))


@pytest.mark.parametrize("shape", [(50,), (50, 1)])
def test_one_column_of_targets(rng, shape):
    x, y = rng.normal(size=(50, 4)), rng.normal(size=50)
    model = lm.Sequential([lm.Dense(1)], seed=0)
    lm.Trainer(model, loss="mse", seed=0).fit(x, y.reshape(shape), epochs=1, verbose=0)
    other = lm.Sequential([lm.Dense(1)], seed=0)
    lm.Trainer(other, loss="mse", seed=0).fit(x, y[:, None], epochs=1, verbose=0)
    assert same_weights(model, other)
    value, _ = lm.Trainer(model, loss="mse").value_and_gradient(x, y.reshape(shape))
    np.testing.assert_allclose(value, ((model.predict(x)[:, 0] - y) ** 2).mean(), rtol=1e-5)


def test_frames_with_mixed_columns(rng):
    frame = {"a": np.arange(20, dtype=np.int16), "b": rng.normal(size=20), "c": np.arange(20) % 2 == 0}
    plain = np.column_stack([frame["a"], frame["b"], frame["c"]]).astype(np.float32)
    y = np.arange(20) % 3
    expected = fitted(plain, y)
    assert same_weights(fitted(pd.DataFrame(frame), y), expected)
    assert same_weights(fitted(pl.DataFrame(frame), y), expected)


def test_one_feature_as_a_vector(rng):
    """(n,) inputs are (n, 1), as in Keras."""
    x, y = rng.normal(size=30), rng.integers(0, 3, 30)
    assert same_weights(fitted(x, y), fitted(x[:, None], y))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_memory_map(whole, tmp_path, dtype):
    x, y = whole
    np.save(tmp_path / "x.npy", x.astype(dtype))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    expected = fitted(x, y)
    got = fitted(mapped, y)
    assert same_weights(got, expected)
    np.testing.assert_array_equal(got.predict(mapped), expected.predict(x))


class Batches:
    """Batches that can be gone through again, epoch by epoch."""

    def __init__(self, *arrays, size=16):
        self.arrays, self.size = arrays, size

    def __iter__(self):
        for start in range(0, len(self.arrays[0]), self.size):
            yield tuple(array[start : start + self.size] for array in self.arrays)


def test_iterable_of_batches(whole):
    x, y = whole
    trainer = lm.Trainer(
        small_classifier(seed=1), optimizer=lm.optimizers.Adam(0.01), loss=LOSS, metrics=["accuracy"]
    )
    history = trainer.fit(Batches(x, y), epochs=2, verbose=0).history
    other = lm.Trainer(
        small_classifier(seed=1), optimizer=lm.optimizers.Adam(0.01), loss=LOSS, metrics=["accuracy"]
    )
    expected = other.fit(x, y, epochs=2, batch_size=16, shuffle=False, verbose=0).history
    assert same_weights(trainer.model, other.model)
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-6)


def test_iterable_with_weights_and_validation(whole):
    x, y = whole
    weight = np.linspace(0, 2, len(y)).astype(np.float32)
    still = lm.optimizers.SGD(0.0)
    trainer = lm.Trainer(small_classifier(seed=1), optimizer=still, loss=LOSS)
    history = trainer.fit(Batches(x, y, weight), epochs=1, validation_data=Batches(x, y), verbose=0).history
    np.testing.assert_allclose(
        history["loss"], [trainer.evaluate(x, y, sample_weight=weight)["loss"]], rtol=1e-5
    )
    np.testing.assert_allclose(history["val_loss"], [trainer.evaluate(x, y)["loss"]], rtol=1e-5)
    np.testing.assert_allclose(trainer.evaluate(Batches(x, y, weight))["loss"], history["loss"][0], rtol=1e-5)


def test_generator_of_uneven_batches(whole):
    x, y = whole
    trainer = lm.Trainer(small_classifier(seed=1), optimizer=lm.optimizers.SGD(0.0), loss=LOSS)
    cuts = [(0, 3), (3, 4), (4, 50)]
    history = trainer.fit(((x[a:b], y[a:b]) for a, b in cuts), epochs=1, verbose=0).history
    np.testing.assert_allclose(history["loss"], [trainer.evaluate(x, y)["loss"]], rtol=1e-5)


def test_an_exhausted_generator_is_named(whole):
    x, y = whole
    trainer = lm.Trainer(small_classifier(seed=1), loss=LOSS)
    with pytest.raises(lm.LaminaError, match=r"epoch|iterat|batch"):
        trainer.fit(((x, y) for _ in range(1)), epochs=3, verbose=0)


def test_weights_of_every_type(whole):
    x, y = whole
    weight = np.arange(50) % 4
    expected = fitted(x, y, sample_weight=weight.astype(np.float32))
    for other in (weight.astype(np.uint8), weight.tolist(), pd.Series(weight), np.repeat(weight, 2)[::2]):
        assert same_weights(fitted(x, y, sample_weight=other), expected)


def test_pixels_and_rescaling(rng):
    pixels = rng.integers(0, 256, (40, 8, 8), dtype=np.uint8)
    y = rng.integers(0, 3, 40)
    model = lm.Sequential([lm.Rescaling(1 / 255), lm.Flatten(), lm.Dense(3, activation="softmax")], seed=1)
    plain = lm.Sequential([lm.Dense(3, activation="softmax")], seed=1)
    plain.build((64,))
    got, expected = fitted(pixels, y, model), fitted(pixels.reshape(40, 64) / np.float32(255), y, plain)
    # The initial kernel is keyed by the parameter, not by the layers without any; sums differ by rounding.
    for a, b in zip(got.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


WATCH = f"""{PEAK}
import sys
import numpy as np
import lamina as lm

kind = sys.argv[1]
columns, bytes_ = 400, 120e6
if kind == "uint8":
    x = np.ones((int(bytes_ / columns), columns), np.uint8)
elif kind == "float64":
    x = np.ones((int(bytes_ / columns / 8), columns))
elif kind == "every other row":
    x = np.ones((int(bytes_ / columns), columns), np.uint8)[::2]
elif kind == "fortran":
    x = np.ones((int(bytes_ / columns), columns), np.uint8, order="F")
y = np.zeros(len(x), np.float32)
model = lm.Sequential([lm.Rescaling(0.01), lm.Dense(4, activation="relu"), lm.Dense(1)])
trainer = lm.Trainer(model, optimizer="adam", loss="mse")
trainer.fit(x[:2048], y[:2048], epochs=1, batch_size=512, verbose=0)
before = peak()
trainer.fit(x, y, epochs=1, batch_size=512, validation_split=0.1, verbose=0)
print(peak() - before)
"""


@pytest.mark.parametrize("kind", ["uint8", "float64", "every other row"])
def test_big_arrays_are_read_in_place(kind):
    """120 MB of data. As float32 they would be 60 MB and up; an index of the rows is 2.4 MB."""
    assert float(run_python(WATCH, kind)) < 20


def test_the_watch_sees_a_copy():
    """The measure itself: a Fortran array has to be converted, which the peak must show."""
    assert float(run_python(WATCH, "fortran")) > 60
