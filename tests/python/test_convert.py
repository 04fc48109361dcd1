"""Converted models compute what the originals compute, to 1e-6 of the size of the outputs.

Tests skip where PyTorch, Keras or h5py is not installed; `bash tests/peers.sh` has them, and skips nothing.
"""

import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from helpers import peer

import lamina as lm

os.environ.setdefault("KERAS_BACKEND", "jax")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # theirs


def assert_agree(got, expected):
    expected = np.asarray(expected, np.float64)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= 1e-6 * max(1.0, np.abs(expected).max())


@pytest.fixture
def x(rng):
    return rng.normal(size=(40, 6)).astype(np.float32)


# ---- PyTorch


def settle(module, torch):
    """Random affine parameters and statistics, so that nothing is at its default."""
    random = torch.Generator().manual_seed(3)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            lowest = 0.2 if "var" in name else -0.6
            tensor.copy_(torch.empty_like(tensor).uniform_(lowest, 0.9, generator=random))
    return module.eval()


def outputs(module, x, torch):
    with torch.no_grad():
        return module(torch.from_numpy(x)).numpy()


TORCH_ACTIVATIONS = [
    "ReLU",
    "ReLU6",
    "LeakyReLU",
    "ELU",
    "SELU",
    "GELU",
    "SiLU",
    "Sigmoid",
    "Hardsigmoid",
    "Tanh",
    "Softplus",
    "Softsign",
    "Mish",
]


@pytest.mark.parametrize("name", TORCH_ACTIVATIONS)
def test_activations_from_and_to_torch(name, x):
    torch = peer("torch")
    nn = torch.nn
    module = settle(
        nn.Sequential(nn.Linear(6, 9), getattr(nn, name)(), nn.Linear(9, 3), getattr(nn, name)()), torch
    )
    model = lm.convert.from_torch(module)
    assert_agree(model.predict(x), outputs(module, x, torch))
    assert_agree(outputs(lm.convert.to_torch(model), x, torch), model.predict(x))


def test_everything_from_and_to_torch(x):
    torch = peer("torch")
    nn = torch.nn
    body = nn.Sequential(nn.Linear(6, 12, bias=False), nn.BatchNorm1d(12, eps=1e-3, momentum=0.2), nn.ReLU())
    module = nn.Sequential(
        body, nn.Dropout(0.3), nn.Identity(), nn.Unflatten(1, (3, 4)), nn.LayerNorm(4), nn.LeakyReLU(0.05),
        nn.Flatten(), nn.LayerNorm(12, bias=False), nn.ELU(0.5), nn.BatchNorm1d(12, affine=False),
        nn.Linear(12, 5), nn.LogSoftmax(dim=1),
    )  # fmt: skip
    settle(module, torch)
    model = lm.convert.from_torch(module)
    assert_agree(model.predict(x), outputs(module, x, torch))
    assert_agree(outputs(lm.convert.to_torch(model), x, torch), model.predict(x))
    norm = model.get_layer("batch_normalization")
    assert norm.momentum == pytest.approx(0.8)
    assert norm.epsilon == pytest.approx(1e-3)
    assert (
        model.layers[-1].activation is lm.activations.log_softmax
    )  # within the Dense, where a loss can fuse it
    assert len(model.layers) == 12


def test_a_model_from_torch_shares_no_memory(x):
    torch = peer("torch")
    module = settle(torch.nn.Sequential(torch.nn.Linear(6, 2)), torch).double()
    model = lm.convert.from_torch(module)
    before = outputs(module.float(), x, torch)
    with torch.no_grad():
        module[0].weight.zero_()
    assert_agree(model.predict(x), before)


