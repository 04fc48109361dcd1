"""lamina.sklearn against scikit-learn: its own checks, and its perceptrons trained beside ours.

Initial weights and the split for early stopping come from the same random numbers, so without shuffling the
whole training must agree, but for float32.
"""

import inspect
import warnings

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

import lamina.sklearn

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

IRIS = (scale(load_iris().data), load_iris().target)
CANCER = (scale(load_breast_cancer().data), load_breast_cancer().target)
DIABETES = (scale(load_diabetes().data), scale(load_diabetes().target))
TWO = (DIABETES[0], np.c_[DIABETES[1], np.abs(DIABETES[1])])
COUNTS = (DIABETES[0], np.round(np.exp(DIABETES[1])))
LABELS = make_multilabel_classification(200, random_state=0)
LABELS = (scale(LABELS[0]), LABELS[1])
WEIGHTS = np.random.RandomState(0).uniform(0.1, 3, 600)


def both(kind, data, weights=None, **parameters):
    parameters = {"random_state": 3, "max_iter": 20, "shuffle": False, **parameters}
    weights = {} if weights is None else {"sample_weight": weights[: len(data[0])]}
    return [
        getattr(module, kind)(**parameters).fit(*data, **weights)
        for module in (neural_network, lamina.sklearn)
    ]


def outputs(estimator, x):
    return estimator.predict_proba(x) if hasattr(estimator, "predict_proba") else estimator.predict(x)


def assert_same(theirs, ours, data, loss=2e-6, weights=2e-5):
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=loss)
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=loss)
    for a, b in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(a, b, atol=weights)
    np.testing.assert_allclose(outputs(ours, data[0]), outputs(theirs, data[0]), atol=weights)
    if theirs.best_loss_ is None:
        np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, atol=1e-6)
        np.testing.assert_allclose(ours.best_validation_score_, theirs.best_validation_score_, atol=1e-6)
        assert ours.best_loss_ is None
    else:
        np.testing.assert_allclose(ours.best_loss_, theirs.best_loss_, rtol=loss)
        assert ours.validation_scores_ is None
        assert ours.best_validation_score_ is None


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_every_check_of_scikit_learn_passes(name):
    results = check_estimator(getattr(lamina.sklearn, name)(), on_fail=None, on_skip=None)
    theirs = {check.func.__name__ for _, check in estimator_checks_generator(getattr(neural_network, name)())}
    assert len(theirs) > 50
    assert theirs <= {result["check_name"] for result in results}
    assert {
        r["check_name"]: r["exception"] for r in results if r["status"] not in ("passed", "skipped")
    } == {}


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_parameters_defaults_and_methods_are_scikit_learns(name):
    theirs, ours = getattr(neural_network, name), getattr(lamina.sklearn, name)
    their_parameters = inspect.signature(theirs).parameters
    our_parameters = inspect.signature(ours).parameters
    for parameter in their_parameters.values():
        assert our_parameters[parameter.name].default == parameter.default
        assert our_parameters[parameter.name].kind == parameter.kind
    positional = [p.name for p in their_parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert list(our_parameters)[: len(positional)] == positional
    for method in ("fit", "partial_fit", "predict", "predict_proba", "predict_log_proba", "score"):
        if not hasattr(theirs, method):
            assert not hasattr(ours, method)
            continue
        wanted = list(inspect.signature(getattr(theirs, method)).parameters)
        assert list(inspect.signature(getattr(ours, method)).parameters)[: len(wanted)] == wanted


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"batch_size": 32},  # a last batch of 22, whose penalty is larger
        {"batch_size": 32, "alpha": 1.0},
        {"batch_size": 32, "solver": "sgd", "learning_rate_init": 0.05},
        {"batch_size": 32, "solver": "sgd", "learning_rate_init": 0.05, "nesterovs_momentum": False},
        {"batch_size": 32, "solver": "sgd", "learning_rate_init": 0.05, "momentum": 0.0},
        {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5, "power_t": 0.2},
        {
            "solver": "sgd",
            "batch_size": 32,
            "learning_rate": "adaptive",
            "learning_rate_init": 0.5,
            "max_iter": 100,
            "n_iter_no_change": 2,
            "tol": 0.01,
        },
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
        {"hidden_layer_sizes": ()},
        {"hidden_layer_sizes": [8, 7], "activation": "tanh"},
        {"activation": "logistic"},
        {"activation": "identity", "hidden_layer_sizes": 5},
        {"max_iter": 400, "tol": 1e-3},
        {"early_stopping": True, "n_iter_no_change": 3, "max_iter": 100},
    ],
    ids=str,
)
def test_classifier_trains_as_scikit_learns(parameters):
    theirs, ours = both("MLPClassifier", IRIS, **parameters)
    assert_same(theirs, ours, IRIS)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    assert not [name for name in dir(theirs) if name[0] != "_" == name[-1] and not hasattr(ours, name)]


