"""What lamina.sklearn has beyond scikit-learn: layers, losses, optimizers, callbacks, classes' weights."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, make_multilabel_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale
from sklearn.utils.class_weight import compute_sample_weight

import lamina as lm
from lamina.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = scale(load_iris().data), load_iris().target
XD, YD = scale(load_diabetes().data), scale(load_diabetes().target)
XC, YC = scale(load_breast_cancer().data), load_breast_cancer().target


def test_model_is_a_lamina_model_that_predicts_the_same(tmp_path):
    fitted = MLPClassifier((8, 6), random_state=0, max_iter=30).fit(X, Y)
    fitted.model_.save(tmp_path / "iris.safetensors")
    loaded = lm.load_model(tmp_path / "iris.safetensors")
    np.testing.assert_allclose(loaded.predict(X), fitted.predict_proba(X), rtol=1e-5, atol=1e-7)
    assert [w.shape for w in fitted.coefs_] == [(4, 8), (8, 6), (6, 3)]
    by_hand = X
    for index, (w, b) in enumerate(zip(fitted.coefs_, fitted.intercepts_, strict=True)):
        by_hand = by_hand @ w.astype(float) + b
        by_hand = np.maximum(by_hand, 0) if index < 2 else by_hand
    np.testing.assert_array_equal(by_hand.argmax(axis=1), fitted.predict(X))


def test_coefficients_may_be_written():
    fitted = MLPRegressor(hidden_layer_sizes=(4,), random_state=0, max_iter=2).fit(XD, YD)
    fitted.coefs_[1][:] = 0
    fitted.intercepts_ = [fitted.intercepts_[0], np.array([2.5])]
    np.testing.assert_array_equal(fitted.predict(XD), np.full(len(YD), 2.5))
    with pytest.raises(lm.ShapeError, match="expected 2 arrays as coefs_, got 1"):
        fitted.coefs_ = [np.zeros((10, 4))]
    with pytest.raises(AttributeError, match="coefs_"):
        _ = MLPRegressor().coefs_


def test_layers_are_those_that_were_asked_for():
    fitted = MLPClassifier(
        (8, 7, 6),
        activation=["relu", "gelu", lm.activations.tanh],
        dropout=[0.1, 0, 0.3],
        batch_norm=True,
        max_iter=2,
    ).fit(X, Y)
    kinds = [type(layer).__name__ for layer in fitted.model_.layers]
    block = ["Dense", "BatchNormalization", "Activation"]
    assert kinds == [*block, "Dropout", *block, *block, "Dropout", "Dense"]
    names = [
        layer.activation.__name__ for layer in fitted.model_.layers if type(layer).__name__ == "Activation"
    ]
    assert names == ["relu", "gelu", "tanh"]
    assert fitted.n_layers_ == 5
    assert [layer.rate for layer in fitted.model_.layers if isinstance(layer, lm.Dropout)] == pytest.approx(
        [0.1, 0.3]
    )


def test_dropout_is_of_training_alone_and_batch_norm_learns():
    fitted = MLPClassifier((32,), dropout=0.5, random_state=0, max_iter=100).fit(X, Y)
    np.testing.assert_array_equal(fitted.predict_proba(X), fitted.predict_proba(X))
    assert fitted.score(X, Y) > 0.85
    normed = MLPClassifier((32,), batch_norm=True, random_state=0, max_iter=100, batch_size=30).fit(
        100 * X + 50, Y
    )
    assert normed.score(100 * X + 50, Y) > 0.9


def test_l1_makes_weights_zero():
    x = np.random.default_rng(0).normal(size=(300, 10))
    x = np.linalg.qr(x - x.mean(axis=0))[0] * np.sqrt(
        300
    )  # columns of mean 0 and variance 1, at right angles
    y = x[:, 0] - 2 * x[:, 1]
    plain = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", alpha=0, max_iter=500).fit(x, y)
    sparse = MLPRegressor(
        hidden_layer_sizes=(),
        alpha=0,
        l1=30.0,
        solver="sgd",
        momentum=0.0,
        learning_rate_init=0.05,
        batch_size=300,
        max_iter=500,
        tol=0,
    ).fit(x, y)
    # with such columns the optimum is each weight moved towards zero by l1 / n = 0.1
    np.testing.assert_allclose(sparse.coefs_[0][:2, 0], [0.9, -1.9], atol=0.01)
    assert np.abs(sparse.coefs_[0][2:]).max() < 0.01
    np.testing.assert_allclose(plain.coefs_[0][:2, 0], [1, -2], atol=1e-3)


@pytest.mark.parametrize(
    "loss",
    [
        "log_loss",
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
        "nll",
        "kl_divergence",
        "mse",
        "hinge",
        "squared_hinge",
        "binary_crossentropy",
        lm.losses.SparseCategoricalCrossentropy(from_logits=True),
        lm.losses.BinaryCrossentropy(from_logits=True),
        lm.losses.CategoricalCrossentropy(label_smoothing=0.1),
    ],
    ids=str,
)
@pytest.mark.parametrize("classes", [2, 3])
def test_losses_of_lamina_learn_classes(loss, classes):
    keep = classes - 1 >= Y
    x, y = X[keep], np.array(["a", "b", "c"])[Y[keep]]
    fitted = MLPClassifier((16,), loss=loss, max_iter=100, learning_rate_init=0.02, random_state=0)
    fitted.fit(x, y, validation_data=(x, y))
    assert fitted.score(x, y) > 0.85
    assert fitted.validation_scores_[-1] == fitted.score(x, y)
    if loss in ("hinge", "squared_hinge"):
        assert not hasattr(fitted, "predict_proba")
        return
    probabilities = fitted.predict_proba(x)
    assert probabilities.shape == (len(x), classes)
    np.testing.assert_array_equal(fitted.classes_[probabilities.argmax(axis=1)], fitted.predict(x))
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1


@pytest.mark.parametrize("loss", ["mae", "huber", "log_cosh", lm.losses.Huber(0.5), "poisson"], ids=str)
def test_losses_of_lamina_learn_numbers(loss):
    y = np.exp(YD) if loss == "poisson" else YD
    fitted = MLPRegressor(hidden_layer_sizes=(16,), loss=loss, max_iter=150, random_state=0).fit(XD, y)
    assert fitted.score(XD, y) > 0.4
    assert fitted.out_activation_ == ("exp" if loss == "poisson" else "identity")


def test_a_loss_of_ones_own():
    class Quartic(lm.losses.Loss):
        def value_and_gradient(self, y_true, y_pred):
            error = y_pred - y_true
            return (error**4).mean(axis=1), 4 * error**3 / y_pred.shape[1]

    fitted = MLPRegressor(hidden_layer_sizes=(8,), loss=Quartic(), max_iter=60, random_state=0).fit(XD, YD)
    assert fitted.loss_curve_[-1] < fitted.loss_curve_[0] / 2
    assert abs(fitted.loss_ - ((fitted.predict(XD) - YD) ** 4).mean()) < 0.1 * fitted.loss_ + 0.05


@pytest.mark.parametrize(
    "solver", ["rmsprop", "adamw", "nadam", "lion", lm.optimizers.Adam(0.01, global_clipnorm=1.0)], ids=str
)
def test_optimizers_of_lamina(solver):
    fitted = MLPClassifier((16,), solver=solver, learning_rate_init=0.01, max_iter=100, random_state=0).fit(
        X, Y
    )
    assert fitted.score(X, Y) > 0.9
    again = clone(fitted).fit(X, Y)
    np.testing.assert_array_equal(again.coefs_[0], fitted.coefs_[0])


def test_schedules_and_functions_of_the_step():
    schedule = lm.schedules.PiecewiseConstantDecay([3], [0.1, 0.0])
    frozen = MLPClassifier(
        (), learning_rate=schedule, solver="sgd", momentum=0.0, random_state=0, shuffle=False
    )
    three = clone(frozen).set_params(learning_rate="constant", learning_rate_init=0.1, max_iter=4).fit(X, Y)
    frozen.set_params(max_iter=10).fit(X, Y)  # a step an epoch: nothing moves after the fourth
    np.testing.assert_array_equal(frozen.coefs_[0], three.coefs_[0])
    slow = MLPClassifier(learning_rate=lambda step: 0.0, max_iter=3, random_state=0).fit(X, Y)
    assert slow.loss_curve_[0] == slow.loss_curve_[-1]


def test_class_weight_is_a_weight_of_rows():
    y = np.where(Y == 2, "b", "a")
    weights = {"a": 1.0, "b": 20.0}
    for given in (weights, "balanced"):
        own = MLPClassifier(class_weight=given, random_state=0, max_iter=30).fit(X, y)
        rows = MLPClassifier(random_state=0, max_iter=30).fit(
            X, y, sample_weight=compute_sample_weight(given, y)
        )
        np.testing.assert_allclose(own.predict_proba(X), rows.predict_proba(X), rtol=1e-6)
    both = MLPClassifier(class_weight=weights, random_state=0, max_iter=30).fit(X, y, sample_weight=1 + Y)
    rows = MLPClassifier(random_state=0, max_iter=30)
    rows.fit(X, y, sample_weight=compute_sample_weight(weights, y) * (1 + Y))
    np.testing.assert_allclose(both.predict_proba(X), rows.predict_proba(X), rtol=1e-6)
    with pytest.raises(ValueError, match="balanced"):
        MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=["a", "b"])


def test_validation_data_takes_the_place_of_a_split():
    x, x_val, y, y_val = train_test_split(XC, YC, random_state=0)
    watched = MLPClassifier(random_state=0, max_iter=10).fit(x, y, validation_data=(x_val, y_val))
    plain = MLPClassifier(random_state=0, max_iter=10).fit(x, y)
    np.testing.assert_array_equal(watched.coefs_[0], plain.coefs_[0])
    assert len(watched.validation_scores_) == 10
    assert watched.validation_scores_[-1] == watched.score(x_val, y_val)
    stopped = MLPClassifier(random_state=0, early_stopping=True, n_iter_no_change=3)
    stopped.fit(x, y, validation_data=(x_val, y_val, np.ones(len(y_val))))
    assert stopped.n_iter_ < 200
    assert stopped.score(x_val, y_val) == stopped.best_validation_score_ == max(stopped.validation_scores_)
    with pytest.raises(ValueError, match="expected validation_data to be"):
        plain.fit(x, y, validation_data=x_val)
    with pytest.raises(ValueError, match=r"not in `self\.classes_`"):
        plain.fit(x, y, validation_data=(x_val, y_val + 5))


def test_callbacks_see_every_epoch_and_may_stop(tmp_path):
    seen = []

    class Watch(lm.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(dict(logs))
            if epoch == 4:
                self.trainer.stop_training = True

    path = tmp_path / "log.csv"
    fitted = MLPRegressor(
        random_state=0, early_stopping=True, callbacks=[Watch(), lm.callbacks.CSVLogger(path)]
    )
    fitted.fit(XD, YD)
    assert fitted.n_iter_ == len(seen) == 5
    assert {"loss", "r2", "val_loss", "val_r2", "learning_rate"} <= set(seen[0])
    np.testing.assert_allclose([logs["val_r2"] for logs in seen], fitted.validation_scores_, atol=1e-5)
    assert len(path.read_text().splitlines()) == 6
    plateau = lm.callbacks.ReduceLROnPlateau("val_loss", factor=0.1, patience=0, min_delta=10.0)
    MLPClassifier(max_iter=5, callbacks=[plateau]).fit(X, Y, validation_data=(X, Y))


def test_large_sparse_features_are_read_batch_by_batch(monkeypatch):
    from scipy.sparse import csc_matrix, csr_matrix

    from lamina.sklearn import _rows

    dense = np.where(np.abs(XC) > 0.5, XC, 0)
    options = {"random_state": 0, "max_iter": 8, "batch_size": 100, "shuffle": False}
    wanted = MLPClassifier(**options).fit(dense, YC)
    for threshold in (1 << 26, 1000):
        monkeypatch.setattr(_rows, "_DENSE", threshold)
        for form in (csr_matrix, csc_matrix):
            got = MLPClassifier(**options).fit(form(dense), YC)
            np.testing.assert_allclose(got.predict_proba(form(dense)), wanted.predict_proba(dense), atol=1e-5)
    options["shuffle"] = True
    shuffled = MLPClassifier(**options, early_stopping=True).fit(csr_matrix(dense), YC, sample_weight=1 + YC)
    again = MLPClassifier(**options, early_stopping=True).fit(csr_matrix(dense), YC, sample_weight=1 + YC)
    np.testing.assert_array_equal(shuffled.coefs_[0], again.coefs_[0])
    assert shuffled.score(csr_matrix(dense), YC) > 0.9


def test_weights_of_zero_only_are_refused():
    with pytest.raises(lm.DataError, match="at least one row with a weight above 0"):
        MLPClassifier(class_weight=dict.fromkeys(range(3), 0.0)).fit(X, Y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": -1}, "MLPClassifier: expected alpha to be a number of at least 0, got -1."),
        ({"alpha": True}, "expected alpha to be a number"),
        ({"hidden_layer_sizes": (5, 0)}, "hidden_layer_sizes must be > 0"),
        ({"activation": "rely"}, "did you mean 'relu'"),
        ({"activation": ["relu"], "hidden_layer_sizes": (3, 3)}, "one for each of 2 hidden layers, got 1"),
        ({"dropout": 1.0}, "expected dropout"),
        ({"dropout": [0.1, 0.2]}, "expected dropout"),
        ({"dropout": 0.1, "solver": "lbfgs"}, "expected no dropout with solver='lbfgs'"),
        ({"batch_norm": True, "solver": "lbfgs"}, "expected no batch_norm with solver='lbfgs'"),
        ({"solver": "adm"}, "Unknown solver 'adm'; did you mean 'adam'?"),
        ({"solver": 3}, "expected solver"),
        ({"loss": "log_los"}, "Unknown loss 'log_los'; did you mean 'log_loss'?"),
        ({"loss": 3}, "expected loss"),
        ({"learning_rate": "falling"}, "expected learning_rate to be one of 'constant'"),
        ({"batch_size": "full"}, "expected batch_size"),
        ({"beta_1": 1.0}, "expected beta_1"),
        ({"max_iter": 0}, "expected max_iter"),
        ({"early_stopping": 1}, "expected early_stopping"),
        ({"n_iter_no_change": 2.5}, "expected n_iter_no_change"),
        ({"callbacks": [print]}, "expected callbacks"),
        ({"callbacks": lm.callbacks.TerminateOnNaN()}, "expected callbacks to be a list"),
    ],
)
def test_parameters_are_checked_at_fit_in_one_sentence(parameters, message):
    estimator = MLPClassifier(**parameters)
    with pytest.raises(ValueError, match=r"^[^\n]*$") as caught:
        estimator.fit(X, Y)
    assert message in str(caught.value)
    assert isinstance(caught.value, lm.LaminaError)
    assert "model_" not in vars(estimator)


def test_what_does_not_go_together_is_told():
    x, y = make_multilabel_classification(50, random_state=0)
    with pytest.raises(ValueError, match="loss of columns"):
        MLPClassifier(loss="sparse_categorical_crossentropy").fit(x, y)
    fitted = MLPClassifier((5,), warm_start=True, max_iter=2).fit(X, Y)
    with pytest.raises(ValueError, match="layers of the shapes that are fitted already"):
        fitted.set_params(hidden_layer_sizes=(6,)).fit(X, Y)


def test_ctrl_c_keeps_what_was_learned():
    class Interrupt(lm.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    estimator = MLPClassifier(random_state=0, callbacks=[Interrupt()])
    with pytest.warns(UserWarning, match="interrupted by user"):
        estimator.fit(X, Y)
    three = MLPClassifier(random_state=0, max_iter=3).fit(X, Y)
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 3
    np.testing.assert_allclose(estimator.predict_proba(X), three.predict_proba(X), atol=1e-5)
