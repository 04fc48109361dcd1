"""Threads: how many, from many at once, and after a fork."""

import threading

import numpy as np
import pytest
from helpers import run_python, same_weights

import lamina as lm


def wide(seed=0):
    return lm.Sequential([lm.Input((300,)), lm.Dense(500, activation="relu"), lm.Dense(10)], seed=seed)


def test_number_of_threads_can_be_set():
    for count in (1, 3, 2):
        lm.set_num_threads(count)
        assert lm.get_num_threads() == count


def test_number_of_threads_from_the_environment():
    code = "import lamina as lm; print(lm.get_num_threads())"
    assert run_python(code, LAMINA_NUM_THREADS="3").strip() == "3"


def test_default_number_of_threads_respects_affinity():
    code = """
import os
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
import lamina as lm
print(lm.get_num_threads())
"""
    environment = {"LAMINA_NUM_THREADS": ""}
    assert run_python(code, **environment).strip() == "1"


@pytest.mark.parametrize("threads", [1, 2])
def test_predictions_from_many_threads_at_once(rng, threads):
    lm.set_num_threads(threads)
    model = wide()
    inputs = [rng.normal(size=(200 + i, 300)).astype(np.float32) for i in range(8)]
    expected = [model.predict(x) for x in inputs]
    wrong = []

    def work(index):
        for _ in range(10):
            if not np.array_equal(model.predict(inputs[index]), expected[index]):
                wrong.append(index)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_training_two_models_at_once(rng):
    x, y = rng.normal(size=(400, 300)).astype(np.float32), rng.normal(size=(400, 10)).astype(np.float32)

    def train(model):
        lm.Trainer(model, optimizer="adam", loss="mse", seed=1).fit(x, y, epochs=2, verbose=0)

    alone, together = wide(), [wide(), wide()]
    train(alone)
    workers = [threading.Thread(target=train, args=(model,)) for model in together]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert same_weights(together[0], alone)
    assert same_weights(together[1], alone)


FORK = """
import os, sys
import numpy as np
import lamina as lm
lm.set_num_threads(2)
rng = np.random.default_rng(0)
x, y = rng.normal(size=(600, 300)).astype(np.float32), rng.normal(size=(600, 10)).astype(np.float32)

def train():
    model = lm.Sequential([lm.Input((300,)), lm.Dense(500, activation="relu"), lm.Dense(10)], seed=0)
    lm.Trainer(model, optimizer="adam", loss="mse", seed=1).fit(x, y, epochs=1, verbose=0)
    return model

before = train()
expected = before.predict(x)
for generation in range(2):
    pid = os.fork()
    if pid == 0:
        good = np.array_equal(before.predict(x), expected)
        good &= np.array_equal(train().flat_parameters, before.flat_parameters)
        lm.set_num_threads(3)
        good &= np.array_equal(before.predict(x), expected)
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, generation
assert np.array_equal(before.predict(x), expected)
print("fine")
"""


def test_fork_after_use():
    """A pool whose threads don't exist in the child would hang here: run_python's time is limited."""
    assert run_python(FORK).strip() == "fine"


def test_multiprocessing_with_fork():
    code = """
import multiprocessing
import numpy as np
import lamina as lm
model = lm.Sequential([lm.Input((300,)), lm.Dense(500), lm.Dense(10)], seed=0)
x = np.ones((500, 300), np.float32)
expected = model.predict(x)

def work(_):
    return model.predict(x)

with multiprocessing.get_context("fork").Pool(2) as pool:
    assert all(np.array_equal(p, expected) for p in pool.map(work, range(4)))
print("fine")
"""
    assert run_python(code).strip() == "fine"


def test_show_config(capsys):
    shown = lm.show_config()
    text = f"{shown}{capsys.readouterr().out}"
    for word in (lm.__version__, str(lm.get_num_threads())):
        assert word in text
    for word in ("isa", "threads", "compiler"):
        assert word in text.lower()


def test_threads_end_with_the_process():
    """Sleeping workers must not keep a process alive, nor crash it on its way out."""
    code = FORK.split("before = train()")[0] + "train(); print('done')"
    assert run_python(code, timeout=20).strip() == "done"
