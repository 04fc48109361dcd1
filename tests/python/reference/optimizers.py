"""Optimizers in float64, by Keras 3's formulas (SGD's momentum by lamina's own).

Each `step(parameters, gradients, rate, t)` updates a list of float64 arrays in place; t counts from 0.
"""

import numpy as np


class SGD:
    def __init__(self, momentum=0.0, dampening=None, nesterov=False):
        self.momentum, self.nesterov = momentum, nesterov
        self.dampening = momentum if dampening is None else dampening
        self.v = None

    def step(self, parameters, gradients, rate, t):
        if self.v is None:
            self.v = [np.zeros_like(w) for w in parameters]
        for w, g, v in zip(parameters, gradients, self.v, strict=True):
            if self.momentum == 0:
                w -= rate * g
                continue
            v[...] = self.momentum * v + (1 - self.dampening) * g
            w -= rate * (self.momentum * v + (1 - self.dampening) * g if self.nesterov else v)


class RMSprop:
    def __init__(self, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        self.slots = None

    def step(self, parameters, gradients, rate, t):
        if self.slots is None:
            self.slots = [[np.zeros_like(w) for _ in range(3)] for w in parameters]
        for w, g, (square, mean, velocity) in zip(parameters, gradients, self.slots, strict=True):
            square[...] = self.rho * square + (1 - self.rho) * g**2
            denominator = square + self.epsilon
            if self.centered:
                mean[...] = self.rho * mean + (1 - self.rho) * g
                denominator = square - mean**2 + self.epsilon
            increment = rate * g / np.sqrt(denominator)
            if self.momentum > 0:
                velocity[...] = self.momentum * velocity + increment
                increment = velocity
            w -= increment


class Adam:
    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad
        self.slots = None

    def step(self, parameters, gradients, rate, t):
        if self.slots is None:
            self.slots = [[np.zeros_like(w) for _ in range(3)] for w in parameters]
        alpha = rate * np.sqrt(1 - self.beta_2 ** (t + 1)) / (1 - self.beta_1 ** (t + 1))
        for w, g, (m, v, v_max) in zip(parameters, gradients, self.slots, strict=True):
            m += (g - m) * (1 - self.beta_1)
            v += (g**2 - v) * (1 - self.beta_2)
            if self.amsgrad:
                v_max[...] = np.maximum(v_max, v)
            w -= alpha * m / (np.sqrt(v_max if self.amsgrad else v) + self.epsilon)


class Adamax:
    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.slots = None

    def step(self, parameters, gradients, rate, t):
        if self.slots is None:
            self.slots = [[np.zeros_like(w) for _ in range(2)] for w in parameters]
        for w, g, (m, u) in zip(parameters, gradients, self.slots, strict=True):
            m += (g - m) * (1 - self.beta_1)
            u[...] = np.maximum(self.beta_2 * u, np.abs(g))
            w -= rate * m / ((1 - self.beta_1 ** (t + 1)) * (u + self.epsilon))


class Nadam:
    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.slots, self.product = None, 1.0

    def _u(self, t):
        return self.beta_1 * (1.0 - 0.5 * 0.96**t)

    def step(self, parameters, gradients, rate, t):
        if self.slots is None:
            self.slots = [[np.zeros_like(w) for _ in range(2)] for w in parameters]
        now, after = self._u(t + 1), self._u(t + 2)
        self.product *= now
        for w, g, (m, v) in zip(parameters, gradients, self.slots, strict=True):
            m += (g - m) * (1 - self.beta_1)
            v += (g**2 - v) * (1 - self.beta_2)
            m_hat = after * m / (1 - self.product * after) + (1 - now) * g / (1 - self.product)
            v_hat = v / (1 - self.beta_2 ** (t + 1))
            w -= rate * m_hat / (np.sqrt(v_hat) + self.epsilon)


class Adagrad:
    def __init__(self, initial_accumulator_value=0.1, epsilon=1e-7):
        self.initial, self.epsilon = initial_accumulator_value, epsilon
        self.sums = None

    def step(self, parameters, gradients, rate, t):
        if self.sums is None:
            self.sums = [np.full_like(w, self.initial) for w in parameters]
        for w, g, total in zip(parameters, gradients, self.sums, strict=True):
            total += g**2
            w -= rate * g / np.sqrt(total + self.epsilon)


class Lion:
    def __init__(self, beta_1=0.9, beta_2=0.99):
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.m = None

    def step(self, parameters, gradients, rate, t):
        if self.m is None:
            self.m = [np.zeros_like(w) for w in parameters]
        for w, g, m in zip(parameters, gradients, self.m, strict=True):
            w -= rate * np.sign(self.beta_1 * m + (1 - self.beta_1) * g)
            m[...] = self.beta_2 * m + (1 - self.beta_2) * g


RULES = {
    "SGD": SGD,
    "RMSprop": RMSprop,
    "Adam": Adam,
    "AdamW": Adam,
    "Adamax": Adamax,
    "Nadam": Nadam,
    "Adagrad": Adagrad,
    "Lion": Lion,
}


def clip(gradients, clipnorm=None, clipvalue=None, global_clipnorm=None):
    if clipnorm is not None:
        return [g * clipnorm / max(np.linalg.norm(g), clipnorm) for g in gradients]
    if global_clipnorm is not None:
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        return [g * global_clipnorm / max(norm, global_clipnorm) for g in gradients]
    if clipvalue is not None:
        return [np.clip(g, -clipvalue, clipvalue) for g in gradients]
    return gradients


class Run:
    """A rule with what all optimizers share: accumulation, clipping, decay, the rule, the average."""

    def __init__(
        self,
        name,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        gradient_accumulation_steps=None,
        **options,
    ):
        if name == "AdamW" and weight_decay is None:
            weight_decay = 0.004
        self.rule = RULES[name](**options)
        self.rate, self.decay = learning_rate, weight_decay
        self.clipping = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        self.use_ema, self.ema_momentum, self.ema = use_ema, ema_momentum, None
        self.every = gradient_accumulation_steps or 1
        self.pending, self.calls, self.updates = None, 0, 0

    def step(self, parameters, gradients):
        self.calls += 1
        gradients = [np.array(g, np.float64) for g in gradients]
        self.pending = (
            gradients
            if self.pending is None
            else [a + b for a, b in zip(self.pending, gradients, strict=True)]
        )
        if self.calls % self.every:
            return
        gradients, self.pending = clip([g / self.every for g in self.pending], **self.clipping), None
        rate = self.rate(self.updates) if callable(self.rate) else self.rate
        for w in parameters:
            w -= rate * (self.decay or 0.0) * w
        self.rule.step(parameters, gradients, rate, self.updates)
        if self.use_ema:
            momentum = self.ema_momentum if self.updates else 0.0
            before = self.ema or parameters
            self.ema = [momentum * a + (1 - momentum) * w for a, w in zip(before, parameters, strict=True)]
        self.updates += 1
