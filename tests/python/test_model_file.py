"""The model file: a safetensors file, exact, safe against damage, written whole or not at all."""

import json
import os
import struct
import subprocess
import sys

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from helpers import PEAK, run_python, same_weights

import lamina as lm


def everything(seed=3):
    """A model with every layer, and an option of each kind."""
    return lm.Sequential(
        [
            lm.Input((12,)),
            lm.Rescaling(0.5, offset=0.25),
            lm.GaussianNoise(0.1),
            lm.Reshape((3, 4)),
            lm.LayerNormalization(),
            lm.Flatten(),
            lm.Dense(
                9,
                activation="gelu",
                kernel_initializer=lm.initializers.RandomNormal(stddev=0.5),
                kernel_regularizer=lm.regularizers.L1L2(0.01, 0.02),
                kernel_constraint=lm.constraints.MaxNorm(3.0),
                name="hidden",
            ),
            lm.BatchNormalization(momentum=0.9),
            lm.ActivityRegularization(l2=0.01),
            lm.Dropout(0.25),
            lm.Dense(8, use_bias=False, trainable=False),
            lm.LeakyReLU(negative_slope=0.1),
            lm.Dense(7),
            lm.ELU(alpha=0.5),
            lm.Dense(6),
            lm.Activation("mish"),
            lm.Dense(5),
            lm.Softmax(),
        ],
        seed=seed,
    )


@pytest.fixture
def model(rng):
    model = everything()
    model.set_weights([np.abs(rng.normal(size=w.shape)) for w in model.get_weights()])
    return model


@pytest.fixture
def saved(model, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path)
    return path


@pytest.fixture
def x(rng):
    return rng.normal(size=(20, 12)).astype(np.float32)


def test_read_back_to_the_same_bits(model, saved, x):
    loaded = lm.load_model(saved)
    assert same_weights(loaded, model)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert [layer.get_config() for layer in loaded.layers] == [layer.get_config() for layer in model.layers]
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    assert [layer.name for layer in loaded.layers] == [layer.name for layer in model.layers]
    assert [layer.trainable for layer in loaded.layers] == [layer.trainable for layer in model.layers]


