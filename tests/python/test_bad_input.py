"""Bad input raises the error of its kind, names the thing, and changes nothing if seen beforehand."""

import numpy as np
import pandas as pd
import pytest
from helpers import small_classifier

import lamina as lm

SPARSE, DENSE = "sparse_categorical_crossentropy", "categorical_crossentropy"


def trained(loss=SPARSE, last=3, activation="softmax"):
    """A trainer with state worth keeping: weights, Adam's slots, batch statistics, random numbers."""
    model = lm.Sequential(
        [
            lm.Dense(4, activation="relu"),
            lm.BatchNormalization(),
            lm.Dropout(0.5),
            lm.Dense(last, activation),
        ],
        seed=1,
    )
    trainer = lm.Trainer(model, optimizer="adam", loss=loss, seed=1)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 6)).astype(np.float32), rng.integers(0, 3, 20)
    if loss == DENSE:
        y = np.eye(3, dtype=np.float32)[y]
    elif last == 1:
        y = (y == 1).astype(np.float32)
    trainer.fit(x, y, epochs=1, verbose=0)
    return trainer, x, y


def with_value(array, value, row=13):
    array = np.array(array, dtype=np.float64)
    array[row] = value
    return array


# what is wrong: (error, words of the message, how (x, y) become bad, options of fit, kind of trainer)
BAD_DATA = {
    "wrong number of features": (lm.ShapeError, r"6.*5", lambda x, y: (x[:, :5], y), {}),
    "too many dimensions": (lm.ShapeError, r"6", lambda x, y: (x[:, :, None], y), {}),
    "scalar": (lm.ShapeError, None, lambda x, y: (np.float32(3), y), {}),
    "mismatched lengths": (lm.ShapeError, r"20.*19|19.*20", lambda x, y: (x, y[:19]), {}),
    "empty": (lm.LaminaError, r"(?i)empty|no rows|0 rows|at least", lambda x, y: (x[:0], y[:0]), {}),
    "mismatched sample_weight": (
        lm.ShapeError,
        r"sample_weight",
        lambda x, y: (x, y),
        {"sample_weight": np.ones(7)},
    ),
    "sample_weight of two columns": (
        lm.ShapeError,
        r"sample_weight",
        lambda x, y: (x, y),
        {"sample_weight": np.ones((20, 2))},
    ),
    "NaN in sample_weight": (
        lm.DataError,
        r"(?i)sample_weight.*nan|nan.*sample_weight",
        lambda x, y: (x, y),
        {"sample_weight": np.full(20, np.nan)},
    ),
    "label too large": (lm.DataError, r"3", lambda x, y: (x, with_value(y, 3)), {}),
    "label negative": (lm.DataError, r"-2", lambda x, y: (x, with_value(y, -2)), {}),
    "label not whole": (lm.DataError, r"0\.5", lambda x, y: (x, with_value(y, 0.5)), {}),
    "label NaN": (lm.DataError, r"(?i)nan", lambda x, y: (x, with_value(y, np.nan)), {}),
    "label huge": (lm.DataError, None, lambda x, y: (x, with_value(y, 2.0**63)), {}),
    "one-hot for a sparse loss": (
        lm.LaminaError,
        rf"\b{DENSE}\b",
        lambda x, y: (x, np.eye(3)[y]),
        {},
    ),
    "NaN in the data": (lm.DataError, r"(?i)nan", lambda x, y: (with_value(x, np.nan), y), {}),
    "infinity in the data": (lm.DataError, r"(?i)inf", lambda x, y: (with_value(x, np.inf), y), {}),
    "too large for float32": (
        lm.DataError,
        r"(?i)inf|1e\+?200|float32",
        lambda x, y: (with_value(x, 1e200), y),
        {},
    ),
    "objects": (lm.DTypeError, r"object", lambda x, y: (x.astype(object), y), {}),
    "strings": (lm.DTypeError, r"str|<U", lambda x, y: (x.astype(str), y), {}),
    "complex": (lm.DTypeError, r"complex", lambda x, y: (x.astype(complex), y), {}),
    "dates": (lm.DTypeError, r"datetime", lambda x, y: (np.zeros((20, 6), "datetime64[s]"), y), {}),
    "string labels": (lm.DTypeError, r"str|<U|object", lambda x, y: (x, np.array(["a"] * 20)), {}),
    "frame with text": (
        lm.DTypeError,
        r"object|str",
        lambda x, y: (pd.DataFrame(x).astype({0: str}), y),
        {},
    ),
    "ragged lists": (lm.LaminaError, None, lambda x, y: ([[1.0, 2.0], [3.0]], y[:2]), {}),
    "None": (lm.LaminaError, None, lambda x, y: (None, y), {}),
    "no targets": (lm.LaminaError, r"(?i)\by\b|target", lambda x, y: (x, None), {}),
    "batch size zero": (lm.ArgumentError, r"batch_size", lambda x, y: (x, y), {"batch_size": 0}),
    "batch size negative": (lm.ArgumentError, r"batch_size", lambda x, y: (x, y), {"batch_size": -3}),
    "batch size of another word": (
        lm.ArgumentError,
        r"batch_size.*full",
        lambda x, y: (x, y),
        {"batch_size": "half"},
    ),
    "no number of epochs": (lm.ArgumentError, r"epochs", lambda x, y: (x, y), {"epochs": -1}),
    "epochs not whole": (lm.LaminaError, r"epochs", lambda x, y: (x, y), {"epochs": 1.5}),
    "initial epoch negative": (
        lm.ArgumentError,
        r"initial_epoch",
        lambda x, y: (x, y),
        {"initial_epoch": -1},
    ),
    "split of one": (lm.ArgumentError, r"validation_split", lambda x, y: (x, y), {"validation_split": 1.0}),
    "split negative": (
        lm.ArgumentError,
        r"validation_split",
        lambda x, y: (x, y),
        {"validation_split": -0.1},
    ),
    "split that leaves nothing": (
        lm.ArgumentError,
        r"validation_split",
        lambda x, y: (x[:1], y[:1]),
        {"validation_split": 0.5},
    ),
    "class_weight of no class": (
        lm.ArgumentError,
        r"class_weight.*7",
        lambda x, y: (x, y),
        {"class_weight": {7: 1.0}},
    ),
    "class_weight NaN": (
        lm.ArgumentError,
        r"class_weight",
        lambda x, y: (x, y),
        {"class_weight": {0: float("nan")}},
    ),
    "validation features": (
        lm.ShapeError,
        r"6.*5",
        lambda x, y: (x, y),
        {"validation_data": (np.zeros((4, 5)), np.zeros(4, int))},
    ),
    "validation labels": (
        lm.DataError,
        r"9",
        lambda x, y: (x, y),
        {"validation_data": (np.zeros((4, 6)), np.full(4, 9))},
    ),
    "validation NaN": (
        lm.DataError,
        r"(?i)nan",
        lambda x, y: (x, y),
        {"validation_data": (np.full((4, 6), np.nan), np.zeros(4, int))},
    ),
    "unknown argument": (TypeError, r"epoch", lambda x, y: (x, y), {"epoch": 3}),
}


