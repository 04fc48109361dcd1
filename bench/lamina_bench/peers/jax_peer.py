"""JAX: one jitted call a step, or one for a whole epoch."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from lamina._workload import BETA_1, BETA_2, EPSILON

from .base import Peer


def forward(parameters, x):
    for kernel, bias in parameters[:-1]:
        x = jax.nn.relu(x @ kernel + bias)
    kernel, bias = parameters[-1]
    return x @ kernel + bias


class _JaxPeer(Peer):
    def __init__(self, workload, threads):
        super().__init__(workload, threads)
        self.softmax = workload.loss == "softmax"
        self.jitted_predict = jax.jit(self._predict)

    def start(self, weights, seed):
        parameters = [
            (jnp.array(kernel), jnp.array(bias))
            for kernel, bias in zip(weights[::2], weights[1::2], strict=True)
        ]
        zeros = functools.partial(jax.tree.map, jnp.zeros_like, parameters)
        slots = (zeros(), zeros(), jnp.zeros((), jnp.float32)) if self.workload.optimizer == "adam" else ()
        self.state = (parameters, slots)
        self.key = jax.random.key(seed)

    def bind(self, x, y):
        super().bind(x, y)
        self.arrays = jnp.array(x), jnp.array(y)

    def predict(self, x):
        return np.asarray(self.jitted_predict(self.state[0], x))

    def _predict(self, parameters, x):
        y = forward(parameters, x)
        return jax.nn.softmax(y) if self.softmax else y

    def _loss(self, parameters, x, y):
        output = forward(parameters, x)
        if not self.softmax:
            return jnp.mean((output - y) ** 2)
        picked = jnp.take_along_axis(jax.nn.log_softmax(output), y[:, None], axis=1)
        return -jnp.mean(picked)

    def _step(self, state, x, y):
        parameters, slots = state
        loss, gradient = jax.value_and_grad(self._loss)(parameters, x, y)
        rate = self.workload.learning_rate
        if not slots:
            return (jax.tree.map(lambda w, g: w - rate * g, parameters, gradient), ()), loss
        m, v, updates = slots
        updates += 1
        rate *= jnp.sqrt(1 - BETA_2**updates) / (1 - BETA_1**updates)
        m = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, m, gradient)
        v = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, v, gradient)
        parameters = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + EPSILON), parameters, m, v)
        return (parameters, (m, v, updates)), loss


class JaxStepPeer(_JaxPeer):
    what = "one jitted call a step with donated buffers, batches on the device beforehand; jitted predict"

    def __init__(self, workload, threads):
        super().__init__(workload, threads)
        self.step = jax.jit(self._step, donate_argnums=0)
        self.picked_step = jax.jit(self._picked_step, donate_argnums=0)

    def bind(self, x, y):
        super().bind(x, y)
        self.pairs = [(self.arrays[0][rows], self.arrays[1][rows]) for rows in self.batches()]

    def losses(self, batches):
        losses = []
        for x, y in batches:
            self.state, loss = self.step(self.state, x, y)
            losses.append(float(loss))
        return losses

    def run(self, epochs, shuffle):
        for _ in range(epochs):
            if shuffle:
                self.key, key = jax.random.split(self.key)
                order = np.asarray(jax.random.permutation(key, len(self.x)))
                for rows in self.batches():
                    self.state, _ = self.picked_step(self.state, self.arrays, order[rows])
            else:
                for pair in self.pairs:
                    self.state, _ = self.step(self.state, *pair)
        jax.block_until_ready(self.state)

    def _picked_step(self, state, arrays, rows):
        return self._step(state, arrays[0][rows], arrays[1][rows])


class JaxScanPeer(_JaxPeer):
    what = "one jitted lax.scan an epoch with donated buffers, whole batches only, the data on the device"

    def __init__(self, workload, threads):
        super().__init__(workload, threads)
        self.epoch = jax.jit(self._epoch, donate_argnums=0)
        self.shuffled_epoch = jax.jit(self._shuffled_epoch, donate_argnums=0)

    def losses(self, batches):
        x, y = (jnp.stack(parts) for parts in zip(*batches, strict=True))
        self.state, losses = self.epoch(self.state, x, y)
        return [float(loss) for loss in losses]

    def bind(self, x, y):
        super().bind(x, y)
        self.batched = self._in_batches(*self.arrays)

    def run(self, epochs, shuffle):
        for _ in range(epochs):
            if shuffle:
                self.key, key = jax.random.split(self.key)
                self.state, _ = self.shuffled_epoch(self.state, *self.arrays, key)
            else:
                self.state, _ = self.epoch(self.state, *self.batched)
        jax.block_until_ready(self.state)

    def _in_batches(self, x, y):
        size = self.workload.batch
        steps = len(x) // size
        return tuple(a[: steps * size].reshape(steps, size, *a.shape[1:]) for a in (x, y))

    def _epoch(self, state, x, y):
        return jax.lax.scan(lambda state, batch: self._step(state, *batch), state, (x, y))

    def _shuffled_epoch(self, state, x, y, key):
        order = jax.random.permutation(key, len(x))
        size = self.workload.batch
        rows = order[: len(x) // size * size].reshape(-1, size)
        return jax.lax.scan(lambda state, rows: self._step(state, x[rows], y[rows]), state, rows)
