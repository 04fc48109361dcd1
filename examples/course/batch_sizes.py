"""Gradient descent, mini-batches and single rows: the same data, the same number of epochs."""

import numpy as np
from _course import bowl, draw_bowl, panels, save

import lamina as lm

ROWS, EPOCHS, CURVATURES = 256, 20, (1.0, 0.25)
KINDS = {"gradient descent, batch_size='full'": "full", "mini-batch, 32 rows": 32, "stochastic, 1 row": 1}


class Path(lm.callbacks.Callback):
    """Notes the weights after every step."""

    def on_train_begin(self, logs=None):
        """Start."""
        self.points = [self.model.flat_parameters.copy()]

    def on_train_batch_end(self, batch, logs=None):
        """Note them."""
        self.points.append(self.model.flat_parameters.copy())


def train(x, y, batch_size):
    """The weights after each step."""
    model = lm.Sequential([lm.Input((2,)), lm.Dense(1, use_bias=False)])
    model.flat_parameters[:] = (-0.6, -0.8)
    trainer = lm.Trainer(model, lm.optimizers.SGD(0.03), "mse", seed=0)
    path = Path()
    trainer.fit(x, y, epochs=EPOCHS, batch_size=batch_size, callbacks=[path], verbose=0)
    return np.array(path.points)


def main():
    """Draw the three paths."""
    x, y = bowl(CURVATURES, ROWS)
    y = y + np.random.default_rng(1).normal(size=ROWS)
    lowest = np.linalg.lstsq(x, y, rcond=None)[0]
    figure, axes = panels(1, 3, width=3.4, height=3.1)
    above = []
    for panel, (title, batch_size) in zip(axes, KINDS.items(), strict=True):
        path = train(x, y, batch_size)
        last = path[-(len(path) // 4) :]  # the last five epochs
        above.append(np.mean(((last - lowest) ** 2 * CURVATURES).sum(axis=1)))
        draw_bowl(panel, CURVATURES, (-1, 2.2), (-1.2, 2.4), lowest)
        panel.plot(*path.T, linewidth=0.9, marker="." if len(path) < 200 else "", markersize=4)
        panel.set_title(f"{title}\n{len(path) - 1} steps", fontsize=9.5)
        print(f"{title:<36}{len(path) - 1:>6} steps; loss in the last epochs: best + {above[-1]:.4f}")
    save(figure, "batch_sizes")
    full, mini, single = above
    assert mini < 0.1 * full  # more steps an epoch get further
    assert mini < 0.5 * single < 0.25 * full  # but single rows don't settle at this rate


if __name__ == "__main__":
    main()
