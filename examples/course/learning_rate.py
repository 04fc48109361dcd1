"""A learning rate too low, right, and too high: on a bowl, and on digits."""

import warnings

import numpy as np
from _course import draw_bowl, panels, path_down, save

import lamina as lm

CURVATURES, START, STEPS = (1.0, 0.1), (-0.8, -0.9), 25
RATES = {"too low": 0.02, "right": 0.8, "too high": 1.03}


def final_loss(rate, x, y):
    """The training loss on digits after three epochs of gradient descent."""
    model = lm.Sequential([lm.Rescaling(1 / 16), lm.Dense(64, "relu"), lm.Dense(10, "softmax")])
    trainer = lm.Trainer(model, lm.optimizers.SGD(rate), "sparse_categorical_crossentropy", seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", lm.NumericalWarning)
        return trainer.fit(x, y, epochs=3, verbose=0).history["loss"][-1]


def main():
    """Draw three paths, and the loss over the rate."""
    figure, axes = panels(1, 3, width=3.4, height=3.0)
    distances = {}
    for panel, (title, rate) in zip(axes, RATES.items(), strict=True):
        path = path_down(lm.optimizers.SGD(rate), CURVATURES, START, STEPS)
        distances[title] = np.linalg.norm(path[-1] - 1) / np.linalg.norm(path[0] - 1)
        draw_bowl(panel, CURVATURES, (-4, 6), (-1.4, 2.4))
        panel.plot(*path.T, "o-", markersize=3, linewidth=1)
        panel.set_title(f"{title}: {rate:g}")
        print(f"{title:<9} rate {rate:<5g} distance after {STEPS} steps: {distances[title]:.3f} of the first")
    save(figure, "learning_rate")
    assert distances["right"] < 0.05
    assert distances["too low"] > 0.5
    assert distances["too high"] > 1

    (x, y), _ = lm.datasets.digits()
    rates = np.geomspace(1e-4, 30, 18)
    losses = np.array([final_loss(rate, x, y) for rate in rates])
    figure, (panel,) = panels(1, 1, width=6.2, height=3.0)
    panel.semilogx(rates, np.minimum(np.nan_to_num(losses, nan=3.5), 3.5), "o-", markersize=4)
    panel.set(xlabel="learning rate", ylabel="loss after 3 epochs", ylim=(0, 3.6))
    panel.axhline(np.log(10), color="#6b6b6b", linestyle=":", linewidth=1)
    panel.text(1.2e-4, np.log(10) + 0.08, "guessing: log 10", fontsize=9, color="#6b6b6b")
    save(figure, "learning_rate_range")
    best = rates[np.nanargmin(losses)]
    print(f"digits: best rate of those tried {best:.2g}, loss {np.nanmin(losses):.3f}")
    assert 0.05 < best < 3
    assert losses[0] > 2
    assert not losses[-1] < 1.5


if __name__ == "__main__":
    main()