def test_saved_twice_is_the_same_file(model, saved, tmp_path):
    lm.load_model(saved).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_read_back_in_another_process(model, saved, x, tmp_path):
    np.save(tmp_path / "x.npy", x)
    code = """
import sys
import numpy as np
import lamina as lm
np.save(sys.argv[3], lm.load_model(sys.argv[1]).predict(np.load(sys.argv[2])))
"""
    run_python(code, saved, tmp_path / "x.npy", tmp_path / "p.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "p.npy"), model.predict(x))


def test_safetensors_reads_our_tensors(model, saved):
    with safetensors.safe_open(saved, framework="numpy") as file:
        names = list(file.keys())
        assert "hidden/kernel" in names
        assert "hidden/bias" in names
        assert "batch_normalization/moving_mean" in names
        tensors = [file.get_tensor(name) for name in names]
        assert any("Dense" in value for value in file.metadata().values())
    expected = {w.tobytes() for w in model.get_weights()}
    assert {t.tobytes() for t in tensors} == expected
    assert all(t.dtype == np.float32 for t in tensors)


def test_names_are_those_of_the_layers(model, saved):
    tensors = safetensors.numpy.load_file(saved)
    for layer in model.layers:
        values = [value for name, value in tensors.items() if name.split("/")[0] == layer.name]
        expected = layer.get_weights()
        assert sorted(v.tobytes() for v in values) == sorted(w.tobytes() for w in expected), layer.name


def test_trained_and_frozen_state_survives(tmp_path, classes):
    x, y = classes
    model = lm.Sequential([lm.BatchNormalization(), lm.Dense(3, activation="softmax")], seed=0)
    lm.Trainer(model, optimizer="adam", loss="sparse_categorical_crossentropy").fit(x, y, epochs=2, verbose=0)
    model.layers[0].trainable = False
    model.save(tmp_path / "m.safetensors")
    loaded = lm.load_model(tmp_path / "m.safetensors")
    assert same_weights(loaded, model)
    assert [layer.trainable for layer in loaded.layers] == [False, True]
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_load_weights_of_a_plain_file(model, tmp_path, rng):
    """Any safetensors file whose names and shapes match; it needs no metadata."""
    model.save(tmp_path / "names.safetensors")
    tensors = safetensors.numpy.load_file(tmp_path / "names.safetensors")
    new = {name: rng.random(value.shape).astype(np.float32) for name, value in tensors.items()}
    safetensors.numpy.save_file(new, tmp_path / "plain.safetensors")
    model.load_weights(tmp_path / "plain.safetensors")
    model.save(tmp_path / "after.safetensors")
    after = safetensors.numpy.load_file(tmp_path / "after.safetensors")
    assert after.keys() == new.keys()
    for name, value in new.items():
        np.testing.assert_array_equal(after[name], value)


@pytest.mark.parametrize("change", ["shape", "missing", "dtype"])
def test_weights_that_do_not_fit_change_nothing(model, tmp_path, change):
    model.save_weights(tmp_path / "w.safetensors")
    tensors = {k: v + 1 for k, v in safetensors.numpy.load_file(tmp_path / "w.safetensors").items()}
    if change == "shape":
        tensors["hidden/kernel"] = tensors["hidden/kernel"].T.copy()
    elif change == "missing":
        del tensors["hidden/kernel"]
    else:
        tensors["hidden/kernel"] = tensors["hidden/kernel"].astype(np.int64)
    safetensors.numpy.save_file(tensors, tmp_path / "bad.safetensors")
    before = model.get_weights()
    with pytest.raises(lm.LaminaError, match="hidden/kernel"):
        model.load_weights(tmp_path / "bad.safetensors")
    for got, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_save_weights_and_load_weights(model, tmp_path):
    model.save_weights(tmp_path / "w.safetensors")
    other = everything(seed=4)
    other.load_weights(tmp_path / "w.safetensors")
    assert same_weights(other, model)


def harmless(path, model, x):
    """A damaged file either says so, or means exactly what it meant. Anything else fails here."""
    try:
        loaded = lm.load_model(path)
    except lm.FormatError:
        return False
    assert same_weights(loaded, model)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    return True


def header_size(data):
    return 8 + struct.unpack("<Q", data[:8])[0]


def test_any_flipped_bit_in_the_tensors_is_noticed(saved, rng):
    data = saved.read_bytes()
    start = header_size(data)
    for _ in range(150):
        at = int(rng.integers(start, len(data)))
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(0, 8))
        saved.write_bytes(damaged)
        with pytest.raises(lm.FormatError):
            lm.load_model(saved)


def test_flipped_bits_in_the_header(model, saved, x, rng):
    data = saved.read_bytes()
    noticed = 0
    for _ in range(300):
        damaged = bytearray(data)
        for at in rng.integers(0, header_size(data), int(rng.integers(1, 4))):
            damaged[at] ^= 1 << int(rng.integers(0, 8))
        saved.write_bytes(damaged)
        noticed += not harmless(saved, model, x)
    assert noticed > 200  # most of the header is text whose every bit counts


def test_random_bytes_written_over(model, saved, x, rng):
    data = saved.read_bytes()
    for _ in range(100):
        damaged = bytearray(data)
        at, length = int(rng.integers(0, len(data))), int(rng.integers(1, 40))
        damaged[at : at + length] = rng.bytes(min(length, len(data) - at))
        saved.write_bytes(damaged)
        harmless(saved, model, x)


def test_every_truncation_is_noticed(saved, rng):
    data = saved.read_bytes()
    lengths = [0, 1, 7, 8, 9, header_size(data) - 1, header_size(data), len(data) - 1]
    for length in [*lengths, *rng.integers(0, len(data), 60)]:
        saved.write_bytes(data[:length])
        with pytest.raises(lm.FormatError):
            lm.load_model(saved)


