"""What happens to rows before estimators see them: short ways that must end where scikit-learn's end."""

import threading
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.neural_network import MLPClassifier as Theirs
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.preprocessing import scale

import lamina as lm
from lamina import _core
from lamina.sklearn import MLPClassifier, MLPRegressor
from lamina.sklearn._rows import Training, merged

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = scale(load_iris().data), load_iris().target
SHORT = {"max_iter": 2, "random_state": 0}


# ---- the core's part


@pytest.mark.parametrize("dtype", [f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)])
def test_classes_of_whole_numbers_are_those_of_unique(dtype):
    info = np.iinfo(dtype)
    for pick in ([0], [3, 1, 1, 7], [info.max, info.min, 0, info.max], np.arange(120).tolist() * 2, []):
        labels = np.array(pick, dtype)
        for y in (labels, labels[::-1], np.repeat(labels, 2)[::2]):
            classes, codes = _core.integer_classes(y)
            want, inverse = np.unique(y, return_inverse=True)
            assert (classes.dtype, codes.dtype) == (y.dtype, np.int32)
            np.testing.assert_array_equal(classes, want)
            np.testing.assert_array_equal(codes, inverse)


def test_other_labels_have_no_short_way():
    assert _core.integer_classes(np.arange(1024)) is not None
    for y in (np.arange(1025), np.zeros(3), np.array(["a"]), np.array([True]), np.zeros((3, 1), int)):
        assert _core.integer_classes(y) is None
    assert _core.integer_classes(np.array([1, 2], ">i4")) is None


def test_finite_float32_is_the_array_itself_or_a_copy_or_none():
    x = np.random.RandomState(0).normal(size=(40, 7)).astype(np.float32)
    assert _core.finite_float32(x) is x
    for given in (x.astype(np.float64), x[::2], x[::-1], x.astype(np.float64)[3:9]):
        got = _core.finite_float32(given)
        assert got.dtype == np.float32
        assert got.flags.c_contiguous
        np.testing.assert_array_equal(got, given.astype(np.float32))
    for gaps in (x[:, ::2], np.asfortranarray(x), x[:, ::-1]):
        assert _core.finite_float32(gaps) is None
    for bad in (np.nan, np.inf, -np.inf, 1e39):
        wide = x.astype(np.float64)
        wide[39, 6] = bad
        assert _core.finite_float32(wide) is None
    x[0, 0] = np.nan
    assert _core.finite_float32(x) is None


@pytest.mark.parametrize("outputs", [None, 1, 3])
def test_merged_rows_are_those_of_unique(outputs):
    random = np.random.RandomState(1)
    for count in (1, 2, 60):
        x = random.randint(0, 2, (count, 3)).astype(np.float32)
        y = random.randint(0, 2, count if outputs is None else (count, outputs)).astype(np.int32)
        for weights in (None, np.ones(count, np.float32), random.rand(count).astype(np.float32)):
            got = merged(Training(x, y, weights))
            table = np.hstack([x.view(np.uint8), y.reshape(count, -1).view(np.uint8)])
            keys = table.view(f"V{table.shape[1]}").ravel()
            _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
            np.testing.assert_array_equal(got.x, x[first])
            np.testing.assert_array_equal(got.y, y[first])
            want = np.bincount(inverse.ravel(), weights, len(first)).astype(np.float32)
            sums = np.ones(len(first)) if got.weights is None else got.weights
            np.testing.assert_allclose(sums, want, 1e-7)


# ---- estimators


def words(call):
    try:
        call()
    except ValueError as error:
        return str(error)
    raise AssertionError("nothing was refused")


