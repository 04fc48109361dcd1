"""Dropout: a network far too big for its data, with and without."""

import numpy as np
from _course import COLORS, panels, save

import lamina as lm

RATES = (0.0, 0.3, 0.5)


def data(n, seed):
    """Points of two overlapping half moons, and 18 columns of noise."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    angle = rng.uniform(0, np.pi, n)
    moons = np.column_stack([np.cos(angle) + y, np.where(y == 1, 0.4 - np.sin(angle), np.sin(angle))])
    noise = rng.normal(size=(n, 18))
    return np.hstack([moons + 0.25 * rng.normal(size=(n, 2)), noise]).astype(np.float32), y


def train(rate, seed, epochs=80):
    """Losses of training and validation, both without dropout, after every epoch."""
    (x, y), validation = data(120, seed), data(1000, seed + 100)
    hidden = [[lm.Dense(128, activation="relu"), lm.Dropout(rate)] for _ in range(2)]
    model = lm.Sequential([*hidden[0], *hidden[1], lm.Dense(1, activation="sigmoid")])
    trainer = lm.Trainer(model, lm.optimizers.Adam(1e-3), "binary_crossentropy", seed=seed)
    losses = []
    for _ in range(epochs):
        trainer.fit(x, y, batch_size=20, epochs=1, verbose=0)
        losses.append([trainer.evaluate(x, y)["loss"], trainer.evaluate(*validation)["loss"]])
    return np.array(losses)


def main():
    """Draw the curves of each rate."""
    figure, axes = panels(1, 3, width=3.4, height=3.0, sharey=True)
    ends = {}
    for panel, rate in zip(axes, RATES, strict=True):
        losses = np.mean([train(rate, seed) for seed in range(3)], axis=0)
        ends[rate] = losses[-1]
        panel.plot(losses[:, 0], label="training")
        panel.plot(losses[:, 1], label="validation", color=COLORS[1])
        panel.set(title=f"Dropout({rate:g})" if rate else "without dropout", xlabel="epoch", ylim=(0, 1.4))
        print(f"rate {rate:g}: training loss {losses[-1, 0]:.3f}, validation loss {losses[-1, 1]:.3f}")
    axes[0].set_ylabel("loss")
    axes[0].legend()
    save(figure, "dropout")
    assert ends[0.0][0] < 0.02  # learnt by heart
    assert ends[0.5][1] < 0.85 * ends[0.0][1]
    assert ends[0.0][1] > ends[0.3][1] > ends[0.5][1]

    # What is kept is scaled by 1 / (1 - rate), so that the mean stays; and predict drops nothing.
    layer = lm.Sequential([lm.Input((4,)), lm.Dropout(0.5)])
    assert np.array_equal(layer.predict(np.ones((2, 4))), np.ones((2, 4)))


if __name__ == "__main__":
    main()
