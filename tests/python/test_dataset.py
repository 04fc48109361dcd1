"""lm.data.Dataset: every row once, in the order promised, however it is cut, shuffled and read ahead."""

import gc
import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from helpers import PEAK, numbered, rows_of, run_python, same_weights, small_classifier
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina as lm

Dataset = lm.data.Dataset
LOSS = "sparse_categorical_crossentropy"


def prefetch_threads():
    return [thread for thread in threading.enumerate() if thread.name == "lamina-prefetch"]


def wait_for_no_threads():
    for _ in range(200):
        if not prefetch_threads():
            return True
        time.sleep(0.01)
    return False


# ---- cutting


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    size=st.integers(1, 12),
    drop=st.booleans(),
)
def test_batches_of_any_pieces(pieces, size, drop):
    x, y, w = numbered(sum(pieces))
    cuts = np.cumsum([0, *pieces])
    parts = [(x[a:b], y[a:b], w[a:b]) for a, b in pairwise(cuts)]
    batches = list(Dataset.from_generator(lambda: iter(parts)).batch(size, drop_remainder=drop))
    expected = [size] * (len(x) // size) + ([len(x) % size] if len(x) % size and not drop else [])
    assert [len(batch[0]) for batch in batches] == expected
    got = np.concatenate([batch[1] for batch in batches]) if batches else np.empty(0)
    np.testing.assert_array_equal(got, y[: sum(expected)])


def test_batches_of_arrays_are_views():
    x, y, w = numbered(100)
    data = Dataset.from_arrays(x, y, w).batch(32)
    assert all(np.shares_memory(batch[0], x) for batch in data)
    assert rows_of(data) == (list(range(100)), [32, 32, 32, 4])
    assert data.rows == 100
    assert rows_of(Dataset.from_arrays(x, y, w).batch(32, drop_remainder=True))[1] == [32, 32, 32]
    assert Dataset.from_arrays(x, y, w).batch(32, drop_remainder=True).rows == 96
    assert rows_of(data.batch(50))[1] == [50, 50]
    assert [batch.shape for batch in Dataset.from_arrays(x).batch(60)] == [(60, 3), (40, 3)]


def test_memory_that_is_used_again_between_batches():
    """A generator may fill the same array again: rows held back for the next batch are copied."""

    def generate():
        x, y = np.empty((5, 1), np.float32), np.empty(5)
        for i in range(4):
            x[:], y[:] = i, i
            yield x, y

    got = [batch[1].copy() for batch in Dataset.from_generator(generate).batch(3)]
    np.testing.assert_array_equal(np.concatenate(got), np.repeat(np.arange(4), 5))


# ---- shuffling


@settings(max_examples=60, deadline=None)
@given(rows=st.integers(1, 80), size=st.integers(1, 30), buffer=st.integers(1, 100), seed=st.integers(0, 5))
def test_shuffling_keeps_rows_and_sizes(rows, size, buffer, seed):
    x, y, w = numbered(rows)
    plain = Dataset.from_arrays(x, y, w).batch(size)
    got, sizes = rows_of(plain.shuffle(buffer, seed))
    assert sorted(got) == list(range(rows))
    assert sizes == rows_of(plain)[1]
    # A row goes out when later ones come in: never more than those held too early.
    assert all(row - place <= buffer + max(1, buffer // 4) for place, row in enumerate(got))
    assert rows_of(plain.shuffle(buffer, seed))[0] == got


def test_a_buffer_of_one_shuffles_nothing():
    assert rows_of(Dataset.from_arrays(*numbered(50)).shuffle(1, 0).batch(7))[0] == list(range(50))


def test_a_full_buffer_shuffles_evenly():
    """Each of 12 rows comes out at each of 12 places: chi-square with 121 degrees of freedom, p > 1e-4."""
    counts = np.zeros((12, 12))
    data = Dataset.from_arrays(*numbered(12)).shuffle(12, seed=5)
    for _ in range(1200):
        got, _ = rows_of(data)
        counts[got, np.arange(12)] += 1
    assert ((counts - 100) ** 2 / 100).sum() < 185


def test_a_small_buffer_mixes_across_its_length():
    got, _ = rows_of(Dataset.from_arrays(*numbered(2000)).batch(20).shuffle(200, seed=3))
    shift = np.abs(np.array(got) - np.arange(2000))
    assert 100 < shift.mean() < 400
    assert got != sorted(got)


def test_order_goes_by_seed_and_epoch():
    def orders(passes=3, **options):
        data = Dataset.from_arrays(*numbered(60)).shuffle(60, **options).map(lambda *parts: parts).prefetch()
        return [rows_of(data)[0] for _ in range(passes)]

    first = orders(seed=1)
    assert first == orders(seed=1)
    assert first[0] != first[1] != first[2]
    assert first[0] != orders(seed=2)[0]
    same = orders(seed=1, reshuffle_each_iteration=False)
    assert same[0] == same[1] == same[2] == first[0]
    assert orders(1) != orders(1)  # without a seed


def test_types_widen_in_the_buffer():
    parts = [(np.arange(4), np.zeros(4)), (np.arange(4) + 0.5, np.zeros(4))]
    got = np.concatenate([b[0] for b in Dataset.from_generator(lambda: parts).shuffle(5, 0)])
    np.testing.assert_array_equal(np.sort(got), np.arange(8) / 2)


# ---- map


def test_map_gets_what_there_is():
    x, y, _ = numbered(10)
    assert [b.tolist() for b in Dataset.from_arrays(y).batch(4).map(lambda x: x * 2)] == [
        [0, 2, 4, 6], [8, 10, 12, 14], [16, 18],
    ]  # fmt: skip
    (batch,) = Dataset.from_arrays(x, y).map(lambda x, y: (x + 1, y, np.ones(len(y))))
    np.testing.assert_array_equal(batch[0], x + 1)
    assert len(batch) == 3
    ((_, kept),) = Dataset.from_arrays(x, y).map(lambda x, y: (x[y > 3], y[y > 3])).batch(100)
    assert kept.tolist() == [4, 5, 6, 7, 8, 9]


# ---- reading ahead


def test_prefetch_gives_the_same_and_its_thread_ends():
    data = Dataset.from_arrays(*numbered(100)).batch(8)
    assert rows_of(data.prefetch(3)) == rows_of(data)
    assert wait_for_no_threads()


def test_prefetch_reads_ahead_and_no_further():
    asked = []

    def generate():
        for i in range(100):
            asked.append(i)
            yield np.full((2, 1), i)

    batches = iter(Dataset.from_generator(generate).prefetch(4))
    assert next(batches)[0, 0] == 0
    for _ in range(200):
        if len(asked) >= 6:
            break
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(asked) == 6  # one given out, four in the queue, one in the thread's hands
    batches.close()


@pytest.mark.parametrize("end", ["close", "forget", "error"])
def test_an_abandoned_pass_ends_its_thread(end):
    assert wait_for_no_threads()
    closed = threading.Event()

    def generate():
        try:
            while True:
                yield np.zeros((2, 1))
        finally:
            closed.set()

    batches = iter(Dataset.from_generator(generate).prefetch(2))
    next(batches)
    assert len(prefetch_threads()) == 1
    if end == "close":
        batches.close()
    elif end == "error":
        with pytest.raises(KeyError):
            batches.throw(KeyError("mine"))
    del batches
    gc.collect()
    assert wait_for_no_threads()
    assert closed.is_set()


def test_errors_of_the_thread_come_where_they_belong():
    class Mine(Exception):
        pass

    def generate():
        yield np.zeros((2, 1))
        yield np.ones((2, 1))
        raise Mine("third batch")

    batches = iter(Dataset.from_generator(generate).prefetch(8))
    assert [next(batches)[0, 0], next(batches)[0, 0]] == [0, 1]
    with pytest.raises(Mine, match="third batch"):
        next(batches)
    assert wait_for_no_threads()


FORK = """
import os, sys
import numpy as np
import lamina as lm

x = np.arange(4000, dtype=np.float32).reshape(1000, 4)
data = lm.data.Dataset.from_arrays(x, x[:, 0]).shuffle(100, seed=1).batch(10).prefetch(4)
expected = [batch[1].sum() for batch in data]
half = iter(data)
next(half)
child = os.fork()
if child == 0:
    try:
        next(half)
        os._exit(3)
    except lm.StateError:
        pass
    half = None  # must not wait for the parent's thread
    data.source.source.passes = 0
    os._exit(0 if [batch[1].sum() for batch in data] == expected else 4)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 0, status
assert len(list(half)) == 99
print("fine")
"""


def test_prefetch_after_fork():
    assert run_python(FORK, timeout=30).strip() == "fine"


# ---- training


def trainer_of(seed=1):
    return lm.Trainer(
        small_classifier(seed=seed), lm.optimizers.Adam(0.01), LOSS, metrics=["accuracy"], seed=2
    )


@pytest.mark.parametrize("kind", ["arrays", "map", "npy", "npz", "csv", "generator", "subclass"])
def test_fit_equals_fit_on_arrays(classes, tmp_path, kind):
    x, y = classes
    w = np.linspace(0.5, 1.5, len(y)).astype(np.float32)
    arrays = Dataset.from_arrays(x, y, w)
    if kind == "arrays":
        data = arrays
    elif kind == "map":
        data = Dataset.from_arrays(x / 2, y, w).map(lambda x, y, w: (2 * x, y, w)).prefetch()
    elif kind in ("npy", "npz"):
        parts = {"x": x, "y": y, "sample_weight": w}
        for start in (0, 50):
            for name, part in parts.items():
                np.save(tmp_path / f"{name}_{start}.npy", part[start : start + 50])
            if kind == "npz":
                np.savez(tmp_path / f"{start}.npz", **{n: p[start : start + 50] for n, p in parts.items()})
        data = Dataset.from_folder(tmp_path)
    elif kind == "csv":
        np.savetxt(tmp_path / "t.csv", np.column_stack([x, y]), delimiter=",")
        data = Dataset.from_csv(tmp_path / "t.csv").map(lambda x, y: (x, y, np.ones(len(y))))
        w = np.ones(len(y))
    elif kind == "generator":
        data = Dataset.from_generator(lambda: zip(x, y, w, strict=True), each="row")
    else:

        class Mine(Dataset):
            def __iter__(self):
                for start in range(0, len(x), 16):
                    yield x[start : start + 16], y[start : start + 16], w[start : start + 16]

        data = Mine()
    got, expected = trainer_of(), trainer_of()
    history = got.fit(data, epochs=3, batch_size=16, validation_data=data, verbose=0)
    other = expected.fit(
        x, y, sample_weight=w, epochs=3, batch_size=16, shuffle=False, validation_data=(x, y, w), verbose=0
    )
    assert same_weights(got.model, expected.model)
    for name, values in other.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-6)
    logs = expected.evaluate(x, y, sample_weight=w)
    assert got.evaluate(data) == pytest.approx(logs, rel=1e-6)
    np.testing.assert_array_equal(got.predict(data), expected.predict(x))
    np.testing.assert_array_equal(got.model(Dataset.from_arrays(x)), expected.predict(x))
    np.testing.assert_array_equal(got.model.predict(data, batch_size=7), expected.predict(x))


def test_steps_and_rows_are_told(classes):
    x, y = classes
    told = {}

    class Note(lm.callbacks.Callback):
        def on_train_begin(self, logs=None):
            told.update(self.params)

    trainer_of().fit(Dataset.from_arrays(x, y).shuffle(90), batch_size=20, callbacks=[Note()], verbose=0)
    assert (told["samples"], told["steps"]) == (90, 5)
    unknown = Dataset.from_generator(lambda: [(x, y)])
    trainer_of().fit(unknown, callbacks=[Note()], verbose=0)
    assert (told["samples"], told["steps"]) == (None, None)
    trainer_of().fit(Dataset.from_arrays(x, y), steps_per_epoch=2, callbacks=[Note()], verbose=0)
    assert (told["samples"], told["steps"]) == (None, 2)


def test_every_epoch_has_its_order_and_going_on_keeps_it(classes, tmp_path):
    """Four epochs at once, and two and two by way of a checkpoint, are the same bits."""
    x, y = classes

    def data():
        return Dataset.from_arrays(x, y).shuffle(40, seed=9).batch(16).prefetch()

    whole = trainer_of()
    losses = whole.fit(data(), epochs=4, verbose=0).history["loss"]
    half = trainer_of()
    half.fit(data(), epochs=2, verbose=0)
    half.save(tmp_path / "half.safetensors")
    rest = lm.Trainer.load(tmp_path / "half.safetensors")
    rest.fit(data(), epochs=4, initial_epoch=2, verbose=0)
    assert same_weights(rest.model, whole.model)
    unshuffled = trainer_of()
    unshuffled.fit(Dataset.from_arrays(x, y), epochs=4, batch_size=16, verbose=0)
    assert not same_weights(unshuffled.model, whole.model)
    assert len(set(losses)) == 4


def test_an_endless_dataset_with_steps(classes):
    x, y = classes

    def endless():
        while True:
            yield x[:30], y[:30]

    history = trainer_of().fit(
        Dataset.from_generator(endless).prefetch(), epochs=3, steps_per_epoch=4, verbose=0
    )
    assert len(history.epoch) == 3
    gc.collect()
    assert wait_for_no_threads()


def test_an_error_in_the_thread_ends_training(classes):
    x, y = classes

    def generate():
        yield x[:30], y[:30]
        yield x[30:60], y[30:60]
        raise OSError("the disk is gone")

    trainer = trainer_of()
    with pytest.raises(OSError, match="the disk is gone"):
        trainer.fit(Dataset.from_generator(generate).prefetch(1), epochs=1, verbose=0)
    gc.collect()
    assert wait_for_no_threads()


WATCH = f"""{PEAK}
import resource, sys
import numpy as np
import lamina as lm

folder, kind = sys.argv[1:]
model = lm.Sequential([lm.Dense(4, activation="relu"), lm.Dense(1)])
trainer = lm.Trainer(model, "sgd", "mse")
small = np.zeros((512, 1000), np.float32)
trainer.fit(lm.data.Dataset.from_arrays(small, small[:, 0]).shuffle(1000, 1).batch(64).prefetch(2), verbose=0)

def held():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmData")) * 1024

resource.setrlimit(resource.RLIMIT_DATA, (held() + 60 * 2**20, resource.RLIM_INFINITY))
if kind == "whole":
    try:
        np.concatenate([np.load(f"{{folder}}/x-{{i}}.npy") for i in range(6)])
    except MemoryError:
        print("too much")
else:
    data = lm.data.Dataset.from_folder(folder)
    assert data.rows == 36_000
    history = trainer.fit(data.shuffle(1000, seed=1).batch(64).prefetch(2), epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    assert model.predict(data).shape == (36_000, 1)
    print("fine")
"""


def test_data_larger_than_memory(tmp_path):
    """144 MB of rows for a process that may have 60 MiB more: arrays don't fit, the stream does."""
    x = np.random.default_rng(0).integers(0, 255, (6000, 1000)).astype(np.float32) / 255
    for i in range(6):
        np.save(tmp_path / f"x-{i}.npy", x)
        np.save(tmp_path / f"y-{i}.npy", x[:, 0])
    assert run_python(WATCH, tmp_path, "whole").strip() == "too much"
    assert run_python(WATCH, tmp_path, "stream").strip() == "fine"
    for i in range(6):
        (tmp_path / f"x-{i}.npy").unlink()
        np.savez(tmp_path / f"{i}.npz", x=x, y=x[:, 0])
    assert run_python(WATCH, tmp_path, "stream").strip() == "fine"


# ---- mistakes


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x, y: Dataset.from_arrays(None, y), "expected x"),
        (lambda x, y: Dataset.from_arrays(x, y[:-1]), "90 in x, 89 in y"),
        (lambda x, y: Dataset.from_arrays(x, None, y), "beside y"),
        (lambda x, y: Dataset.from_arrays(x, y).batch(0), "batch_size"),
        (lambda x, y: Dataset.from_arrays(x, y).shuffle(0), "buffer_size"),
        (lambda x, y: Dataset.from_arrays(x, y).shuffle(10, seed=-1), "seed"),
        (lambda x, y: Dataset.from_arrays(x, y).prefetch(0), "buffer_size"),
        (lambda x, y: Dataset.from_arrays(x, y).map(3), "function"),
        (lambda x, y: Dataset.from_generator(iter([(x, y)])), "without calling"),
        (lambda x, y: Dataset.from_generator(lambda: 0, each="pixel"), "'pixel'"),
        (lambda x, y: list(Dataset.from_arrays(x, y).map(lambda x, y: (x, y[:3]))), r"\[90, 3\]"),
        (lambda x, y: list(Dataset.from_generator(lambda: [(x, y, y, y)]).batch(2)), "tuple of 4"),
        (lambda x, y: list(Dataset.from_generator(lambda: [(x, y), (x[:, :2], y)]).batch(100)), r"\(2,\)"),
        (lambda x, y: list(Dataset.from_generator(lambda: [(x, y), (x[:, :2], y)]).shuffle(9)), r"\(2,\)"),
        (lambda x, y: list(Dataset.from_generator(lambda: [(1, 2), ([1], 3)], each="row")), "one shape"),
        (lambda x, y: trainer_of().fit(Dataset.from_arrays(x, y), y), "alone"),
        (lambda x, y: trainer_of().fit(Dataset.from_arrays(x, y), batch_size="full"), "'full'"),
        (lambda x, y: trainer_of().fit(Dataset.from_arrays(x, y), validation_split=0.1), "arrays only"),
        (lambda x, y: trainer_of().fit(Dataset.from_arrays(x)), r"\(x, y\)"),
        (lambda x, y: trainer_of().fit(Dataset.from_arrays(x[:0], y[:0])), "at least one batch"),
    ],
)  # fmt: skip
def test_mistakes(classes, make, words):
    with pytest.raises(ValueError, match=words) as caught:
        make(*classes)
    assert isinstance(caught.value, lm.LaminaError)


def test_a_subclass_without_an_iterator():
    class Mine(Dataset):
        pass

    with pytest.raises(NotImplementedError, match=r"Mine.*__iter__"):
        next(iter(Mine()))
