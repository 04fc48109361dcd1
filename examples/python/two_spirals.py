"""Two intertwined spirals: a straight line can't tell them apart, hidden layers can."""

import numpy as np

import lamina as lm

rng = np.random.default_rng(0)
turn = np.linspace(0.25, 1.75, 400) * 2 * np.pi
arm = np.stack([turn * np.cos(turn), turn * np.sin(turn)], axis=1) / 3
x = np.concatenate([arm, -arm]) + rng.normal(scale=0.05, size=(800, 2))
y = np.repeat([0, 1], 400)


def accuracy(hidden):
    layers = [lm.Dense(units, activation="relu") for units in hidden]
    model = lm.Sequential([*layers, lm.Dense(1, activation="sigmoid")])
    trainer = lm.Trainer(model, lm.optimizers.Adam(0.01), "binary_crossentropy", ["accuracy"], seed=1)
    trainer.fit(x, y, epochs=150, batch_size=32, verbose=0)
    return trainer.evaluate(x, y)["accuracy"]


print(f"no hidden layer:   accuracy {accuracy([]):.3f}")
print(f"two hidden layers: accuracy {accuracy([64, 64]):.3f}")
