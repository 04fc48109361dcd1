"""NumPy: in-place steps over preallocated memory (lamina._workload.NumpyNetwork)."""

from __future__ import annotations

import numpy as np

from lamina._workload import NumpyNetwork

from .base import Peer


class NumpyPeer(Peer):
    what = "a loop of in-place NumPy steps over preallocated arrays; prediction by the same code"

    def start(self, weights, seed):
        self.network = NumpyNetwork(self.workload, weights)
        self.generator = np.random.default_rng(seed)

    def losses(self, batches):
        return [self.network.step(x, y) for x, y in batches]

    def run(self, epochs, shuffle):
        for _ in range(epochs):
            order = self.generator.permutation(len(self.x)) if shuffle else None
            for rows in self.batches():
                picked = rows if order is None else order[rows]
                self.network.step(self.x[picked], self.y[picked])

    def predict(self, x):
        return self.network.predict(x)