@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.where(np.arange(x.size).reshape(x.shape) == 5, np.nan, x),
        lambda x: np.where(np.arange(x.size).reshape(x.shape) == 5, -np.inf, x),
        lambda x: x[:, 0],
        lambda x: x[:0],
        lambda x: x[:, :0],
        lambda x: x[:10],
        lambda x: x[None],
        lambda x: x.astype(complex),
        lambda x: np.full(x.shape, "word"),
    ],
)
@pytest.mark.parametrize(("ours", "theirs"), [(MLPClassifier, Theirs), (MLPRegressor, TheirRegressor)])
def test_data_that_is_refused_is_refused_in_the_same_words(change, ours, theirs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = words(lambda: theirs(**SHORT).fit(change(X), Y))
        assert words(lambda: ours(**SHORT).fit(change(X), Y)) == expected
        if len(change(X)) == 10:  # too few for Y, and not for a prediction
            return
        fitted = [kind(**SHORT).fit(X, Y) for kind in (ours, theirs)]
        assert words(lambda: fitted[0].predict(change(X))) == words(lambda: fitted[1].predict(change(X)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_targets_that_are_not_finite_are_refused_in_the_same_words(bad):
    y = np.where(np.arange(len(Y)) == 3, bad, Y)
    for ours, theirs in ((MLPClassifier, Theirs), (MLPRegressor, TheirRegressor)):
        expected = words(lambda theirs=theirs: theirs(**SHORT).fit(X, y))
        assert words(lambda ours=ours: ours(**SHORT).fit(X, y)) == expected


def test_however_rows_come_the_bits_are_the_same():
    pandas = pytest.importorskip("pandas")
    want = MLPClassifier(**SHORT).fit(X, Y).predict_proba(X)
    wide = np.zeros((len(X), 8))
    wide[:, ::2] = X
    for x in (X.tolist(), np.asfortranarray(X), wide[:, ::2], X[::-1].copy()[::-1], X.astype(">f8")):
        classifier = MLPClassifier(**SHORT).fit(x, Y)
        assert classifier.n_features_in_ == 4
        np.testing.assert_array_equal(classifier.predict_proba(x), want)
    texts = np.array(list("abc"))[Y]
    for y in (Y.tolist(), Y.astype(np.uint8), Y.astype(float), Y[::-1].copy()[::-1], texts):
        classifier = MLPClassifier(**SHORT).fit(X, y)
        np.testing.assert_array_equal(classifier.predict_proba(X), want)
        np.testing.assert_array_equal(classifier.classes_, np.unique(y))
        assert classifier.predict(X).dtype == np.asarray(y).dtype

    frame = pandas.DataFrame(X, columns=list("abcd"))
    classifier = MLPClassifier(**SHORT).fit(frame, Y)
    assert classifier.feature_names_in_.tolist() == list("abcd")
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(classifier.predict_proba(X), want)
    classifier.fit(X, Y)
    assert not hasattr(classifier, "feature_names_in_")
    with pytest.warns(UserWarning, match="was fitted without feature names"):
        classifier.predict(frame)


def test_numbers_of_features_are_checked_on_every_way():
    classifier = MLPClassifier(**SHORT).fit(X, Y)
    for x in (X[:, :3].copy(), X[:, :3].tolist(), X[:, :3]):
        with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 4 features"):
            classifier.predict(x)
        with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 4 features"):
            classifier.partial_fit(x, Y)


# ---- what is kept from one fit to the next


class FitsAnother(lm.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        MLPClassifier((3,), **SHORT).fit(X, Y)


def test_a_fit_within_a_fit_takes_no_random_numbers_from_it():
    options = {"random_state": 5, "max_iter": 3, "early_stopping": True}
    alone = MLPClassifier((6,), **options).fit(X, Y)
    around = MLPClassifier((6,), callbacks=[FitsAnother()], **options).fit(X, Y)
    np.testing.assert_array_equal(alone.coefs_[0], around.coefs_[0])


def test_threads_that_fit_at_once_get_what_each_would_alone():
    seeds = range(8)
    want = [MLPClassifier((6,), max_iter=3, random_state=seed).fit(X, Y).coefs_[0] for seed in seeds]
    got = {}

    def fit(seed):
        got[seed] = MLPClassifier((6,), max_iter=3, random_state=seed).fit(X, Y).coefs_[0]

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in seeds:
        np.testing.assert_array_equal(got[seed], want[seed])


def test_seeds_are_those_of_numpy():
    def first_weight(seed):
        still = {"max_iter": 1, "solver": "sgd", "learning_rate_init": 1e-30}
        return MLPClassifier((2,), random_state=seed, **still).fit(X, Y)

    for seed in (0, 7, np.int64(7), np.uint8(7), 2**32 - 1):
        bound = np.sqrt(6 / (4 + 2))
        want = np.random.RandomState(seed).uniform(-bound, bound, (4, 2)).astype(np.float32)
        np.testing.assert_array_equal(first_weight(seed).coefs_[0], want)
    for seed in (-1, 2**32, "1", 1.5, True, np.random):
        with pytest.raises(lm.ArgumentError, match="expected random_state to be"):
            first_weight(seed)


def test_a_value_that_passed_lets_no_equal_one_of_another_type_pass():
    pairs = {"alpha": (1, True), "max_iter": (1, 1.0), "shuffle": (True, 1), "tol": (0, False)}
    for name, (good, bad) in pairs.items():
        MLPClassifier(**{**SHORT, name: good}).fit(X, Y)
        with pytest.raises(ValueError, match=f"expected {name} to be"):
            MLPClassifier(**{**SHORT, name: bad}).fit(X, Y)
    MLPClassifier(**SHORT).fit(X, Y)


def test_models_of_one_architecture_share_no_weights_and_no_flags():
    first = MLPClassifier(**SHORT).fit(X, Y)
    first.model_.layers[0].trainable = False
    first.model_.metadata["of"] = "the first"
    first.coefs_[0][:] = 7
    second = MLPClassifier(**SHORT).fit(X, Y)
    assert second.model_.layers[0].trainable
    assert second.model_.metadata == {}
    assert not (second.coefs_[0] == 7).any()
    assert (first.coefs_[0] == 7).all()


# ---- what is refused changes nothing


def test_no_parameter_may_be_none_whatever_was_fitted_before(monkeypatch):
    from lamina.sklearn import _parameters

    monkeypatch.setattr(_parameters, "_passed", {})
    none_is_allowed = {"random_state", "callbacks", "class_weight"}
    for name in set(MLPClassifier().get_params()) - none_is_allowed:
        with pytest.raises(lm.ArgumentError):
            MLPClassifier(**{**SHORT, name: None}).fit(X, Y)
    for name in ("alpha", "l1", "tol", "power_t", "learning_rate_init", "epsilon"):
        with pytest.raises(lm.ArgumentError, match=f"expected {name} to be"):
            MLPClassifier(**{**SHORT, name: np.inf}).fit(X, Y)


@pytest.mark.parametrize(
    "refused",
    [
        lambda c: c.set_params(random_state=-1).fit(X[:, :2], Y),
        lambda c: c.set_params(random_state="7").fit(X, np.array(list("abc"))[Y]),
        lambda c: c.set_params(random_state=np.random).fit(X, Y),
        lambda c: c.fit(X[:, :2], Y, sample_weight=[1.0]),
        lambda c: c.fit(X[:, :2], Y + 5, validation_data=(X, Y)),
        lambda c: c.fit(X[:, :2], np.where(Y > 0, np.nan, 1.0)),
    ],
)
def test_a_refused_fit_leaves_what_was_fitted(refused):
    classifier = MLPClassifier(**SHORT).fit(X, Y)
    want = classifier.predict_proba(X)
    with pytest.raises(ValueError, match=r"."):
        refused(classifier)
    np.testing.assert_array_equal(classifier.predict_proba(X), want)
    np.testing.assert_array_equal(classifier.classes_, np.unique(Y))
    assert classifier.n_features_in_ == 4
    classifier.set_params(random_state=0).partial_fit(X, Y)


def test_a_frozen_layer_stays_frozen_when_a_warm_start_changes_a_penalty():
    regressor = MLPRegressor(hidden_layer_sizes=(8,), warm_start=True, **SHORT).fit(X, Y)
    regressor.model_.layers[0].trainable = False
    before = [kernel.copy() for kernel in regressor.coefs_]
    regressor.set_params(alpha=0.5).fit(X, Y)
    np.testing.assert_array_equal(regressor.coefs_[0], before[0])
    assert (regressor.coefs_[1] != before[1]).any()


def test_all_flags_stay_when_a_warm_start_changes_dropout():
    classifier = MLPClassifier((8,), batch_norm=True, warm_start=True, **SHORT).fit(X, Y)
    _, normalization, _, last = classifier.model_.layers
    normalization.trainable = last.trainable = False
    classifier.set_params(dropout=0.1).fit(X, Y)
    assert [layer.trainable for layer in classifier.model_.layers if layer.count_params()] == [
        True,
        False,
        False,
    ]


def test_large_networks_leave_no_template_behind():
    from lamina.sklearn import _network

    _network._template.cache_clear()
    MLPClassifier((300, 300), max_iter=1).fit(X, Y)
    assert _network._template.cache_info().currsize == 0
    MLPClassifier((10,), max_iter=1).fit(X, Y)
    assert _network._template.cache_info().currsize == 1


@pytest.mark.parametrize("y", [np.array(["1", "2.5"]), np.array(["2020", "2021"], "M8[Y]")])
def test_numbers_to_predict_must_be_numbers(y):
    with pytest.raises(lm.DTypeError, match="expected y to be numbers"):
        MLPRegressor(**SHORT).fit(X[:40], np.tile(y, 20))


def test_the_order_of_bytes_is_the_machines_in_what_comes_out():
    for dtype in (">i8", ">u2", ">f8", ">U2"):
        classifier = MLPClassifier(**SHORT).fit(X, Y.astype(dtype))
        assert classifier.classes_.dtype.isnative
        assert classifier.predict(X).dtype.isnative
    single = MLPClassifier(**SHORT).fit(X.astype(np.float32), Y)
    assert single.predict_proba(X.astype(">f4")).dtype == np.float32


def test_weights_must_weigh_something_together():
    with pytest.raises(lm.DataError, match="a sum above 0, got a sum of -150"):
        MLPClassifier(solver="lbfgs", **SHORT).fit(X, Y, sample_weight=-np.ones(150))