def state(trainer):
    value, gradient = trainer.value_and_gradient(np.ones((5, 6), np.float32), np.zeros(5, int), training=True)
    return [
        *trainer.model.get_weights(),
        gradient,
        np.array(value),
        np.array(trainer.optimizer.learning_rate),
    ]


@pytest.mark.parametrize("what", BAD_DATA)
def test_bad_data_change_nothing(what, tmp_path):
    error, words, spoil, options = BAD_DATA[what]
    trainer, x, y = trained()
    untouched, _, _ = trained()
    bad_x, bad_y = spoil(x, y)
    with pytest.raises(error, match=words):
        trainer.fit(bad_x, bad_y, **{"epochs": 2, "verbose": 0, **options})
    for got, expected in zip(state(trainer), state(untouched), strict=True):
        np.testing.assert_array_equal(got, expected)
    # Slots and random numbers too: the next epochs are those of a trainer that never saw it.
    for one in (trainer, untouched):
        one.fit(x, y, epochs=2, verbose=0)
    for got, expected in zip(trainer.model.get_weights(), untouched.model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("method", ["evaluate", "train_on_batch", "value_and_gradient"])
@pytest.mark.parametrize(
    "what",
    [name for name, case in BAD_DATA.items() if not case[3] and name != "no targets"],
)
def test_the_same_data_everywhere_else(what, method):
    error, words, spoil, _ = BAD_DATA[what]
    trainer, x, y = trained()
    before = trainer.model.get_weights()
    with pytest.raises(error, match=words):
        getattr(trainer, method)(*spoil(x, y))
    for got, expected in zip(trainer.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    "what",
    [
        "wrong number of features",
        "too many dimensions",
        "scalar",
        "objects",
        "strings",
        "complex",
        "frame with text",
        "ragged lists",
        "None",
    ],
)
def test_the_same_data_for_prediction(what):
    error, words, spoil, _ = BAD_DATA[what]
    trainer, x, y = trained()
    with pytest.raises(error, match=words):
        trainer.model.predict(spoil(x, y)[0])


@pytest.mark.parametrize("activation", ["relu", "tanh", "softmax"])
def test_nan_goes_through_a_prediction_and_stays_in_its_row(activation):
    """A prediction is a plain function of each row: what came in as NaN must not come out as a number."""
    model = lm.Sequential(
        [lm.Input((6,)), lm.Dense(20, activation="relu"), lm.LayerNormalization(), lm.Dense(3, activation)],
        seed=1,
    )
    x = np.random.default_rng(0).normal(size=(20, 6))
    got, expected = model.predict(with_value(x, np.nan)), model.predict(x)
    assert np.isnan(got[13]).all()
    np.testing.assert_array_equal(np.delete(got, 13, axis=0), np.delete(expected, 13, axis=0))


@pytest.mark.parametrize(
    ("loss", "last", "activation", "target", "error", "words"),
    [
        (DENSE, 3, "softmax", lambda y: np.arange(20) % 3, lm.LaminaError, rf"\b{SPARSE}\b"),
        (DENSE, 3, "softmax", lambda y: y[:, :2], lm.ShapeError, r"3.*2|2.*3"),
        (DENSE, 3, "softmax", lambda y: with_value(y, np.nan), lm.DataError, r"(?i)nan"),
        ("binary_crossentropy", 1, "sigmoid", lambda y: np.zeros((20, 2)), lm.ShapeError, r"1.*2|2.*1"),
        ("mse", 1, None, lambda y: with_value(y, np.inf), lm.DataError, r"(?i)inf"),
        ("mse", 1, None, lambda y: np.zeros((20, 3)), lm.ShapeError, r"1.*3|3.*1"),
        ("mse", 1, None, lambda y: y.astype(str), lm.DTypeError, r"str|<U"),
    ],
)
def test_bad_targets(loss, last, activation, target, error, words):
    trainer, x, y = trained(loss, last, activation)
    before = trainer.model.get_weights()
    with pytest.raises(error, match=words):
        trainer.fit(x, target(y), epochs=1, verbose=0)
    for got, expected in zip(trainer.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_memory_map_is_checked_as_it_is_read(tmp_path, bad):
    """The model then stays as the last complete step left it."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 6)).astype(np.float32), rng.integers(0, 3, 40)
    x[25, 2] = bad
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    options = {"optimizer": "adam", "loss": SPARSE, "seed": 1}
    trainer, other = (lm.Trainer(small_classifier(), **options) for _ in range(2))
    with pytest.raises(lm.DataError, match=r"(?i)nan|inf"):
        trainer.fit(mapped, y, epochs=1, batch_size=10, shuffle=False, verbose=0)
    for start in (0, 10):
        other.train_on_batch(x[start : start + 10], y[start : start + 10])
    for got, expected in zip(trainer.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda x, y: (with_value(x, np.nan, 3), y), lm.DataError),
        (lambda x, y: (x[:, :4], y), lm.ShapeError),
        (lambda x, y: (x, y[:5]), lm.ShapeError),
        (lambda x, y: (x, with_value(y, 8, 2)), lm.DataError),
        (lambda x, y: (x.astype(str), y), lm.DTypeError),
        (lambda x, y: x, lm.LaminaError),
        (lambda x, y: (x, y, np.ones(10), 3), lm.LaminaError),
    ],
)
def test_a_bad_batch_in_a_stream_leaves_the_last_complete_step(spoil, error):
    rng = np.random.default_rng(0)
    batches = [(rng.normal(size=(10, 6)).astype(np.float32), rng.integers(0, 3, 10)) for _ in range(3)]
    options = {"optimizer": "adam", "loss": SPARSE, "seed": 1}
    trainer, other = (lm.Trainer(small_classifier(), **options) for _ in range(2))
    stream = iter([*batches[:2], spoil(*batches[2])])
    with pytest.raises(error):
        trainer.fit(stream, epochs=1, verbose=0)
    for x, y in batches[:2]:
        other.train_on_batch(x, y)
    for got, expected in zip(trainer.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_bad_data_do_not_build_a_model():
    model = lm.Sequential([lm.Dense(3, activation="softmax")])
    trainer = lm.Trainer(model, loss=SPARSE)
    with pytest.raises(lm.DataError):
        trainer.fit(np.full((4, 6), np.nan), np.zeros(4, int), epochs=1, verbose=0)
    with pytest.raises(lm.ShapeError):
        trainer.fit(np.zeros((4, 6)), np.zeros(3, int), epochs=1, verbose=0)
    history = trainer.fit(np.zeros((4, 2)), np.zeros(4, int), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])


NEGATIVE, NAN, INF = -0.1, float("nan"), float("inf")


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW", "Adamax", "Nadam", "Adagrad", "Lion"])
@pytest.mark.parametrize("value", [NEGATIVE, NAN, INF])
@pytest.mark.parametrize(
    "field", ["learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "ema_momentum"]
)
def test_hyperparameters_of_every_optimizer(name, field, value):
    with pytest.raises(lm.ArgumentError, match=rf"{name}.*{field}"):
        getattr(lm.optimizers, name)(**{field: value})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"momentum": NEGATIVE}),
        ("SGD", {"momentum": 1.5}),
        ("SGD", {"momentum": 0.5, "dampening": NAN}),
        ("RMSprop", {"rho": 1.5}),
        ("RMSprop", {"epsilon": NEGATIVE}),
        ("RMSprop", {"momentum": INF}),
        ("Adam", {"beta_1": 1.0}),
        ("Adam", {"beta_2": NEGATIVE}),
        ("Adam", {"epsilon": NAN}),
        ("AdamW", {"beta_1": 1.5}),
        ("Adamax", {"beta_2": 1.5}),
        ("Nadam", {"beta_1": NAN}),
        ("Adagrad", {"initial_accumulator_value": NEGATIVE}),
        ("Lion", {"beta_1": 1.5}),
        ("Adam", {"gradient_accumulation_steps": 0}),
        ("Adam", {"gradient_accumulation_steps": 1.5}),
        ("Adam", {"learning_rate": "fast"}),
        ("Adam", {"learning_rate": None}),
    ],
)
def test_hyperparameters_of_one(name, options):
    with pytest.raises((lm.ArgumentError, lm.DTypeError), match=list(options)[-1]):
        getattr(lm.optimizers, name)(**options)


@pytest.mark.parametrize(
    ("make", "nearest"),
    [
        (lambda: lm.optimizers.get("adm"), "adam"),
        (lambda: lm.losses.get("sparse_categorical_crossentrpy"), SPARSE),
        (lambda: lm.metrics.get("precison"), "precision"),
        (lambda: lm.activations.get("sotfmax"), "softmax"),
        (lambda: lm.initializers.get("he_norml"), "he_normal"),
        (lambda: lm.regularizers.get("l1_l3"), "l1"),
        (lambda: lm.constraints.get("max_nrm"), "max_norm"),
        (lambda: lm.Trainer(lm.Sequential([lm.Dense(1)]), optimizer="adm", loss="mse"), "adam"),
        (lambda: lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="msee"), "mse"),
        (lambda: lm.Dense(3, activation="rleu"), "relu"),
        (lambda: lm.Dense(3, kernel_initializer="he_norml"), "he_normal"),
        (lambda: lm.Dense(3, kernel_constraint="max_nrm"), "max_norm"),
    ],
)
def test_unknown_names_come_with_the_nearest_known(make, nearest):
    with pytest.raises(lm.ArgumentError, match=nearest):
        make()


def test_a_metric_that_is_not_there(classes):
    x, y = classes
    trainer = None
    with pytest.raises(lm.ArgumentError, match="accuracy"):
        trainer = lm.Trainer(small_classifier(), loss=SPARSE, metrics=["acuracy"]).fit(x, y, verbose=0)
    assert trainer is None


def test_a_metric_that_does_not_fit(classes):
    x, y = classes
    with pytest.raises(lm.LaminaError, match=r"auc|AUC"):
        lm.Trainer(small_classifier(), loss=SPARSE, metrics=["auc"]).fit(x, y, epochs=1, verbose=0)


def test_a_layer_used_twice():
    layer = lm.Dense(3, name="shared")
    with pytest.raises(lm.ArgumentError, match="shared"):
        lm.Sequential([layer, lm.Dropout(0.1), layer])
    lm.Sequential([layer])  # the failed attempt took nothing


@pytest.mark.parametrize("layers", [None, [lm.Dense], ["dense"], lm.Input, [lm.Dense(1), lm.Input((3,))]])
def test_what_is_no_chain_of_layers(layers):
    with pytest.raises((lm.ArgumentError, lm.DTypeError)):
        lm.Sequential(layers)


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m.predict(np.zeros((2, 5))),
        lambda m: m(np.zeros((2, 5))),
        lambda m: m.flat_parameters,
        lambda m: m.get_weights(),
        lambda m: m.set_weights([]),
        lambda m: m.count_params(),
        lambda m: m.layers[0].get_weights(),
        lambda m: m.load_weights("x.safetensors"),
    ],
)
def test_use_before_build(use):
    with pytest.raises(lm.StateError, match=r"(?i)buil"):
        use(lm.Sequential([lm.Dense(3)]))


def test_shapes_that_do_not_chain():
    with pytest.raises(lm.ShapeError, match=r"12|5"):
        lm.Sequential([lm.Input((12,)), lm.Reshape((5, 2))])


def test_models_and_losses_that_do_not_fit(classes):
    x, y = classes
    one_column = lm.Sequential([lm.Dense(1, activation="softmax")])
    with pytest.raises(lm.LaminaError, match=r"2 classes"):
        lm.Trainer(one_column, loss=SPARSE).fit(x, y, epochs=1, verbose=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: lm.Trainer(None, loss="mse"),
        lambda: lm.Trainer("model", loss="mse"),
        lambda: lm.Trainer(lm.Dense(3), loss="mse"),
        lambda: lm.Trainer(lm.Sequential([lm.Dense(1)]), loss=None),
        lambda: lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", optimizer=3),
        lambda: lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", metrics=[3]),
    ],
)
def test_what_is_no_trainer(make):
    with pytest.raises((lm.ArgumentError, lm.DTypeError)):
        make()


@pytest.mark.parametrize("count", [0, -1, 10**9])
def test_numbers_of_threads(count):
    with pytest.raises(lm.ArgumentError, match=r"thread"):
        lm.set_num_threads(count)


def test_errors_are_also_the_built_in_ones():
    builtin = {
        "ShapeError": ValueError,
        "ArgumentError": ValueError,
        "DTypeError": TypeError,
        "DataError": ValueError,
        "StateError": RuntimeError,
        "FormatError": ValueError,
        "FileError": OSError,
    }
    for name, base in builtin.items():
        error = getattr(lm, name)
        assert issubclass(error, lm.LaminaError)
        assert issubclass(error, base)
    assert issubclass(lm.LaminaError, Exception)


def test_messages_name_the_layer():
    model = lm.Sequential([lm.Dense(5), lm.Dense(3)], seed=0)
    model.build((4,))
    with pytest.raises(lm.ShapeError, match=r"expected.*4.*got.*\(2, 7\)"):
        model.predict(np.zeros((2, 7)))


def test_path_with_nul(tmp_path):
    """The system would write to the shorter path before the NUL."""
    model = lm.Sequential([lm.Input((2,)), lm.Dense(1)])
    with pytest.raises(lm.FileError, match="NUL"):
        model.save(f"{tmp_path}/model\0.safetensors")
    with pytest.raises(lm.FileError, match="NUL"):
        lm.load_model(f"{tmp_path}/model\0.safetensors")
    assert not list(tmp_path.iterdir())


def test_name_of_half_a_character():
    with pytest.raises(lm.ArgumentError, match="surrogate"):
        lm.Dense(1, name="\ud800")


def test_batch_size_beyond_the_rows():
    """Memory is for the rows that are there, not for those that the batch size would allow."""
    model = lm.Sequential([lm.Input((8,)), lm.Dense(300)], seed=0)
    x = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
    assert (model.predict(x, batch_size=10**9) == model.predict(x, batch_size=7)).all()


def test_epochs_beyond_64_bits():
    trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse")
    with pytest.raises(lm.ArgumentError, match="initial_epoch"):
        trainer.fit(np.ones((4, 2)), np.ones(4), epochs=2**62, initial_epoch=2**63, verbose=0)
