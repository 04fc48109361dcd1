"""Keras on JAX."""

from __future__ import annotations

import keras
import numpy as np

from lamina._workload import BETA_1, BETA_2, EPSILON

from .base import Peer


class KerasPeer(Peer):
    what = "Keras on JAX: model.fit, one call for all epochs of a window; predict_on_batch"

    def __init__(self, workload, threads):
        super().__init__(workload, threads)
        softmax = workload.loss == "softmax"
        rate = workload.learning_rate
        hidden = [keras.layers.Dense(width, activation="relu") for width in workload.widths[1:-1]]
        last = keras.layers.Dense(workload.widths[-1], activation="softmax" if softmax else "linear")
        self.model = keras.Sequential([keras.Input((workload.widths[0],)), *hidden, last])
        self.optimizer = (
            keras.optimizers.Adam(rate, BETA_1, BETA_2, EPSILON)
            if workload.optimizer == "adam"
            else keras.optimizers.SGD(rate)
        )
        self.model.compile(self.optimizer, "sparse_categorical_crossentropy" if softmax else "mse")
        self.optimizer.build(self.model.trainable_variables)

    def start(self, weights, seed):
        keras.utils.set_random_seed(seed)
        self.model.set_weights(weights)
        for variable in self.optimizer.variables:  # anew without compiling again
            if variable.name != "learning_rate":
                variable.assign(np.zeros(variable.shape, variable.dtype))

    def losses(self, batches):
        return [self._fit(x, y, 1, False).history["loss"][0] for x, y in batches]

    def run(self, epochs, shuffle):
        self._fit(self.x, self.y, epochs, shuffle)

    def _fit(self, x, y, epochs, shuffle):
        return self.model.fit(x, y, epochs=epochs, batch_size=self.workload.batch, shuffle=shuffle, verbose=0)

    def predict(self, x):
        return self.model.predict_on_batch(x)
