"""lamina.sklearn within scikit-learn: pipelines, searches, calibration, worker processes, pickles."""

import copy
import io
import multiprocessing
import os
import pickle
import subprocess
import sys
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import BaggingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import lamina as lm
from lamina.sklearn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_iris(return_X_y=True)
XD, YD = scale(load_diabetes().data), scale(load_diabetes().target)


def threads_after_a_fit():
    """What a worker computes with; runs in worker processes."""
    estimator = MLPClassifier(max_iter=2, random_state=0)
    return os.getpid(), lm.get_num_threads(), estimator.fit(X, Y).coefs_[0], lm.get_num_threads()


def test_search_over_a_pipeline_in_two_processes():
    pipeline = make_pipeline(
        StandardScaler(), MLPClassifier(max_iter=60, learning_rate_init=0.01, random_state=0)
    )
    grid = {
        "mlpclassifier__solver": ["adam", "lbfgs", lm.optimizers.RMSprop(0.01)],
    }
    searches = [GridSearchCV(pipeline, grid, cv=3, n_jobs=jobs).fit(X, Y) for jobs in (1, 2)]
    np.testing.assert_array_equal(*[search.cv_results_["mean_test_score"] for search in searches])
    assert searches[1].best_score_ > 0.93
    assert searches[1].best_estimator_[-1].model_.predict(scale(X)).shape == (150, 3)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of fork beside threads, from 3.12 on