def test_a_rescaling_is_folded_into_the_dense_behind_it(rng, x):
    torch = peer("torch")
    layers = [
        lm.Rescaling(0.5, 1.0),
        lm.Rescaling(2.0, -0.25),
        lm.Dropout(0.1),
        lm.Dense(4, "gelu"),
        lm.Dense(2),
    ]
    model = lm.Sequential([lm.Input((6,)), *layers], seed=0)
    model.flat_parameters[:] = rng.normal(size=model.flat_parameters.size)
    module = lm.convert.to_torch(model)
    assert_agree(outputs(module, x, torch), model.predict(x))
    for refused in ([lm.Rescaling(2.0)], [lm.Rescaling(2.0), lm.Activation("relu"), lm.Dense(1)]):
        with pytest.raises(lm.ArgumentError, match="expected a Dense behind Rescaling"):
            lm.convert.to_torch(lm.Sequential([lm.Input((6,)), *refused]))


def test_training_goes_on_in_torch(classes):
    torch = peer("torch")
    x, y = classes
    model = lm.Sequential([lm.Input((6,)), lm.Dense(16, "relu"), lm.Dense(3)], seed=1)
    trainer = lm.Trainer(
        model, lm.optimizers.SGD(0.1), lm.losses.SparseCategoricalCrossentropy(from_logits=True), seed=1
    )
    module = lm.convert.to_torch(model).train()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(5):
        trainer.train_on_batch(x, y)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(torch.from_numpy(x)), torch.from_numpy(y)).backward()
        optimizer.step()
    assert_agree(outputs(module, x, torch), model.predict(x))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda nn: nn.Sequential(nn.Linear(6, 2), nn.Conv1d(1, 1, 1)), "got Conv1d at '1'"),
        (lambda nn: nn.Sequential(nn.Linear(6, 2), nn.GELU(approximate="tanh")), "expected the exact GELU"),
        (lambda nn: nn.Sequential(nn.Linear(6, 2), nn.Softplus(beta=2)), "expected the exact Softplus"),
        (lambda nn: nn.Sequential(nn.Linear(6, 2), nn.Softplus(threshold=0.5)), "got threshold=0.5"),
        (lambda nn: nn.Sequential(nn.Linear(6, 2, device="meta")), "at '0', got one on the meta device"),
        (lambda nn: nn.BatchNorm1d(6, device="meta"), "meta device"),
        (lambda nn: nn.Linear(6, 2, dtype=peer("torch").complex64), "got one of torch.complex64"),
        (lambda nn: nn.Sequential(nn.Linear(6, 2), nn.Softmax(dim=0)), "expected dim=-1 or dim=1"),
        (lambda nn: nn.Sequential(nn.Linear(6, 4), nn.Unflatten(1, (2, 2)), nn.Softmax(1)), "one dimension"),
        (lambda nn: nn.BatchNorm1d(6, track_running_stats=False), "running statistics"),
        (lambda nn: nn.Sequential(nn.Flatten(), nn.ReLU()), "expected input_shape"),
        (lambda nn: "Linear", "got str"),
        (lambda nn: type("Own", (nn.Linear,), {})(2, 2), "got Own"),
    ],
)
def test_what_torch_has_and_lamina_has_not_is_an_error(build, message):
    nn = peer("torch").nn
    with pytest.raises(lm.ArgumentError, match=message.replace("(", r"\(")):
        lm.convert.from_torch(build(nn))


def test_a_torch_module_used_twice_is_kept_twice(x):
    torch = peer("torch")
    nn = torch.nn
    relu, square, inner = nn.ReLU(), nn.Linear(6, 6), nn.Sequential(nn.Linear(6, 6), nn.Tanh())
    for module, count in [
        (nn.Sequential(nn.Linear(6, 8), relu, nn.Linear(8, 3), relu), 2),
        (nn.Sequential(square, nn.Tanh(), square), 2),
        (nn.Sequential(inner, nn.Linear(6, 6), inner), 3),
    ]:
        settle(module, torch)
        model = lm.convert.from_torch(module)
        assert len(model.layers) == count
        assert_agree(model.predict(x), outputs(module, x, torch))


def doubled(module, inputs, output=None):
    return 2 * (inputs[0] if output is None else output)


