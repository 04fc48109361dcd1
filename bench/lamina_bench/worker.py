"""One peer in a process of its own: `python -m lamina_bench.worker LABEL ROW THREADS`.

It is bound to as many CPUs as it has threads. It reads one request a line from stdin, a JSON list of a
method and its arguments, and answers with one JSON value a line. It works only between the two, so that
workers which take turns don't disturb each other.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from time import perf_counter, process_time, sleep

from .environment import cpus


class Worker:
    """The requests."""

    def __init__(self, label: str, row: str, threads: int) -> None:
        from .peers import peer_class
        from .workloads import PREDICTION, workload_named

        self.label = label
        self.workload = workload_named(row)
        self.rows = PREDICTION[row][1] if row in PREDICTION else 0
        self.peer = peer_class(label)(self.workload, threads)
        self.peer.start(self.workload.weights(), 0)
        self.count = 1  # of what is timed, in a window

    def losses(self, steps: int) -> list[float]:
        """Losses of the first steps, from the initial weights."""
        from .workloads import batch_of

        x, y = self.workload.data()
        return self.peer.losses([batch_of(self.workload, x, y, i) for i in range(steps)])

    def predict(self, rows: int) -> list[list[float]]:
        """What the weights at hand predict for the first rows."""
        result: list[list[float]] = self.peer.predict(self.workload.data()[0][:rows]).tolist()
        return result

    def calibrate(self, window: float) -> int:
        """Warm up, and find how often a window does it."""
        if self.rows:
            x, _ = self.workload.data()
            self.x = x[: self.rows].copy()
            if len(self.x) < self.rows:
                self.x = x.repeat(-(-self.rows // len(x)), axis=0)[: self.rows].copy()
        else:
            self.peer.bind(*self.workload.data())
        self._go(1)
        taken = self._go(1)
        self.count = max(1, round(window / max(taken, 1e-7)))
        taken = self._go(self.count)  # the first call may have been slow for other reasons
        self.count = max(1, round(window / max(taken / self.count, 1e-7)))
        return self.count

    def window(self) -> list[float]:
        """Wall and processor seconds of one step, or of one call of predict."""
        processor = process_time()
        taken = self._go(self.count)
        processor = process_time() - processor
        each = self.count * (1 if self.rows else self.workload.steps)
        return [taken / each, processor / each]

    def _go(self, count: int) -> float:
        start = perf_counter()
        if self.rows:
            for _ in range(count):
                self.peer.predict(self.x)
        else:
            self.peer.run(count, False)
        return perf_counter() - start

    def fit(self, folder: str, epochs: int, seed: int) -> list[float]:
        """Train on the arrays in a folder; seconds, test accuracy. The first call warms up for an epoch."""
        import numpy as np

        x, y, x_test, y_test = (
            np.load(Path(folder, f"{name}.npy")) for name in ("x", "y", "x_test", "y_test")
        )
        self.peer.bind(x, y)
        if epochs > 0 and not getattr(self, "warm", False):
            self.peer.run(1, True)
            self.warm = True
        self.peer.start(self.workload.weights(seed), seed)
        start = perf_counter()
        self.peer.run(epochs, True)
        taken = perf_counter() - start
        right = [
            self.peer.predict(x_test[i : i + 1000]).argmax(axis=1) == y_test[i : i + 1000]
            for i in range(0, len(x_test), 1000)
        ]
        return [taken, float(np.mean(right))]

    def about(self) -> dict[str, str]:
        """What is measured, and with which version."""
        from importlib.metadata import version

        import lamina as lm

        from .peers import PEERS

        package = PEERS[self.label].package
        found = lm.__version__ if package == "lamina" else version(package)  # lamina may be a checkout
        return {"what": self.peer.what, "version": found}


def rest() -> None:
    """Wait until no thread of this process is at work, two seconds at most.

    OpenBLAS's threads spin for some 25 ms when their work is done, and would take them from the next worker.
    """
    for _ in range(100):
        before = process_time()
        sleep(0.02)
        if process_time() - before < 0.002:
            return


def main() -> None:
    label, row, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    os.sched_setaffinity(0, cpus(threads))  # before any library starts its threads
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    worker = Worker(label, row, threads)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer = json.dumps(getattr(worker, name)(*arguments))
        rest()
        print(answer, file=answers)


if __name__ == "__main__":
    main()
