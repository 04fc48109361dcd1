"""Arrays of other libraries go in without a copy, and predictions come out."""

import ctypes

import numpy as np
import pytest
from helpers import peer, same_weights, small_classifier

import lamina as lm

LOSS = "sparse_categorical_crossentropy"


class Foreign:
    """Somebody else's array: no NumPy array, and nothing but the protocol."""

    def __init__(self, array, device=(1, 0), error=None):
        self.array, self.device, self.error = array, device, error
        self.exports = 0

    def __dlpack__(self, **options):
        self.exports += 1
        if self.error is not None:
            raise self.error
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device


def fitted(x, y):
    trainer = lm.Trainer(small_classifier(seed=1), lm.optimizers.Adam(0.01), LOSS, seed=2)
    trainer.fit(x, y, epochs=2, batch_size=16, verbose=0)
    return trainer.model


def test_memory_is_shared():
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    got = lm.from_dlpack(Foreign(array))
    assert type(got) is np.ndarray
    assert np.shares_memory(got, array)
    np.testing.assert_array_equal(got, array)
    array[1, 1] = 77
    assert got[1, 1] == 77


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"])
def test_foreign_arrays_train_and_predict(classes, dtype):
    x, y = classes
    x = np.round(x).astype(dtype)
    got = fitted(Foreign(x), Foreign(y))
    assert same_weights(got, fitted(x, y))
    np.testing.assert_array_equal(got.predict(Foreign(x)), got.predict(x))
    (batch,) = lm.data.Dataset.from_arrays(Foreign(x), Foreign(y)).batch(1000)
    assert np.shares_memory(batch[0], x)
    strided = np.repeat(x, 2, axis=0)[::2]
    np.testing.assert_array_equal(got.predict(Foreign(strided)), got.predict(x))


def test_arrays_alone_are_no_stream(classes):
    x, _ = classes
    with pytest.raises(lm.ArgumentError, match="y beside x"):
        lm.Trainer(small_classifier(), loss=LOSS).fit(Foreign(x))


@pytest.mark.parametrize(
    ("device", "name"), [((2, 0), "CUDA"), ((8, 0), "Metal"), ((10, 1), "ROCm"), ((99, 0), "99")]
)
def test_other_memory_is_refused(classes, device, name):
    x, y = classes
    foreign = Foreign(x, device)
    for use in (lm.from_dlpack, fitted(x, y).predict, lambda x: fitted(x, y)):
        with pytest.raises(lm.ArgumentError, match=rf"memory of the CPU.*{name}.*copy it"):
            use(foreign)
    assert foreign.exports == 0


def test_pinned_memory_is_read():
    array = np.arange(4.0)
    np.testing.assert_array_equal(lm.from_dlpack(Foreign(array, (1, 0))), array)
    assert 3 in lm._dlpack._READABLE