def test_torch_modules_that_compute_more_than_their_class_are_refused():
    nn = peer("torch").nn
    for register, kind in [
        ("register_forward_hook", "forward hook"),
        ("register_forward_pre_hook", "forward pre-hook"),
    ]:
        inside, outside = nn.Sequential(nn.Linear(6, 2)), nn.Sequential(nn.Linear(6, 2))
        getattr(inside[0], register)(doubled)
        with pytest.raises(lm.ArgumentError, match=f"got Linear at '0' with the {kind} 'doubled'"):
            lm.convert.from_torch(inside)
        getattr(outside, register)(doubled)
        with pytest.raises(lm.ArgumentError, match=f"got Sequential with the {kind} 'doubled'"):
            lm.convert.from_torch(outside)
    linear = nn.Linear(6, 2)
    linear.forward = lambda x: -x
    with pytest.raises(lm.ArgumentError, match="a forward of its own"):
        lm.convert.from_torch(linear)


@pytest.mark.parametrize("shape", [3, "34", 2.5])
def test_an_input_shape_that_is_no_tuple(shape):
    nn = peer("torch").nn
    with pytest.raises(lm.ArgumentError, match="from_torch: expected input_shape to be a tuple"):
        lm.convert.from_torch(nn.Linear(3, 2), shape)


def test_flatten_takes_the_input_shape_it_is_given(rng):
    torch = peer("torch")
    module = settle(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 2)), torch)
    images = rng.normal(size=(5, 3, 4)).astype(np.float32)
    model = lm.convert.from_torch(module, input_shape=(3, 4))
    assert_agree(model.predict(images), outputs(module, images, torch))


@pytest.mark.parametrize("layer", [lm.GaussianNoise(0.1), lm.Activation("exponential")], ids=repr)
def test_what_torch_has_not_is_an_error(layer):
    peer("torch")
    with pytest.raises(lm.ArgumentError, match="PyTorch"):
        lm.convert.to_torch(lm.Sequential([lm.Input((3,)), type(layer).from_config(layer.get_config())]))


# ---- Keras


def keras_model(keras, activation="relu"):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Rescaling(0.5, 0.1),
            layers.Dense(12, activation=activation, kernel_regularizer="l2", name="first"),
            layers.BatchNormalization(momentum=0.9, epsilon=1e-2),
            layers.Dropout(0.3),
            layers.Reshape((3, 4)),
            layers.LayerNormalization(),
            layers.LeakyReLU(negative_slope=0.1),
            layers.Flatten(),
            layers.Dense(
                7, use_bias=False, kernel_constraint=keras.constraints.MaxNorm(3.0), trainable=False
            ),
            layers.BatchNormalization(scale=False),
            layers.ReLU(max_value=6.0),
            layers.ELU(alpha=0.5),
            layers.GaussianNoise(0.1),
            layers.Dense(4),
            layers.Softmax(),
        ]
    )
    rng = np.random.default_rng(1)
    model.set_weights(
        [rng.uniform(0.1, 1, weight.shape) - (weight.ndim == 2) for weight in model.get_weights()]
    )
    return model


@pytest.mark.parametrize(
    "activation", [name for name in lm.activations.__all__ if name not in ("get", "linear")]
)
def test_models_from_keras(activation, x):
    net = keras_model(peer("keras"), activation)
    assert_agree(lm.convert.from_keras(net).predict(x), net.predict(x, verbose=0))


def test_hyperparameters_from_keras(x):
    model = lm.convert.from_keras(keras_model(peer("keras")))
    assert model.get_layer("first").kernel_regularizer.l2 == pytest.approx(0.01)
    assert model.layers[2].momentum == pytest.approx(0.9)
    assert model.layers[8].kernel_constraint.max_value == pytest.approx(3.0)
    assert [layer.name for layer in model.layers if not layer.trainable] == [model.layers[8].name]


