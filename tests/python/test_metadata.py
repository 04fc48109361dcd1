"""Texts of the user's in model files and checkpoints."""

import copy
import json
import pickle
import struct

import pytest
from helpers import small_classifier

import lamina as lm

TEXTS = {"units": "mm", "notes": 'é "quoted"\n\0 and more', "empty": ""}


@pytest.fixture
def model():
    result = small_classifier()
    result.build((4,))
    return result


def test_texts_come_back(tmp_path, model):
    assert model.metadata == {}
    model.save(tmp_path / "a", metadata=TEXTS)
    assert model.metadata == {}
    loaded = lm.load_model(tmp_path / "a")
    assert loaded.metadata == TEXTS
    loaded.save(tmp_path / "b")  # and go on with the model
    for other in (lm.load_model(tmp_path / "b"), loaded.clone(), copy.deepcopy(loaded)):
        assert other.metadata == TEXTS
    assert pickle.loads(pickle.dumps(loaded)).metadata == TEXTS
    loaded.metadata = {"other": "1"}
    loaded.save(tmp_path / "c")
    assert lm.load_model(tmp_path / "c").metadata == {"other": "1"}


def test_checkpoints_keep_them(tmp_path, model):
    model.metadata = TEXTS
    lm.Trainer(model, loss="sparse_categorical_crossentropy").save(tmp_path / "run")
    assert lm.Trainer.load(tmp_path / "run").model.metadata == TEXTS
    assert lm.load_model(tmp_path / "run").metadata == TEXTS


def test_the_checksum_covers_them(tmp_path, model):
    model.save(tmp_path / "a", {"unit": "mm"})
    data = (tmp_path / "a").read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    assert header["__metadata__"]["unit"] == "mm"
    (tmp_path / "a").write_bytes(data.replace(b'"mm"', b'"cm"'))
    with pytest.raises(lm.FormatError, match="checksum"):
        lm.load_model(tmp_path / "a")


@pytest.mark.parametrize(
    "metadata",
    [{"lamina": "x"}, {"lamina.crc32": "0"}, {"trainer": "{}"}, {"a": 1}, {1: "a"}, ["a"], {"a": "\ud800"}],
)
def test_what_can_not_be_kept(tmp_path, model, metadata):
    with pytest.raises(lm.ArgumentError):
        model.save(tmp_path / "a", metadata)
    with pytest.raises(lm.ArgumentError):
        model.metadata = metadata
    assert list(tmp_path.iterdir()) == []


def test_too_much_text(tmp_path, model):
    with pytest.raises(lm.ArgumentError, match="4 MB"):
        model.save(tmp_path / "a", {"a": "x" * 5_000_000})
    assert list(tmp_path.iterdir()) == []