def test_bytes_behind_the_end_are_noticed(saved):
    saved.write_bytes(saved.read_bytes() + b"\0")
    with pytest.raises(lm.FormatError):
        lm.load_model(saved)


def with_header(path, change=None, raw=None, length=None):
    """Rewrites the header: `change` edits its JSON; `raw` replaces it; `length` lies about its size."""
    data = path.read_bytes()
    size = header_size(data)
    header = data[8:size]
    if change is not None:
        content = json.loads(header)
        change(content)
        header = json.dumps(content).encode()
    if raw is not None:
        header = raw
    size_field = struct.pack("<Q", len(header) if length is None else length)
    path.write_bytes(size_field + header + data[size:])


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**40, 2**32, 4 * 2**20 + 1, 0, 1, 2])
def test_lies_about_the_size_of_the_header(saved, length):
    with_header(saved, length=length)
    with pytest.raises(lm.FormatError):
        lm.load_model(saved)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"nonsense",
        b"\xff\xfe\xfd",
        b'{"a": ' * 5000 + b"1" + b"}" * 5000,
        b"[" * 100000,
        b'{"__metadata__": ' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"__metadata__": 3}',
        b'{"__metadata__": {"lamina": 3}}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}',
        b" " * (4 * 2**20 + 8),
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_headers_that_are_none(saved, raw):
    with_header(saved, raw=raw)
    with pytest.raises(lm.FormatError):
        lm.load_model(saved)


def edit(field, value):
    def change(header):
        header["hidden/kernel"][field] = value

    return change


def forget_metadata(header):
    del header["__metadata__"]


def rename(header):
    header["hidden/colonel"] = header.pop("hidden/kernel")


@pytest.mark.parametrize(
    "change",
    [
        edit("shape", [12, 8]),
        edit("shape", [9, 12]),
        edit("shape", [-12, -9]),
        edit("shape", [2**33, 2**33]),
        edit("shape", [2**62, 4]),
        edit("shape", "12x9"),
        edit("shape", [[12, 9]]),
        edit("shape", [1.5, 72]),
        edit("shape", [1] * 100),
        edit("dtype", "F64"),
        edit("dtype", "F33"),
        edit("dtype", 32),
        edit("data_offsets", [0, 2**60]),
        edit("data_offsets", [2**63, 2**63 + 432]),
        edit("data_offsets", [-4, 428]),
        edit("data_offsets", [432, 0]),
        edit("data_offsets", [0]),
        edit("data_offsets", None),
        rename,
        forget_metadata,
    ],
)
def test_tables_that_lie(saved, change):
    with_header(saved, change)
    with pytest.raises(lm.FormatError):
        lm.load_model(saved)


def test_wrong_or_missing_checksum(saved, tmp_path):
    header = json.loads(saved.read_bytes()[8 : header_size(saved.read_bytes())])
    metadata = header["__metadata__"]
    keys = [key for key, value in metadata.items() if "crc" in key.lower() or "crc" in value[:200].lower()]
    assert keys, f"no CRC-32 among {list(metadata)}"
    data = saved.read_bytes()
    for key in keys:
        with_header(saved, lambda h, key=key: h["__metadata__"].pop(key))
        with pytest.raises(lm.FormatError):
            lm.load_model(saved)
        saved.write_bytes(data)
        with_header(saved, lambda h, key=key: h["__metadata__"].update({key: "0" * len(metadata[key])}))
        with pytest.raises(lm.FormatError):
            lm.load_model(saved)
        saved.write_bytes(data)


def test_an_edited_architecture_is_noticed(saved):
    def change(header):
        for key, value in header["__metadata__"].items():
            header["__metadata__"][key] = value.replace("gelu", "relu")

    with_header(saved, change)
    with pytest.raises(lm.FormatError):
        lm.load_model(saved)


def test_a_plain_file_is_no_model(tmp_path):
    safetensors.numpy.save_file({"a": np.zeros(3, np.float32)}, tmp_path / "plain.safetensors")
    with pytest.raises(lm.FormatError, match=r"plain\.safetensors"):
        lm.load_model(tmp_path / "plain.safetensors")


