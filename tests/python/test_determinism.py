"""Same seed, same bits: run to run, process to process, whatever the number of threads."""

import hashlib

import numpy as np
import pytest
from helpers import run_python, same_weights

import lamina as lm

# Big enough that every kernel goes to several threads; odd sizes, so that tiles don't come out even.
CODE = """
import hashlib
import numpy as np
import lamina as lm

def trained(threads, epochs):
    lm.set_num_threads(threads)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1531, 301)).astype(np.float32), rng.integers(0, 11, 1531)
    model = lm.Sequential([
        lm.GaussianNoise(0.1),
        lm.Dense(259, activation="gelu", kernel_regularizer="l2"),
        lm.BatchNormalization(),
        lm.Dropout(0.3),
        lm.Dense(131, activation="relu", activity_regularizer="l2"),
        lm.LayerNormalization(),
        lm.Dense(11, activation="softmax"),
    ])
    optimizer = lm.optimizers.Adam(0.003, global_clipnorm=1.0, weight_decay=0.01, use_ema=True)
    trainer = lm.Trainer(model, optimizer=optimizer, loss="sparse_categorical_crossentropy",
                         metrics=["accuracy", "top_k_categorical_accuracy"], seed=42)
    history = trainer.fit(x, y, epochs=epochs, batch_size=509, validation_split=0.1, verbose=0).history
    value, gradient = trainer.value_and_gradient(x, y, training=True)
    ema = trainer.evaluate(x, y, use_ema=True)
    return [*model.get_weights(), model.predict(x), gradient, np.array([value, *ema.values()]),
            np.array([values for name, values in sorted(history.items())])]

def digest(arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()
"""
space = {}
exec(CODE, space)
trained, digest = space["trained"], space["digest"]


@pytest.fixture(scope="module")
def one_thread():
    return trained(1, epochs=2)


def test_two_runs(one_thread):
    for got, expected in zip(trained(1, epochs=2), one_thread, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads(one_thread, threads):
    for got, expected in zip(trained(threads, epochs=2), one_thread, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("threads", ["1", "2"])
def test_another_process(one_thread, threads):
    code = CODE + "print(digest(trained(lm.get_num_threads(), epochs=2)), lm.get_num_threads())"
    printed = run_python(code, LAMINA_NUM_THREADS=threads).split()
    assert printed == [digest(one_thread), threads]


def test_another_seed(classes):
    x, y = classes
    digests = set()
    for seed in (1, 2, None, None):
        model = lm.Sequential([lm.Dropout(0.5), lm.Dense(3, activation="softmax")])
        lm.Trainer(model, loss="sparse_categorical_crossentropy", seed=seed).fit(x, y, epochs=1, verbose=0)
        digests.add(hashlib.sha256(model.flat_parameters.tobytes()).hexdigest())
    assert len(digests) == 4


def test_seeds_alone_decide(classes):
    """Nothing else that is random around it, and no other model made before."""
    x, y = classes
    models = []
    for noise in (0, 1):
        np.random.seed(noise)
        lm.Sequential([lm.Input((noise + 1,)), lm.Dense(3)], seed=noise)
        model = lm.Sequential([lm.Dropout(0.5), lm.Dense(3, activation="softmax")])
        lm.Trainer(model, loss="sparse_categorical_crossentropy", seed=9).fit(x, y, epochs=2, verbose=0)
        models.append(model)
    assert same_weights(*models)


@pytest.mark.parametrize("seed", [-1, 1.5, 2**64, "one"])
def test_what_is_no_seed(seed):
    with pytest.raises((lm.ArgumentError, lm.DTypeError), match="seed"):
        lm.Sequential([lm.Dense(3)], seed=seed)
    with pytest.raises((lm.ArgumentError, lm.DTypeError), match="seed"):
        lm.Trainer(lm.Sequential([lm.Dense(3)]), loss="mse", seed=seed)


@pytest.mark.parametrize("isa", ["baseline", "avx2", "avx512"])
def test_every_isa_trains(one_thread, isa):
    """The last bits may differ between ISAs; the training may not. What the CPU lacks is an error."""
    code = """
import sys
import numpy as np
import lamina as lm
from lamina import _core
rng = np.random.default_rng(0)
x, y = rng.normal(size=(200, 33)).astype(np.float32), rng.integers(0, 3, 200)
model = lm.Sequential([lm.Dense(19, activation="tanh"), lm.Dense(3, activation="softmax")], seed=1)
trainer = lm.Trainer(model, optimizer=lm.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy", seed=1)
history = trainer.fit(x, y, epochs=5, verbose=0).history["loss"]
assert _core.isa() == sys.argv[1], _core.isa()
print(*history)
"""
    from lamina import _core

    if isa not in _core.available_isas():
        with pytest.raises(AssertionError, match=f"(?s){isa}"):
            run_python(code, isa, LAMINA_ISA=isa)
        return
    losses = [float(word) for word in run_python(code, isa, LAMINA_ISA=isa).split()]
    reference = [float(word) for word in run_python(code, _core.isa()).split()]
    # 35 steps of rounding differences of 1e-7 each.
    np.testing.assert_allclose(losses, reference, rtol=1e-4)


def test_an_unknown_isa_is_an_error():
    code = "import numpy as np, lamina as lm; lm.activations.relu(np.ones(3)); print(lm.show_config())"
    with pytest.raises(AssertionError, match=r"LAMINA_ISA|sse9"):
        run_python(code, LAMINA_ISA="sse9")
