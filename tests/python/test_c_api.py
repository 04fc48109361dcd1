"""The C interface from C11 and, as other languages would, through ctypes.

The shared library is built by the `shared` fixture of conftest.py.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import lamina as lm

ROOT = Path(__file__).parents[2]
FLOAT32, INT64 = 10, 8
pytestmark = pytest.mark.slow


class Array(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("dtype", ctypes.c_int),
        ("rows", ctypes.c_size_t),
        ("row_size", ctypes.c_size_t),
    )

    def __init__(self, values, dtype):
        super().__init__(values.ctypes.data, dtype, len(values), values[0].size)


@pytest.fixture(scope="module")
def library(shared_library):
    loaded = ctypes.CDLL(str(shared_library))
    loaded.lamina_last_error.restype = ctypes.c_char_p
    loaded.lamina_model_output_size.restype = ctypes.c_size_t
    return loaded


def test_from_c11(shared_library, tmp_path):
    program = tmp_path / "c_api_test"
    command = [
        *(
            shutil.which("gcc") or "cc",
            "-std=c11",
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Wconversion",
            "-Werror",
        ),
        *(f"-I{ROOT / 'cpp'}", ROOT / "tests" / "c" / "c_api_test.c", "-o", program),
        *(f"-L{shared_library.parent}", f"-Wl,-rpath,{shared_library.parent}", "-llamina", "-lm"),
    ]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([program, tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_from_ctypes_a_model_of_python_predicts_and_trains(library, tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 5)).astype(np.float32), rng.integers(0, 3, 40)
    model = lm.Sequential([lm.Input((5,)), lm.Dense(16, "relu"), lm.Dense(3, "softmax")], seed=1)
    path = str(tmp_path / "model.safetensors")
    model.save(path)
    handle, trainer, loss = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_double()
    assert library.lamina_model_load(path.encode(), ctypes.byref(handle)) == 0
    assert library.lamina_model_output_size(handle) == 3
    output = np.empty((40, 3), np.float32)
    assert (
        library.lamina_model_predict(handle, Array(x, FLOAT32), output.ctypes.data_as(ctypes.c_void_p)) == 0
    )
    np.testing.assert_allclose(output, model.predict(x), rtol=1e-5, atol=1e-6)  # built with other options

    loss_name = b"sparse_categorical_crossentropy"
    create = library.lamina_trainer_create
    create.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint64, ctypes.c_void_p)
    assert create(handle, b"adam", loss_name, 7, ctypes.addressof(trainer)) == 0
    reference = lm.Trainer(model, "adam", loss_name.decode(), seed=7)
    for _ in range(5):
        rows = Array(x, FLOAT32), Array(y, INT64)
        assert library.lamina_trainer_step(trainer, *rows, ctypes.byref(loss)) == 0
        assert loss.value == pytest.approx(reference.train_on_batch(x, y)["loss"], rel=1e-5)
    assert library.lamina_model_save(handle, path.encode()) == 0
    np.testing.assert_allclose(lm.load_model(path).predict(x), model.predict(x), rtol=1e-4, atol=1e-5)
    library.lamina_trainer_destroy(trainer)
    library.lamina_model_destroy(handle)


def test_errors_have_a_sentence(library, tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"no model")
    handle = ctypes.c_void_p()
    assert library.lamina_model_load(str(path).encode(), ctypes.byref(handle)) == 7
    assert not handle
    with pytest.raises(lm.errors.FormatError) as error:
        lm.load_model(path)
    assert library.lamina_last_error().decode() == str(error.value)