@pytest.mark.parametrize(
    ("kind", "data", "weights", "parameters"),
    [
        ("MLPClassifier", CANCER, None, {}),
        ("MLPClassifier", CANCER, WEIGHTS, {"alpha": 1.0, "batch_size": 100}),
        ("MLPClassifier", CANCER, None, {"early_stopping": True, "n_iter_no_change": 2}),
        ("MLPClassifier", CANCER, WEIGHTS, {"early_stopping": True, "validation_fraction": 0.3}),
        ("MLPClassifier", LABELS, None, {"alpha": 1.0}),
        ("MLPClassifier", LABELS, WEIGHTS, {"alpha": 1.0, "solver": "sgd", "early_stopping": True}),
        ("MLPRegressor", DIABETES, None, {}),
        ("MLPRegressor", DIABETES, WEIGHTS, {"alpha": 1.0, "solver": "sgd"}),
        ("MLPRegressor", DIABETES, WEIGHTS, {"early_stopping": True}),
        ("MLPRegressor", COUNTS, None, {"loss": "poisson", "alpha": 0.1}),
    ],
)
def test_other_targets_train_as_scikit_learns(kind, data, weights, parameters):
    assert_same(*both(kind, data, weights, **parameters), data)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_several_outputs_train_as_scikit_learns(solver):
    theirs, ours = both("MLPRegressor", TWO, alpha=1.0, solver=solver, early_stopping=True)
    # the penalty within the reported loss is that at the epoch's end
    assert_same(theirs, ours, TWO, loss=2e-3)


def test_lbfgs_reaches_scikit_learns_optimum():
    # a convex problem: without hidden layers
    for kind, data in (("MLPClassifier", CANCER), ("MLPRegressor", DIABETES)):
        theirs, ours = both(
            kind, data, solver="lbfgs", hidden_layer_sizes=(), alpha=10.0, max_iter=2000, tol=1e-5
        )
        np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-5)
        np.testing.assert_allclose(outputs(ours, data[0]), outputs(theirs, data[0]), atol=2e-3)
        assert not hasattr(ours, "loss_curve_")
        assert not hasattr(ours, "partial_fit")
        assert ours.t_ == 0


def test_lbfgs_with_weights_fits_what_scikit_learns_does():
    theirs, ours = both(
        "MLPClassifier", CANCER, WEIGHTS, solver="lbfgs", hidden_layer_sizes=(), alpha=1.0, max_iter=2000
    )
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-4)


def test_lbfgs_heeds_max_fun_and_max_iter():
    for limit in ({"max_fun": 5}, {"max_iter": 3}):
        with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
            fitted = lamina.sklearn.MLPClassifier(solver="lbfgs", tol=0, random_state=0, **limit).fit(*CANCER)
        assert fitted.n_iter_ <= 5


