"""`lamina bench`: training steps and predictions of lamina and of NumPy, side by side, on this machine.

`main` starts a process of its own, because NumPy's BLAS takes its number of threads when it is loaded.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np

import lamina as lm
from lamina._workload import EPSILON, ROWS, NumpyNetwork, Workload

_CHECKED_STEPS, _TOLERANCE = 5, 1e-4
_THREAD_VARIABLES = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "LAMINA_NUM_THREADS"]
_FORMAT = "{:<22} {:<20} {:>5} {:>6} {:>10} {:>10} {:>7}"

Work = Callable[[int], object]  # does it so many times


def main(threads: int = 1, quick: bool = False) -> int:
    """Run the benchmark in a process of its own, with so many threads for both; returns its exit code."""
    environment = {**os.environ, **dict.fromkeys(_THREAD_VARIABLES, str(threads))}
    for preset in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):  # they would slow NumPy down on other CPUs
        environment.pop(preset, None)
    command = [sys.executable, "-m", "lamina._bench", *(["--quick"] if quick else [])]
    return subprocess.run(command, env=environment, check=False).returncode


def trainer_of(workload: Workload, seed: int = 0) -> lm.Trainer:
    """Return a trainer for a workload, with its initial weights."""
    hidden = [lm.Dense(width, activation="relu") for width in workload.widths[1:-1]]
    softmax = workload.loss == "softmax"
    last = lm.Dense(workload.widths[-1], activation="softmax" if softmax else "linear")
    model = lm.Sequential([lm.Input((workload.widths[0],)), *hidden, last])
    model.set_weights(workload.weights(seed))
    rate = workload.learning_rate
    return lm.Trainer(
        model,
        optimizer=lm.optimizers.Adam(rate, epsilon=EPSILON)
        if workload.optimizer == "adam"
        else lm.optimizers.SGD(rate),
        loss="sparse_categorical_crossentropy" if softmax else "mse",
        seed=seed,
    )


def _check(workload: Workload) -> None:
    """Raise AssertionError unless both compute the same losses from the same weights."""
    x, y = workload.data()
    trainer, network = trainer_of(workload), NumpyNetwork(workload, workload.weights())
    for i in range(_CHECKED_STEPS):
        batch = slice(i * workload.batch, (i + 1) * workload.batch)
        ours, theirs = trainer.train_on_batch(x[batch], y[batch])["loss"], network.step(x[batch], y[batch])
        if abs(ours - theirs) > _TOLERANCE * abs(theirs):
            raise AssertionError(f"{workload.name}, step {i + 1}: losses differ, {ours} and {theirs}.")


def _training(workload: Workload) -> tuple[Work, Work]:
    """Return what passes over the data: lamina's `fit`, and a loop of NumPy steps."""
    x, y = workload.data()
    trainer, network = trainer_of(workload), NumpyNetwork(workload, workload.weights())
    size = workload.batch
    batches = [(x[i : i + size], y[i : i + size]) for i in range(0, len(x), size)]

    def ours(passes: int) -> None:
        trainer.fit(x, y, epochs=passes, batch_size=size, shuffle=False, verbose=0)

    def theirs(passes: int) -> None:
        for _ in range(passes):
            for batch in batches:
                network.step(*batch)

    return ours, theirs


def _prediction(workload: Workload, rows: int) -> tuple[Work, Work]:
    model, network = trainer_of(workload).model, NumpyNetwork(workload, workload.weights())
    x = np.random.default_rng(1).standard_normal((rows, workload.widths[0]), dtype=np.float32)

    def repeated(predict: Callable[[np.ndarray], object]) -> Work:
        def work(times: int) -> None:
            for _ in range(times):
                predict(x)

        return work

    return repeated(model.predict), repeated(network.predict)


def interleaved(works: Sequence[Work], window: float, rounds: int) -> list[float]:
    """Return the median seconds of each work's single go, from windows taken in turn."""
    counts = []
    for work in works:
        work(1)
        start = perf_counter()
        work(1)
        counts.append(max(1, round(window / max(perf_counter() - start, 1e-7))))
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, count, taken in zip(works, counts, times, strict=True):
            start = perf_counter()
            work(count)
            taken.append((perf_counter() - start) / count)
    return [statistics.median(taken) for taken in times]


def _line(what: str, workload: Workload, rows: int, ours: float, theirs: float) -> None:
    optimizer = workload.optimizer if what.startswith("step") else ""
    times = f"{ours * 1e6:,.1f}", f"{theirs * 1e6:,.1f}"
    print(
        _FORMAT.format(what, workload.network, rows, optimizer, *times, f"{theirs / ours:.2f}x"), flush=True
    )


def _run(quick: bool) -> None:
    window, rounds = (0.02, 3) if quick else (0.2, 5)
    lm.show_config()
    print("\nmedian microseconds of windows taken in turn; one step or one call of predict\n")
    print(_FORMAT.format("", "network", "rows", "", "lamina", "NumPy", "ratio"))
    for row in ROWS.values():
        workload = replace(row, steps=min(row.steps, 8)) if quick else row
        _check(workload)
        ours, theirs = interleaved(_training(workload), window, rounds)
        _line(
            f"step {workload.name}", workload, workload.batch, ours / workload.steps, theirs / workload.steps
        )
    for name, rows in (("tiny", 1), ("mnist", 1), ("wide", 256 if quick else 4096)):
        ours, theirs = interleaved(_prediction(ROWS[name], rows), window, rounds)
        _line(f"predict {name}", ROWS[name], rows, ours, theirs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="lamina bench")
    parser.add_argument("--quick", action="store_true")
    _run(parser.parse_args().quick)