def test_files_of_keras(x, tmp_path):
    peer("h5py")
    net = keras_model(peer("keras"))
    net.save(tmp_path / "net.keras")
    net.save_weights(tmp_path / "net.weights.h5")
    expected = net.predict(x, verbose=0)
    model = lm.convert.from_keras(tmp_path / "net.keras")
    assert_agree(model.predict(x), expected)
    for name in ("net.weights.h5", "net.keras"):
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        lm.convert.load_keras_weights(model, tmp_path / name)
        assert_agree(model.predict(x), expected)


def test_keras_reads_the_weights_that_lamina_wrote(x, tmp_path):
    peer("h5py")
    net = keras_model(peer("keras"))
    model = lm.convert.from_keras(net)
    expected = model.predict(x)
    lm.convert.save_keras_weights(model, tmp_path / "own.weights.h5")
    assert os.listdir(tmp_path) == ["own.weights.h5"]
    net.set_weights([np.zeros_like(weight) for weight in net.get_weights()])
    net.load_weights(tmp_path / "own.weights.h5")
    assert_agree(net.predict(x, verbose=0), expected)


def test_nested_models_from_keras(x):
    keras = peer("keras")
    inner = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, activation="tanh")])
    net = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5), inner, keras.layers.Dense(2)])
    assert_agree(lm.convert.from_keras(net).predict(x), net.predict(x, verbose=0))


def test_a_keras_layer_used_twice_is_kept_twice(x):
    keras = peer("keras")
    dense, relu = keras.layers.Dense(6, activation="tanh"), keras.layers.ReLU()
    inner = keras.Sequential([keras.Input((6,)), dense, relu])
    for parts, count in [([dense, relu, dense, relu], 4), ([inner, keras.layers.Dense(6), inner], 5)]:
        net = keras.Sequential([keras.Input((6,)), *parts])
        model = lm.convert.from_keras(net)
        assert len(model.layers) == count
        assert model.layers[0].name == dense.name
        assert_agree(model.predict(x), net.predict(x, verbose=0))


def test_namesakes_of_what_keras_has_are_refused(tmp_path):
    keras = peer("keras")
    peer("h5py")

    def relu(x):
        return -x

    def dense(x):
        return keras.Sequential([keras.Input((6,)), x], name="net")

    class Dense(keras.layers.Dense):
        def call(self, inputs):
            return -inputs

    class Sequential(keras.Sequential):
        def call(self, inputs, **options):
            return -inputs

    class L2(keras.regularizers.L2):
        def __call__(self, x):
            return 0.0

    class MaxNorm(keras.constraints.MaxNorm):
        def __call__(self, w):
            return w

    kind = keras.layers.Dense
    known = keras.saving.register_keras_serializable("own", name="Dense")
    for layer, message in [
        (Dense(3), "got Dense 'x'"),
        (known(type("Dense", (Dense,), {}))(3), "got Dense 'x'"),
        (kind(3, kernel_regularizer=L2()), "got L2"),
        (kind(3, bias_constraint=MaxNorm()), "got MaxNorm"),
    ]:
        layer.name = "x"
        net = dense(layer)
        net.save(tmp_path / "net.keras")
        for source in (net, tmp_path / "net.keras"):
            with pytest.raises(lm.ArgumentError, match=message):
                lm.convert.from_keras(source)
    # a file has the bare names of these, and Keras itself reads its own functions
    for layer in (kind(3, activation=relu), keras.layers.Activation(relu), kind(3, keras.ops.gelu)):
        with pytest.raises(lm.ArgumentError, match=r"expected an activation of keras\.activations"):
            lm.convert.from_keras(dense(layer))
    own = Sequential([keras.Input((6,)), kind(3)])
    own.save(tmp_path / "net.keras")
    for source in (own, dense(own), tmp_path / "net.keras"):
        with pytest.raises(lm.ArgumentError, match=r"got Sequential"):
            lm.convert.from_keras(source)


