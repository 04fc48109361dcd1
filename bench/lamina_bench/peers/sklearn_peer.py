"""scikit-learn's multilayer perceptron."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from lamina._workload import BETA_1, BETA_2, EPSILON

from .base import Peer


class SklearnPeer(Peer):
    what = "MLPClassifier or MLPRegressor, one partial_fit an epoch"

    def start(self, weights, seed):
        workload = self.workload
        self.classes = np.arange(workload.widths[-1]) if workload.loss == "softmax" else None
        self.model = (MLPRegressor if self.classes is None else MLPClassifier)(
            hidden_layer_sizes=workload.widths[1:-1],
            solver=workload.optimizer,
            alpha=0.0,
            batch_size=workload.batch,
            learning_rate_init=workload.learning_rate,
            momentum=0.0,
            beta_1=BETA_1,
            beta_2=BETA_2,
            epsilon=EPSILON,
            random_state=seed,
        )
        # The first call lays out weights and optimizer; then they are replaced.
        x, y = workload.data()
        self._pass(x[: workload.batch], y[: workload.batch], False)
        self.model.coefs_ = [kernel.copy() for kernel in weights[::2]]
        self.model.intercepts_ = [bias.copy() for bias in weights[1::2]]
        del self.model._optimizer

    def losses(self, batches):
        scale = 1.0 if self.classes is not None else 2.0
        losses = []
        for x, y in batches:
            self._pass(x, y, False)
            losses.append(scale * float(self.model.loss_))
        return losses

    def run(self, epochs, shuffle):
        for _ in range(epochs):
            self._pass(self.x, self.y, shuffle)

    def _pass(self, x, y, shuffle):
        self.model.shuffle = shuffle
        if self.classes is not None:
            self.model.partial_fit(x, y, classes=self.classes)
        else:
            self.model.partial_fit(x, y[:, 0] if y.shape[1] == 1 else y)

    def predict(self, x):
        if self.classes is not None:
            return self.model.predict_proba(x)
        y = self.model.predict(x)
        return y.reshape(len(x), -1)
