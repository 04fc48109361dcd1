"""Stop, save, load, go on: the result is that of never having stopped, bit for bit."""

import numpy as np

import lamina as lm

rng = np.random.default_rng(0)
x = rng.normal(size=(500, 8)).astype(np.float32)
y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)


def new_trainer():
    model = lm.Sequential([lm.Dense(32, "relu"), lm.Dropout(0.2), lm.Dense(1, "sigmoid")])
    rate = lm.schedules.CosineDecay(0.01, 160)
    return lm.Trainer(model, lm.optimizers.Adam(rate), "binary_crossentropy", ["accuracy"], seed=5)


straight = new_trainer()
straight.fit(x, y, epochs=10, verbose=0)

first = new_trainer()
first.fit(x, y, epochs=4, verbose=0)
first.save("run.safetensors")

second = lm.Trainer.load("run.safetensors")
second.fit(x, y, epochs=10, initial_epoch=second.epoch, verbose=0)

same = np.array_equal(straight.model.flat_parameters, second.model.flat_parameters)
print(f"epochs in the history: {second.history.epoch}")
print(f"the same bits: {same}")
assert same