@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_workers_take_their_share_of_the_threads(backend, monkeypatch):
    for name in ("OMP_NUM_THREADS", "LAMINA_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    here = threads_after_a_fit()
    results = joblib.Parallel(n_jobs=2, backend=backend)(
        joblib.delayed(threads_after_a_fit)() for _ in range(4)
    )
    share = max(1, joblib.cpu_count() // 2) if backend == "loky" else 1
    for pid, _, weights, after in results:
        assert pid != os.getpid()
        assert after == min(share, here[1])
        np.testing.assert_array_equal(weights, here[2])
    assert lm.get_num_threads() == here[1]  # this process is no worker


@pytest.mark.parametrize(
    ("variables", "daemon", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, False, 3),  # what inner_max_num_threads=3 sets
        ({"OMP_NUM_THREADS": "16"}, False, 8),  # never more than before
        ({"OMP_NUM_THREADS": "3", "LAMINA_NUM_THREADS": "8"}, False, 8),
        ({"OMP_NUM_THREADS": "4,2"}, True, 1),  # a list for nested regions says nothing
        ({}, True, 1),
        ({}, False, 8),  # a process of the user's own
    ],
)
def test_workers_heed_what_they_are_told(variables, daemon, expected, monkeypatch):
    for name in ("OMP_NUM_THREADS", "LAMINA_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    monkeypatch.setattr(multiprocessing, "current_process", lambda: SimpleNamespace(daemon=daemon))
    lm.set_num_threads(8)
    MLPRegressor(max_iter=1).fit([[0.0], [1.0]], [0.0, 1.0])
    assert lm.get_num_threads() == expected


def test_scores_calibration_and_ensembles():
    x, y = scale(load_breast_cancer().data), load_breast_cancer().target
    estimator = MLPClassifier((16,), max_iter=40, learning_rate_init=0.01, random_state=0)
    assert cross_val_score(estimator, x, y, cv=3).mean() > 0.94
    calibrated = CalibratedClassifierCV(estimator, cv=3).fit(x[:400], y[:400])
    assert log_loss(y[400:], calibrated.predict_proba(x[400:])) < 0.3
    assert BaggingClassifier(estimator, 3, random_state=0).fit(x, y).score(x, y) > 0.94
    predicted = cross_val_predict(MLPRegressor(max_iter=100, random_state=0), XD, YD, cv=3)
    assert np.corrcoef(predicted, YD)[0, 1] > 0.5


def test_clone_is_unfitted_with_the_same_parameters():
    estimator = MLPClassifier(
        (5, 4),
        solver=lm.optimizers.Adam(0.01),
        dropout=[0.1, 0.2],
        learning_rate=lm.schedules.CosineDecay(0.1, 9),
    )
    copied = clone(estimator.fit(X, Y))
    assert repr(copied) == repr(estimator)
    assert not hasattr(copied, "classes_")
    assert not hasattr(copied, "coefs_")


class Cubic(lm.losses.Loss):
    def value_and_gradient(self, y_true, y_pred):
        error = y_pred - y_true
        return (np.abs(error) ** 3).mean(axis=1), 3 * error * np.abs(error) / error.shape[1]


def falling(step):
    return 0.01 / (step + 1)


ESTIMATORS = [
    MLPClassifier(max_iter=5, random_state=0),
    MLPClassifier(max_iter=5, random_state=0, early_stopping=True, dropout=0.1, batch_norm=True),
    MLPClassifier(max_iter=5, random_state=0, solver="lbfgs"),
    MLPClassifier(max_iter=5, solver=lm.optimizers.RMSprop(0.01), loss=lm.losses.CategoricalCrossentropy()),
    MLPRegressor(max_iter=5, random_state=0, loss="poisson"),
    MLPRegressor(max_iter=5, random_state=0, loss=Cubic(), learning_rate=falling, solver="sgd"),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
def test_fitted_estimators_survive_pickle_joblib_and_copy(estimator, tmp_path):
    estimator = clone(estimator).fit(X, Y)
    joblib.dump(estimator, tmp_path / "estimator.joblib")
    copies = [
        pickle.loads(pickle.dumps(estimator)),
        joblib.load(tmp_path / "estimator.joblib"),
        copy.deepcopy(estimator),
    ]
    for other in copies:
        np.testing.assert_array_equal(other.predict(X), estimator.predict(X))
        assert other.loss_ == estimator.loss_
        assert other.n_iter_ == estimator.n_iter_
        np.testing.assert_array_equal(other.intercepts_[0], estimator.intercepts_[0])
    assert not hasattr(pickle.loads(pickle.dumps(clone(estimator))), "model_")


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_training_goes_on_after_a_pickle_as_if_it_had_not_been_there(solver):
    straight = MLPClassifier(solver=solver, random_state=0, dropout=0.2, batch_size=40, alpha=1.0)
    packed = clone(straight)
    for _ in range(3):
        straight.partial_fit(X, Y, classes=[0, 1, 2])
        packed = pickle.loads(pickle.dumps(packed.partial_fit(X, Y, classes=[0, 1, 2])))
    for a, b in zip(straight.coefs_, packed.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert straight.loss_curve_ == packed.loss_curve_


class Recorder(pickle.Unpickler):
    """Notes everything that a pickle asks for by name."""

    asked: set

    def find_class(self, module, name):
        self.asked.add((module, name))
        return super().find_class(module, name)


def test_the_state_is_the_bytes_of_a_safetensors_file():
    from safetensors.numpy import load

    estimator = MLPClassifier((6,), max_iter=3, random_state=0).fit(X, Y)
    tensors = load(estimator.__getstate__()["_file"])
    np.testing.assert_array_equal(tensors["dense/kernel"], estimator.coefs_[0])
    np.testing.assert_array_equal(tensors["dense_1/bias"], estimator.intercepts_[1])
    unpickler = Recorder(io.BytesIO(pickle.dumps(estimator)))
    unpickler.asked = set()
    unpickler.load()
    ours = {name for module, name in unpickler.asked if module.startswith("lamina")}
    # plain records and classes of lamina; what runs are their constructors
    assert ours <= {
        "MLPClassifier",
        "Labels",
        "Objective",
        "Architecture",
        "SparseCategoricalCrossentropy",
        "_remake",
    }


def test_a_hostile_state_runs_nothing_and_is_an_error(tmp_path):
    estimator = MLPClassifier((6,), max_iter=3, random_state=0).fit(X, Y)
    state = estimator.__getstate__()
    mark = tmp_path / "mark"

    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(mark),)

    file = state["_file"]
    hostile = [
        pickle.dumps(Bomb()),  # a pickle within the pickle must stay bytes
        b"",
        file[:100],
        file[:-4],
        file[:-4] + b"\xff\xff\xff\x7f",
        (2**62).to_bytes(8, "little") + file[8:],
        file.replace(b"Dense", b"Dunce"),
        file.replace(b"Adam", b"os.x"),
        "model.safetensors",
        str(tmp_path),
        {"file": file},
    ]
    for bad in hostile:
        for is_checkpoint in (True, False, "yes"):
            fresh = MLPClassifier.__new__(MLPClassifier)
            with pytest.raises((lm.FormatError, lm.ArgumentError)):
                fresh.__setstate__({**state, "_file": bad, "_is_checkpoint": is_checkpoint})
    for name in ("_objective", "_architecture"):
        fresh = MLPClassifier.__new__(MLPClassifier)
        with pytest.raises(lm.FormatError, match="damaged"):
            fresh.__setstate__({**state, name: {"loss": "os.system"}})
    assert not mark.exists()
    whole = MLPClassifier.__new__(MLPClassifier)
    whole.__setstate__(state)
    np.testing.assert_array_equal(whole.predict(X), estimator.predict(X))


def test_lamina_does_not_import_scikit_learn_and_says_what_is_missing():
    code = (
        "import sys, lamina\n"
        "assert not {'sklearn', 'scipy', 'lamina.sklearn'} & set(sys.modules)\n"
        "sys.modules['sklearn'] = None\n"
        "try:\n    import lamina.sklearn\nexcept ImportError as error:\n    print(error)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "lamina.sklearn needs scikit-learn: pip install 'lamina[sklearn]'.\n", (
        result.stderr
    )