class Tensor(ctypes.Structure):
    """DLTensor of DLPack 0.x, and the manager behind it."""

    _fields_ = [
        ("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
        ("manager", ctypes.c_void_p), ("deleter", ctypes.c_void_p),
    ]  # fmt: skip


class Brain:
    """An exporter of bfloat16 (type code 4), which NumPy has no type for."""

    dtype = "bfloat16"

    def __init__(self):
        self.memory, self.shape = (ctypes.c_uint16 * 4)(), (ctypes.c_int64 * 1)(4)
        self.tensor = Tensor(
            ctypes.addressof(self.memory), 1, 0, 1, 4, 16, 1, self.shape, None, 0, None, None
        )

    def __dlpack__(self, **options):
        new = ctypes.pythonapi.PyCapsule_New
        new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
        return new(ctypes.addressof(self.tensor), b"dltensor", None)

    def __dlpack_device__(self):
        return (1, 0)


@pytest.mark.parametrize("exporter", [Brain(), Foreign(np.ones(3), error=BufferError("no such type"))])
def test_types_without_an_equal_are_refused(exporter):
    for use in (lm.from_dlpack, lambda x: lm.Sequential([lm.Input((1,)), lm.Dense(1)]).predict(x)):
        with pytest.raises(lm.DTypeError, match="convert it first"):
            use(exporter)


def test_what_is_no_array():
    with pytest.raises(lm.ArgumentError, match="__dlpack__, got a list"):
        lm.from_dlpack([1, 2])


def test_predictions_speak_the_protocol(classes):
    x, y = classes
    prediction = fitted(x, y).predict(x)
    assert np.shares_memory(np.from_dlpack(prediction), prediction)


# ---- the real ones


def test_torch_both_ways(classes):
    torch = peer("torch")
    x, y = classes
    tx, ty = torch.from_numpy(x.copy()), torch.from_numpy(y.copy())
    assert lm.from_dlpack(tx).ctypes.data == tx.data_ptr()
    model = fitted(tx, ty)
    assert same_weights(model, fitted(x, y))
    np.testing.assert_array_equal(model.predict(tx[::2]), model.predict(x[::2]))
    assert lm.from_dlpack(tx > 0).dtype == bool
    prediction = model.predict(tx)
    back = torch.from_dlpack(prediction)
    assert back.data_ptr() == prediction.ctypes.data
    flat = torch.from_dlpack(model.flat_parameters)
    flat.zero_()
    assert not model.flat_parameters.any()
    with pytest.raises(lm.ArgumentError, match="detach"):
        model.predict(tx.clone().requires_grad_())
    with pytest.raises(lm.DTypeError, match=r"bfloat16.*float\(\)"):
        model.predict(tx.bfloat16())
    with pytest.raises(lm.ArgumentError, match=r"memory of the CPU.*meta"):
        model.predict(tx.to("meta"))


def test_torch_tensors_without_an_array_behind_them():
    torch = peer("torch")
    x = torch.arange(1.0, 5.0)
    for tensor, error, message in [
        (x.to(torch.float8_e4m3fn), lm.DTypeError, "float8_e4m3fn"),
        (x.to_sparse(), lm.ArgumentError, "to_dense"),
        (x.to(torch.complex64).conj(), lm.ArgumentError, "resolve_conj"),
        (torch._neg_view(x), lm.ArgumentError, "resolve_neg"),
    ]:
        with pytest.raises(error, match=f"from_dlpack: expected .*{message}"):
            lm.from_dlpack(tensor)
    model = lm.Sequential([lm.Input((4,)), lm.Dense(2)], seed=0)
    np.testing.assert_array_equal(model.predict(torch._neg_view(x[None])), model.predict(-x[None].numpy()))
    with pytest.raises(lm.ArgumentError, match="x: expected a dense array"):
        model.predict(x[None].to_sparse())


class Copied(Foreign):
    """An array that DLPack can't export, and NumPy gets as a copy."""

    def __array__(self, *_, **__):
        return self.array.copy()


def test_a_copy_is_no_view():
    array = np.ones((2, 3), np.float32)
    foreign = Copied(array, error=BufferError("read-only"))
    with pytest.raises(lm.ArgumentError, match="memory can be shared"):
        lm.from_dlpack(foreign)
    model = lm.Sequential([lm.Input((3,)), lm.Dense(2)], seed=0)
    np.testing.assert_array_equal(model.predict(foreign), model.predict(array))


def test_tracers_of_jax_are_refused():
    jax = peer("jax")
    model = lm.Sequential([lm.Input((3,)), lm.Dense(2)], seed=0)
    for use in (lm.from_dlpack, model.predict):
        for traced in (jax.jit, jax.vmap):
            with pytest.raises(lm.ArgumentError, match="expected an array with values"):
                traced(use)(jax.numpy.ones((2, 3)))


def test_jax_both_ways(classes):
    jax = peer("jax")
    x, y = classes
    jx, jy = jax.numpy.asarray(x), jax.numpy.asarray(y)
    assert lm.from_dlpack(jx).ctypes.data == jx.unsafe_buffer_pointer()
    model = fitted(jx, jy)
    assert same_weights(model, fitted(x, np.asarray(jy)))
    prediction = model.predict(jx)
    np.testing.assert_array_equal(np.asarray(jax.dlpack.from_dlpack(prediction)), prediction)
    with pytest.raises(lm.DTypeError, match="bfloat16"):
        model.predict(jx.astype(jax.numpy.bfloat16))
