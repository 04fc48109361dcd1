"""lm.data.Dataset: memory that others write into, threads that end, and what is read of odd sources."""

import gc
import threading

import numpy as np
import pytest

import lamina as lm

Dataset = lm.data.Dataset


def reused_buffer():
    buffer = np.zeros((4, 1), np.float32)
    for i in range(8):
        buffer[:] = i
        yield buffer, buffer[:, 0]


@pytest.mark.parametrize(
    "change",
    [lambda d: d, lambda d: d.batch(4), lambda d: d.batch(3), lambda d: d.map(lambda *parts: parts)],
)
def test_prefetch_changes_no_batch_of_a_generator_that_reuses_its_memory(change):
    plain = [y.copy() for _, y in change(Dataset.from_generator(reused_buffer))]
    ahead = [y for _, y in change(Dataset.from_generator(reused_buffer)).prefetch(3)]
    assert [y.tolist() for y in ahead] == [y.tolist() for y in plain]


def test_a_function_may_write_into_what_map_gives_it():
    x, y = np.ones((8, 2)), np.zeros(8)

    def double(a, b):
        a *= 2
        return a, b

    data = Dataset.from_arrays(x, y).map(double).batch(4)
    for _ in range(2):
        assert all((batch == 2).all() for batch, _ in data)
    assert (x == 1).all()


def test_rows_are_not_known_behind_a_map_that_changes_them():
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    data = Dataset.from_arrays(x, y).map(lambda a, b: (a[b == 0], b[b == 0])).batch(4)
    assert len(list(data)) == 3
    assert data.rows is None

    seen = {}

    class Look(lm.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.update(self.params)

    doubled = Dataset.from_arrays(x, y).map(lambda a, b: (np.r_[a, a], np.r_[b, b])).batch(4)
    trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", seed=0)
    trainer.fit(doubled, verbose=0, callbacks=[Look()])
    assert (seen["steps"], seen["samples"]) == (None, None)


@pytest.mark.parametrize("ending", ["stop", "steps", "error", "evaluation"])
def test_the_thread_of_prefetch_ends_with_fit(ending):
    def threads():
        return [thread for thread in threading.enumerate() if thread.name == "lamina-prefetch"]

    class End(lm.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if ending == "error":
                raise RuntimeError("enough")
            self.trainer.stop_training = ending == "stop"

    trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", seed=0)
    data = Dataset.from_arrays(np.zeros((2000, 4), np.float32), np.zeros(2000)).batch(5).prefetch()
    trainer.fit(data, verbose=0, steps_per_epoch=1)
    gc.disable()  # nothing may wait for it
    try:
        for _ in range(3):
            if ending == "error":
                with pytest.raises(RuntimeError, match="enough"):
                    trainer.fit(data, verbose=0, callbacks=[End()])
            elif ending == "evaluation":
                other = Dataset.from_arrays(np.zeros((2000, 3)), np.zeros(2000)).batch(5).prefetch()
                with pytest.raises(lm.ShapeError):
                    trainer.evaluate(other)
            else:
                steps = 3 if ending == "steps" else None
                trainer.fit(data, verbose=0, callbacks=[End()], steps_per_epoch=steps)
            assert threads() == []
    finally:
        gc.enable()


def test_going_on_behind_the_end_of_a_pass_begins_one_pass():
    begun = []

    def batches():
        begun.append(1)
        for _ in range(4):
            yield np.zeros((2, 3)), np.zeros(2)

    trainer = lm.Trainer(lm.Sequential([lm.Dense(1)]), loss="mse", seed=0)
    trainer.fit(Dataset.from_generator(batches), epochs=5, steps_per_epoch=4, verbose=0)
    assert len(begun) == 5

    def once():
        if len(begun) == 5:
            begun.append(1)
            yield np.zeros((2, 3)), np.zeros(2)

    with pytest.raises(lm.DataError, match=r"expected 3 batches in an epoch, got .* ended after 1"):
        trainer.fit(Dataset.from_generator(once), epochs=1, steps_per_epoch=3, verbose=0)


def test_numbers_of_numpy_are_whole_numbers():
    data = Dataset.from_arrays(np.arange(6)).shuffle(np.int64(3), seed=np.uint8(1)).batch(np.int32(4))
    assert [len(x) for x in data.prefetch(np.int64(1))] == [4, 2]
