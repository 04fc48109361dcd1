"""lamina, as its users call it."""

from __future__ import annotations

import lamina as lm
from lamina._bench import trainer_of

from .base import Peer


class LaminaPeer(Peer):
    what = "Trainer.fit over arrays, one call for all epochs of a window; model.predict"

    def __init__(self, workload, threads):
        super().__init__(workload, threads)
        lm.set_num_threads(threads)

    def start(self, weights, seed):
        self.trainer = trainer_of(self.workload, seed)
        self.trainer.model.set_weights(weights)
        self.epoch = 0

    def losses(self, batches):
        return [self._fit(x, y, 1, False).history["loss"][0] for x, y in batches]

    def run(self, epochs, shuffle):
        self._fit(self.x, self.y, epochs, shuffle)

    def _fit(self, x, y, epochs, shuffle):
        first, self.epoch = self.epoch, self.epoch + epochs
        return self.trainer.fit(
            x,
            y,
            initial_epoch=first,
            epochs=self.epoch,
            batch_size=self.workload.batch,
            shuffle=shuffle,
            verbose=0,
        )

    def predict(self, x):
        return self.trainer.model.predict(x)
