"""The ten lines that are promised, as they stand on the page, against arrays of one's own."""

import numpy as np


def test_the_page_runs_as_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 600)
    x = (rng.normal(size=(10, 784))[y] + rng.normal(size=(600, 784))).astype(np.float32)
    x_test, y_test, x, y = x[500:], y[500:], x[:500], y[:500]

    import lamina as lm

    model = lm.Sequential(
        [
            lm.Dense(256, activation="relu", kernel_regularizer=lm.regularizers.L2(1e-5)),
            lm.BatchNormalization(),
            lm.Dropout(0.2),
            lm.Dense(10, activation="softmax"),
        ]
    )
    trainer = lm.Trainer(
        model,
        optimizer=lm.optimizers.Adam(1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        seed=7,
    )
    history = trainer.fit(
        x,
        y,
        epochs=10,
        batch_size=128,
        validation_split=0.1,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        callbacks=[lm.callbacks.EarlyStopping(patience=3)],
        verbose="auto",
    )
    assert len(history.history["val_loss"]) == len(history.epoch)
    history.plot("curves.png")
    history.to_csv("curves.csv")
    logs = trainer.evaluate(x_test, y_test)
    assert set(logs) == {"loss", "accuracy"}
    assert logs["accuracy"] > 0.9
    assert set(trainer.train_on_batch(x[:32], y[:32])) == {"loss", "accuracy"}
    assert model.predict(x_test).shape == (100, 10)
    np.testing.assert_array_equal(model(x_test), model.predict(x_test))
    model.summary()
    assert model.count_params() == 784 * 256 + 256 + 4 * 256 + 256 * 10 + 10
    assert len(model.layers) == 4
    weights = model.get_weights()
    model.set_weights(weights)
    assert model.flat_parameters.size == model.count_params() - 2 * 256
    value, gradient = trainer.value_and_gradient(x, y)
    assert value > 0
    assert gradient.shape == model.flat_parameters.shape
    model.save("model.safetensors")
    model = lm.load_model("model.safetensors")
    trainer.save("run.safetensors")
    trainer = lm.Trainer.load("run.safetensors")
    history = trainer.fit(x, y, epochs=20, initial_epoch=10)
    assert history.epoch[-1] == 19
    assert isinstance(trainer.model, lm.Sequential)
    assert issubclass(lm.LaminaError, Exception)
    lm.set_num_threads(2)
    assert lm.get_num_threads() == 2
    lm.show_config()
    assert capsys.readouterr().out


def test_every_promised_name_is_there():
    import lamina as lm

    page = {
        "layers": "Input Dense Activation Dropout BatchNormalization LayerNormalization Flatten Reshape "
        "Rescaling ActivityRegularization GaussianNoise LeakyReLU ELU Softmax",
        "activations": "linear relu relu6 leaky_relu elu selu gelu silu sigmoid hard_sigmoid tanh softplus "
        "softsign exponential mish softmax log_softmax",
        "losses": "CategoricalCrossentropy SparseCategoricalCrossentropy BinaryCrossentropy "
        "NegativeLogLikelihood MeanSquaredError MeanAbsoluteError Huber LogCosh Hinge SquaredHinge "
        "KLDivergence Poisson CosineSimilarity BinaryFocalCrossentropy Loss",
        "optimizers": "SGD RMSprop Adam AdamW Adamax Nadam Adagrad Lion",
        "schedules": "ExponentialDecay PiecewiseConstantDecay PolynomialDecay CosineDecay "
        "CosineDecayRestarts InverseTimeDecay OneCycle",
        "regularizers": "L1 L2 L1L2 ElasticNet",
        "constraints": "MaxNorm NonNeg UnitNorm MinMaxNorm",
        "initializers": "GlorotUniform GlorotNormal HeUniform HeNormal LecunUniform LecunNormal RandomNormal "
        "RandomUniform TruncatedNormal Orthogonal Zeros Ones Constant Identity",
        "callbacks": "Callback EarlyStopping ModelCheckpoint ReduceLROnPlateau LearningRateScheduler "
        "CSVLogger TensorBoard TerminateOnNaN LambdaCallback ProgressBar",
        "datasets": "digits breast_cancer diabetes fashion_mnist mnist csv",
        "data": "Dataset",
        "plotting": "confusion_matrix decision_boundary weights compare",
    }
    missing = [
        f"{m}.{n}" for m, names in page.items() for n in names.split() if not hasattr(getattr(lm, m), n)
    ]
    missing += [name for name in page["layers"].split() if not hasattr(lm, name)]
    assert missing == []
    assert isinstance(lm.__version__, str)


def test_everything_public_is_documented():
    import lamina as lm

    undocumented = []
    for module in ("layers", "losses", "optimizers", "schedules", "regularizers", "constraints",
                   "initializers", "metrics", "callbacks", "datasets"):  # fmt: skip
        for name, thing in vars(getattr(lm, module)).items():
            ours = getattr(thing, "__module__", "").startswith("lamina")
            if not name.startswith("_") and callable(thing) and ours and not (thing.__doc__ or "").strip():
                undocumented.append(f"{module}.{name}")
    assert undocumented == []
    assert "momentum * v" in lm.optimizers.SGD.__doc__ or "beta" in lm.optimizers.SGD.__doc__