def test_what_keras_has_and_lamina_has_not_is_an_error():
    keras = peer("keras")
    layers = keras.layers
    for layer, message in [
        (layers.Conv1D(2, 1), "got Conv1D"),
        (layers.Dropout(0.5, noise_shape=(None, 1)), "noise_shape"),
        (layers.ReLU(max_value=3.0), "max_value"),
        (
            layers.Dense(2, kernel_regularizer=keras.regularizers.OrthogonalRegularizer()),
            "OrthogonalRegularizer",
        ),
    ]:
        with pytest.raises(lm.ArgumentError, match=message):
            lm.convert.from_keras(keras.Sequential([keras.Input((4, 2)), layer]))
    inputs = keras.Input((3,))
    with pytest.raises(lm.ArgumentError, match="got Functional"):
        lm.convert.from_keras(keras.Model(inputs, layers.Dense(2)(inputs)))
    with pytest.raises(lm.ArgumentError, match="built"):
        lm.convert.from_keras(keras.Sequential([layers.Dense(2)]))


def test_damaged_files_of_keras(tmp_path):
    peer("h5py")
    model = lm.Sequential([lm.Input((4,)), lm.Dense(3)], seed=0)
    before, path = model.flat_parameters.copy(), tmp_path / "net.weights.h5"
    lm.convert.save_keras_weights(model, path)
    wider = lm.Sequential([lm.Input((5,)), lm.Dense(3)])
    deeper = lm.Sequential([lm.Input((4,)), lm.Dense(3), lm.Dense(3)])
    for other in (wider, deeper):
        with pytest.raises(lm.FormatError):
            lm.convert.load_keras_weights(other, path)
    data = path.read_bytes()
    for i, part in enumerate([b"", data[:200], data[: len(data) // 2], b"PK\3\4" + data[4:]]):
        damaged = tmp_path / f"{i}.weights.h5"
        damaged.write_bytes(part)
        with pytest.raises(lm.FormatError):
            lm.convert.load_keras_weights(model, damaged)
    bad_layer = {"layers": [{"class_name": "Dense", "config": 1}]}
    configs = [json.dumps({"class_name": "Sequential", "config": config}) for config in (3, {}, bad_layer)]
    for config in ["", "[]", "{}", '{"class_name": "Sequential"}', *configs, "[" * 10_000]:
        with zipfile.ZipFile(tmp_path / "bad.keras", "w") as archive:
            archive.writestr("config.json", config)
        with pytest.raises((lm.FormatError, lm.ArgumentError)):
            lm.convert.from_keras(tmp_path / "bad.keras")
    with pytest.raises(lm.FileError):
        lm.convert.from_keras(tmp_path / "absent.keras")
    with pytest.raises(lm.ArgumentError, match=r"\.weights\.h5"):
        lm.convert.save_keras_weights(model, tmp_path / "net.h5")
    assert (model.flat_parameters == before).all()


# ---- scikit-learn


def perceptrons():
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    options = {"hidden_layer_sizes": (9, 5), "max_iter": 30, "random_state": 0}
    for activation in ("identity", "logistic", "tanh", "relu"):
        yield MLPClassifier(activation=activation, **options), "three classes"
    yield MLPClassifier(**options), "two classes"
    yield MLPClassifier(**options), "several labels"
    yield MLPRegressor(**options), "one number"
    yield MLPRegressor(**options), "two numbers"


def linear_models():
    from sklearn import linear_model as linear
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    for estimator in (linear.LinearRegression(), linear.Ridge(), linear.Lasso(0.01), linear.ElasticNet(0.01)):
        yield estimator, "one number"
        yield make_pipeline(StandardScaler(), estimator), "two numbers"
    yield linear.Ridge(fit_intercept=False), "one number"
    yield linear.SGDRegressor(random_state=0), "one number"
    yield (
        make_pipeline(MinMaxScaler(), StandardScaler(with_mean=False), linear.LogisticRegression()),
        "three classes",
    )
    yield linear.LogisticRegression(), "two classes"


def targets(kind, x):
    score = x @ np.linspace(-1, 1, x.shape[1]) + np.sin(x[:, 0])
    return {
        "three classes": np.digitize(score, [-0.7, 0.7]),
        "two classes": np.where(score > 0, "yes", "no"),
        "several labels": np.column_stack([score > 0, x[:, 1] > 0, x[:, 2] > 0.5]).astype(int),
        "one number": score,
        "two numbers": np.column_stack([score, x[:, 0] - 2 * x[:, 3]]),
    }[kind]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("source", [perceptrons, linear_models])
def test_estimators_of_sklearn(source, rng):
    x = rng.normal(size=(80, 6))
    count = 0
    for estimator, kind in source():
        estimator.fit(x, targets(kind, x))
        got, count = lm.convert.from_sklearn(estimator).predict(x), count + 1
        if kind == "two classes":
            assert_agree(got[:, 0], estimator.predict_proba(x)[:, 1])
        elif "number" in kind:
            assert_agree(got, estimator.predict(x).reshape(len(x), -1))
        else:
            assert_agree(got, estimator.predict_proba(x))
    assert count == (8 if source is perceptrons else 12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("mean", [-10, 30, 2000, 1e5])
def test_scalers_of_means_beside_which_the_spread_is_small(mean, rng):
    from sklearn.linear_model import Ridge
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    centred = rng.normal(size=(200, 6))
    x = (centred + mean).astype(np.float32).astype(np.float64)  # what both sides hold exactly
    for scaler in (StandardScaler(), MinMaxScaler((-1, 2)), StandardScaler(with_std=False)):
        net = make_pipeline(scaler, MLPClassifier((9,), max_iter=30, random_state=0))
        net.fit(x, targets("three classes", centred))
        model = lm.convert.from_sklearn(net)
        assert_agree(model.predict(x), net.predict_proba(x))
        assert not model.layers[0].trainable
        assert [type(layer).__name__ for layer in model.layers] == ["BatchNormalization", "Dense", "Dense"]
        line = make_pipeline(scaler, Ridge()).fit(x, targets("two numbers", centred))
        assert_agree(lm.convert.from_sklearn(line).predict(x), line.predict(x))
    near = make_pipeline(StandardScaler(), Ridge()).fit(centred + 2, centred[:, 0])
    assert len(lm.convert.from_sklearn(near).layers) == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_perceptron_of_counts(rng):
    from sklearn.neural_network import MLPRegressor

    if "loss" not in MLPRegressor().get_params():
        pytest.skip("this scikit-learn has no loss='poisson'")
    x = rng.normal(size=(80, 6))
    net = MLPRegressor(loss="poisson", hidden_layer_sizes=(9,), max_iter=30, random_state=0)
    net.fit(x, np.abs(targets("one number", x)))
    assert_agree(lm.convert.from_sklearn(net).predict(x)[:, 0], net.predict(x))


def test_what_of_sklearn_is_no_network_is_an_error(rng):
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures
    from sklearn.tree import DecisionTreeRegressor

    for estimator in (
        DecisionTreeRegressor(),
        make_pipeline(PolynomialFeatures(), LogisticRegression()),
        "mlp",
    ):
        with pytest.raises(lm.ArgumentError, match="from_sklearn: expected"):
            lm.convert.from_sklearn(estimator)
    with pytest.raises(lm.StateError, match="fitted MLPRegressor"):
        lm.convert.from_sklearn(MLPRegressor())


# ---- without the peers


@pytest.mark.parametrize(("package", "extra"), [("torch", "torch"), ("h5py", "keras")])
def test_an_absent_package_is_named_with_its_extra(package, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    model = lm.Sequential([lm.Input((2,)), lm.Dense(1)])
    convert = lm.convert.to_torch if package == "torch" else lm.convert.save_keras_weights
    with pytest.raises(ImportError, match=rf"pip install 'lamina\[{extra}\]'"):
        convert(*([model] if package == "torch" else [model, "x.weights.h5"]))


def test_it_is_imported_when_it_is_used():
    code = (
        "import sys, lamina as lm; assert 'lamina.convert' not in sys.modules; "
        "assert callable(lm.convert.from_sklearn); assert 'lamina.convert' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
