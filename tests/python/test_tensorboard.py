"""The TensorBoard callback: what it wrote, read record by record, and by TensorBoard's own reader."""

import struct
import sys

import numpy as np
import pytest
from helpers import same_weights

import lamina as lm


def trained(classes, folder, epochs=3, seed=1, **options):
    x, y = classes
    model = lm.Sequential(
        [lm.Dense(8, "relu", name="first layer"), lm.BatchNormalization(), lm.Dense(3, "softmax")], seed=1
    )
    trainer = lm.Trainer(model, "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], seed=seed)
    callbacks = [] if folder is None else [lm.callbacks.TensorBoard(folder, **options)]
    history = trainer.fit(x, y, epochs=epochs, validation_split=0.2, verbose=0, callbacks=callbacks)
    return trainer, history.history


@pytest.fixture
def tensorboardx():
    return pytest.importorskip(
        "tensorboardX", reason="tensorboardX isn't installed: the TensorBoard callback is not tried"
    )


def events(folder):
    """The events of the files of a folder: each record is a length, a checksum, bytes, a checksum."""
    from tensorboardX.proto.event_pb2 import Event

    result = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            (size,) = struct.unpack("<Q", data[:8])
            result.append(Event.FromString(data[12 : 12 + size]))
            data = data[16 + size :]
    return result


def scalars(folder):
    """{tag: [(step, value), ...]}"""
    found = {}
    for event in events(folder):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_scalars_are_the_history(tensorboardx, classes, tmp_path):
    _, history = trained(classes, tmp_path / "logs")
    train, validation = scalars(tmp_path / "logs" / "train"), scalars(tmp_path / "logs" / "validation")
    assert set(train) == {"epoch_loss", "epoch_accuracy", "epoch_learning_rate"}
    assert set(validation) == {"epoch_loss", "epoch_accuracy"}
    for prefix, part in (("", train), ("val_", validation)):
        for tag, points in part.items():
            values = history[prefix + tag.removeprefix("epoch_")]
            assert [step for step, _ in points] == [0, 1, 2]
            np.testing.assert_allclose([value for _, value in points], values, rtol=1e-6)


def test_batches_and_speed(tensorboardx, classes, tmp_path):
    trained(classes, tmp_path, epochs=2, update_freq=2, write_steps_per_second=True)
    found = scalars(tmp_path / "train")
    assert [step for step, _ in found["batch_loss"]] == [2, 4, 6]  # 72 rows by 32 are three steps an epoch
    assert len(found["batch_accuracy"]) == 3
    assert all(value > 0 for _, value in found["epoch_steps_per_second"])
    trained(classes, tmp_path / "each", epochs=2, update_freq="batch")
    assert [step for step, _ in scalars(tmp_path / "each" / "train")["batch_loss"]] == [1, 2, 3, 4, 5, 6]


def test_two_trainings_in_one_folder_share_no_file(tensorboardx, classes, tmp_path):
    trained(classes, tmp_path, epochs=1)
    trained(classes, tmp_path, epochs=1)
    assert len(list((tmp_path / "train").iterdir())) == 2
    assert len(scalars(tmp_path / "train")["epoch_loss"]) == 2


def test_writing_changes_nothing(tensorboardx, classes, tmp_path):
    one, _ = trained(classes, tmp_path, histogram_freq=1, update_freq="batch")
    other, _ = trained(classes, None)
    assert same_weights(one.model, other.model)


def test_files_are_closed_when_training_fails(tensorboardx, classes, tmp_path):
    x, y = classes

    class Fail(lm.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("mine")

    board = lm.callbacks.TensorBoard(tmp_path)
    trainer = lm.Trainer(lm.Sequential([lm.Dense(3, "softmax")]), loss="sparse_categorical_crossentropy")
    with pytest.raises(RuntimeError, match="mine"):
        trainer.fit(x, y, epochs=2, verbose=0, callbacks=[board, Fail()])
    assert board._files == {}
    assert len(scalars(tmp_path / "train")["epoch_loss"]) == 1


def test_weights_that_are_not_finite(tensorboardx, classes, tmp_path):
    x, y = classes
    trainer = lm.Trainer(
        lm.Sequential([lm.Input((6,)), lm.Dense(3, "softmax")]), lm.optimizers.SGD(0.0),
        "sparse_categorical_crossentropy",
    )  # fmt: skip
    trainer.model.trainable = False
    trainer.model.layers[0].bias[:] = np.nan
    trainer.model.layers[0].kernel[0, 0] = np.inf
    with pytest.warns(lm.NumericalWarning):
        trainer.fit(x, y, verbose=0, callbacks=[lm.callbacks.TensorBoard(tmp_path, histogram_freq=1)])
    tags = {
        v.tag: v.histo.num for e in events(tmp_path / "train") for v in e.summary.value if v.HasField("histo")
    }
    assert tags == {"dense/kernel/histogram": 17}


def test_tensorboard_reads_it_back(tensorboardx, classes, tmp_path):
    """TensorBoard's own reader, which checks every record's checksum."""
    reason = "tensorboard isn't installed: what TensorBoard makes of the files is not tried"
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason=reason)
    trainer, history = trained(classes, tmp_path, histogram_freq=2)
    everything = dict.fromkeys((reader.SCALARS, reader.HISTOGRAMS), 0)
    train = reader.EventAccumulator(str(tmp_path / "train"), size_guidance=everything).Reload()
    np.testing.assert_allclose([e.value for e in train.Scalars("epoch_loss")], history["loss"], rtol=1e-6)
    assert [e.step for e in train.Scalars("epoch_accuracy")] == [0, 1, 2]
    validation = reader.EventAccumulator(str(tmp_path / "validation")).Reload()
    np.testing.assert_allclose(
        [e.value for e in validation.Scalars("epoch_loss")], history["val_loss"], rtol=1e-6
    )

    assert set(train.Tags()["histograms"]) == {
        f"{layer.name.replace(' ', '_')}/{name}/histogram"
        for layer in trainer.model.layers
        for name in layer._weight_names()
    }
    *_, event = train.Histograms("dense/kernel/histogram")
    assert [event.step for event in train.Histograms("dense/kernel/histogram")] == [0, 2]
    assert event.histogram_value.num == 24
    assert sum(event.histogram_value.bucket) == 24

    kernel = trainer.model.layers[2].kernel.astype(np.float64)
    value = event.histogram_value
    np.testing.assert_allclose([value.min, value.max], [kernel.min(), kernel.max()], rtol=1e-6)
    np.testing.assert_allclose([value.sum, value.sum_squares], [kernel.sum(), (kernel**2).sum()], rtol=1e-6)
    edges = np.array([value.min, *value.bucket_limit])
    for limit, count in zip(edges[1:], np.cumsum(value.bucket), strict=True):
        assert abs(count - (kernel <= limit + 1e-9).sum()) <= 1  # a value on an edge may count on either side

    graph = train.Graph()
    nodes = {node.name: node for node in graph.node}
    assert list(nodes["first_layer/Dense"].input) == ["x", "first_layer/kernel", "first_layer/bias"]
    assert nodes["dense/Dense"].op == "Dense"
    assert nodes["dense/Dense"].input[0] == "batch_normalization/BatchNormalization"
    assert list(nodes["loss/SparseCategoricalCrossentropy"].input) == ["dense/Dense", "y"]
    (shape,) = nodes["first_layer/kernel"].attr["_output_shapes"].list.shape
    assert [dim.size for dim in shape.dim] == [6, 8]
    (shape,) = nodes["x"].attr["_output_shapes"].list.shape
    assert [dim.size for dim in shape.dim] == [-1, 6]
    assert all(name in nodes for node in graph.node for name in node.input)


def test_names_of_nodes_are_ones_own(tensorboardx, classes):
    from lamina._tensorboard import graph_of

    layers = [lm.Input((2,))] + [lm.Dense(2, name=name) for name in ("x", "a b", "a_b", "é", "y")]
    names = [name for name, *_ in graph_of(lm.Trainer(lm.Sequential(layers), loss="mse"))]
    assert len(set(names)) == len(names)
    assert [n for n in names if n.endswith("/Dense")] == [
        "x_1/Dense", "a_b/Dense", "a_b_1/Dense", "layer_/Dense", "y_1/Dense",
    ]  # fmt: skip


# ---- mistakes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"histogram_freq": -1}, "histogram_freq"),
        ({"histogram_freq": 1.5}, "histogram_freq"),
        ({"update_freq": "step"}, "'step'"),
        ({"update_freq": 0}, "update_freq"),
    ],
)
def test_arguments(options, words):
    with pytest.raises(lm.ArgumentError, match=words):
        lm.callbacks.TensorBoard(**options)


def test_a_folder_that_cannot_be_made(tensorboardx, classes, tmp_path):
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(lm.FileError, match="logs"):
        trained(classes, tmp_path / "logs")


def test_without_tensorboardx(classes, tmp_path, monkeypatch):
    for name in ("tensorboardX", "tensorboardX.event_file_writer"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"pip install 'lamina\[tensorboard\]'"):
        trained(classes, tmp_path / "logs")
    assert not (tmp_path / "logs").exists()