@pytest.mark.parametrize("load", [lm.load_model, lm.Trainer.load])
def test_a_file_that_is_not_there(tmp_path, load):
    with pytest.raises(lm.FileError, match=r"missing\.safetensors"):
        load(tmp_path / "missing.safetensors")
    with pytest.raises(OSError, match=r"missing\.safetensors"):
        load(str(tmp_path / "missing.safetensors"))
    with pytest.raises((lm.FileError, lm.FormatError)):
        load(tmp_path)


def test_loading_a_lie_allocates_little(saved):
    """Peak memory of a process that is told of a terabyte of tensors: the file's size + 16 MB at most."""
    with_header(saved, edit("shape", [2**20, 2**18]))
    code = """
import sys
import numpy as np
import lamina as lm
lm.Sequential([lm.Input((4,)), lm.Dense(3)]).predict(np.zeros((1, 4)))
before = peak()
try:
    lm.load_model(sys.argv[1])
except lm.FormatError:
    print(peak() - before)
"""
    assert float(run_python(PEAK + code, saved)) < 17


@pytest.mark.parametrize("method", ["save", "save_weights"])
def test_paths_that_can_not_be_written(model, tmp_path, method):
    (tmp_path / "folder.safetensors").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for path in (tmp_path / "folder.safetensors", tmp_path / "no" / "such" / "m.safetensors"):
        with pytest.raises(lm.FileError, match=path.name):
            getattr(model, method)(path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_trainer_that_can_not_be_written(classes, tmp_path):
    x, y = classes
    trainer = lm.Trainer(
        lm.Sequential([lm.Dense(3, activation="softmax")]), loss="sparse_categorical_crossentropy"
    )
    trainer.train_on_batch(x, y)
    with pytest.raises(lm.FileError, match="run"):
        trainer.save(tmp_path / "no" / "run.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_saving_replaces_the_whole_file(model, saved):
    other = everything(seed=9)
    other.save(saved)
    assert same_weights(lm.load_model(saved), other)
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


FULL_DISK = """
import resource, signal, sys
import lamina as lm
model = lm.Sequential([lm.Input((200,)), lm.Dense(200)], seed=1)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    model.save(sys.argv[1])
except lm.FileError as error:
    print("FileError:", error)
"""


def test_a_full_disk_leaves_the_old_file(saved, model):
    """The process may write 20 kB; the model has 160 kB."""
    before = saved.read_bytes()
    assert run_python(FULL_DISK, saved).startswith("FileError:")
    assert saved.read_bytes() == before
    assert [file.name for file in saved.parent.iterdir()] == [saved.name]


def test_killed_while_saving(saved, model):
    """Whenever the writer dies, the file at the path is one of the two whole ones."""
    code = """
import sys
import lamina as lm
big = lm.Sequential([lm.Input((1500,)), lm.Dense(1500)], seed=1)
big.predict([[0.0] * 1500])
print("ready", flush=True)
while True:
    big.save(sys.argv[1])
"""
    for wait in (0.0, 0.004, 0.011):
        writer = subprocess.Popen([sys.executable, "-c", code, saved], stdout=subprocess.PIPE)
        writer.stdout.readline()
        try:
            writer.wait(wait)
        except subprocess.TimeoutExpired:
            writer.kill()
        writer.wait()
        writer.stdout.close()
        loaded = lm.load_model(saved)
        assert loaded.count_params() in (model.count_params(), 1500 * 1501)


def test_unbuilt_model_can_not_be_saved(tmp_path):
    with pytest.raises(lm.StateError, match="buil"):
        lm.Sequential([lm.Dense(3)]).save(tmp_path / "m.safetensors")
    assert os.listdir(tmp_path) == []


def test_paths_may_be_strings_and_unicode(model, tmp_path):
    path = str(tmp_path / "Modell für Übung.safetensors")
    model.save(path)
    assert same_weights(lm.load_model(path), model)