def test_partial_fit_goes_on_as_scikit_learns():
    x, y = IRIS
    fitted = []
    for module in (neural_network, lamina.sklearn):
        estimator = module.MLPClassifier(random_state=1, shuffle=False, batch_size=20, alpha=1.0)
        for start in (0, 50, 100, 0):  # one class at a time
            estimator.partial_fit(x[start : start + 50], y[start : start + 50], classes=[0, 1, 2])
        fitted.append(estimator)
    assert_same(*fitted, IRIS)
    assert fitted[1].n_iter_ == 1
    with pytest.raises(ValueError, match=r"not in `self\.classes_`"):
        fitted[1].partial_fit(x[:2], [0, 7])
    with pytest.raises(ValueError, match="not the same as on last call"):
        fitted[1].partial_fit(x, y, classes=[0, 1])
    with pytest.raises(ValueError, match="first call"):
        lamina.sklearn.MLPClassifier().partial_fit(x, y)
    with pytest.raises(ValueError, match="early_stopping"):
        lamina.sklearn.MLPRegressor(early_stopping=True).partial_fit(x, y)


def test_warm_start_goes_on_as_scikit_learns():
    fitted = []
    for module in (neural_network, lamina.sklearn):
        estimator = module.MLPClassifier(random_state=1, shuffle=False, max_iter=5, warm_start=True)
        estimator.fit(*IRIS).set_params(alpha=2.0).fit(*IRIS)  # from new moments of Adam
        fitted.append(estimator)
    assert_same(*fitted, IRIS)
    assert len(fitted[1].loss_curve_) == 10
    with pytest.raises(ValueError, match="same classes"):
        fitted[1].fit(IRIS[0], np.minimum(IRIS[1], 1))


def test_labels_come_back_as_they_were():
    x, y = IRIS
    words = np.array(["setosa", "versicolor", "virginica"], dtype=object)
    for targets in (words[y], words[np.minimum(y, 1)], y.astype(float), np.zeros(len(y), int) + 4):
        ours = lamina.sklearn.MLPClassifier(random_state=0, max_iter=5).fit(x, targets)
        theirs = neural_network.MLPClassifier(random_state=0, max_iter=5).fit(x, targets)
        assert ours.predict(x).dtype == theirs.predict(x).dtype
        assert set(ours.predict(x)) <= set(targets)
        assert ours.predict_proba(x).shape == theirs.predict_proba(x).shape
        np.testing.assert_allclose(ours.predict_proba(x).sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(ours.predict_log_proba(x), np.log(ours.predict_proba(x)))


def test_multilabel_shapes_and_sparse_labels():
    from scipy.sparse import csr_matrix

    x, y = LABELS
    dense = lamina.sklearn.MLPClassifier(random_state=0, max_iter=30).fit(x, y)
    assert dense.predict_proba(x).shape == dense.predict(x).shape == y.shape
    assert set(np.unique(dense.predict(x))) == {0, 1}
    sparse = lamina.sklearn.MLPClassifier(random_state=0, max_iter=30).fit(x, csr_matrix(y))
    np.testing.assert_array_equal(sparse.predict(x).toarray(), dense.predict(x))
    partly = lamina.sklearn.MLPClassifier(random_state=0).partial_fit(x, y, classes=range(y.shape[1]))
    assert partly.predict(x).shape == y.shape


def test_float32_stays_float32_and_names_are_kept():
    pandas = pytest.importorskip("pandas")
    x, y = DIABETES
    single = lamina.sklearn.MLPRegressor(max_iter=2).fit(x.astype(np.float32), y)
    assert single.predict(x.astype(np.float32)).dtype == np.float32
    assert single.predict(x).dtype == np.float64
    named = lamina.sklearn.MLPRegressor(max_iter=2).fit(pandas.DataFrame(x, columns=list("abcdefghij")), y)
    assert list(named.feature_names_in_) == list("abcdefghij")


def test_verbose_tells_what_scikit_learn_tells(capsys):
    said = []
    for module in (neural_network, lamina.sklearn):
        module.MLPClassifier(
            random_state=1, shuffle=False, max_iter=60, n_iter_no_change=2, early_stopping=True, verbose=True
        ).fit(*IRIS)
        said.append(capsys.readouterr().out)
    assert said[0].splitlines()[-1] == said[1].splitlines()[-1]
    numbers = [[float(line.split()[-1]) for line in text.splitlines()[:-1]] for text in said]
    np.testing.assert_allclose(*numbers, rtol=1e-5)


def test_a_seed_gives_the_same_bits_whatever_the_threads():
    x, y = CANCER
    fits = []
    for threads in (1, 2):
        lamina.set_num_threads(threads)
        fits.append(lamina.sklearn.MLPClassifier(random_state=5, max_iter=5, batch_size=50).fit(x, y))
    np.testing.assert_array_equal(fits[0].coefs_[0], fits[1].coefs_[0])
    other = lamina.sklearn.MLPClassifier(random_state=6, max_iter=5, batch_size=50).fit(x, y)
    assert np.abs(other.coefs_[0] - fits[0].coefs_[0]).max() > 0.01


def test_order_repetition_and_weights_of_rows_change_no_bit_of_a_full_batch():
    x, y = IRIS[0][:60], IRIS[1][30:90]
    counts = np.random.RandomState(0).randint(0, 4, 60)
    twice = np.repeat(np.arange(60), counts)
    order = np.random.RandomState(1).permutation(twice)
    for kind in ("MLPClassifier", "MLPRegressor"):
        make = lambda kind=kind: getattr(lamina.sklearn, kind)(random_state=0, max_iter=30)  # noqa: E731
        weighted = make().fit(x, y, sample_weight=counts)
        for rows in (twice, order):
            repeated = make().fit(x[rows], y[rows])
            np.testing.assert_array_equal(outputs(weighted, x), outputs(repeated, x))


def test_what_is_clipped_or_ended_early_is_told():
    x, y = IRIS
    with pytest.warns(UserWarning, match="clipped"):
        lamina.sklearn.MLPClassifier(batch_size=1000, max_iter=2).fit(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning, match="Maximum iterations"):
            lamina.sklearn.MLPClassifier(max_iter=2).fit(x, y)
        lamina.sklearn.MLPClassifier(max_iter=100, tol=1.0, n_iter_no_change=3).fit(x, y)
    with pytest.raises(ValueError, match="validation set is too small"):
        lamina.sklearn.MLPRegressor(early_stopping=True, validation_fraction=0.005).fit(x, y)


def test_weights_that_overflow_are_an_error():
    x, y = DIABETES
    with (
        pytest.warns(lamina.NumericalWarning),
        pytest.raises(ValueError, match="non-finite parameter weights"),
    ):
        lamina.sklearn.MLPRegressor(
            solver="sgd", learning_rate_init=1e10, activation="identity", max_iter=50
        ).fit(1e6 * x, y)
    with pytest.raises(ValueError, match="inf"):
        lamina.sklearn.MLPRegressor().fit(1e300 * x, y)


def test_lbfgs_without_hidden_layers_is_ridge_regression_for_several_outputs():
    x, y = TWO
    fitted = lamina.sklearn.MLPRegressor(
        solver="lbfgs", hidden_layer_sizes=(), alpha=20.0, tol=1e-6, max_iter=2000, random_state=0
    ).fit(x, y)
    ridge = Ridge(alpha=20.0).fit(x, y)
    np.testing.assert_allclose(fitted.coefs_[0], ridge.coef_.T, atol=2e-3)
    np.testing.assert_allclose(fitted.intercepts_[0], ridge.intercept_, atol=2e-3)
    errors = ((ridge.predict(x) - y) ** 2).mean()
    penalty = 10.0 * (ridge.coef_**2).sum() / len(x)
    np.testing.assert_allclose(fitted.loss_, errors / 2 + penalty, rtol=1e-4)


def test_confident_probabilities_keep_their_small_part():
    theirs, ours = both("MLPClassifier", CANCER, max_iter=2, hidden_layer_sizes=())
    logits = np.linspace(-600, 600, 41)[:, None]
    for estimator in (theirs, ours):
        estimator.coefs_ = [np.eye(30, 1)]
        estimator.intercepts_ = [np.zeros(1)]
    rows = np.hstack([logits, np.zeros((41, 29))])
    np.testing.assert_allclose(ours.predict_proba(rows), theirs.predict_proba(rows), rtol=1e-12, atol=0)
