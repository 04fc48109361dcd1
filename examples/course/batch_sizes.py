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
    """The path of the weights, and the loss over all rows at the end."""
    model = lm.Sequential([lm.Input((2,)), lm.Dense(1, use_bias=False)])
    model.flat_parameters[:] = (-0.6, -0.8)
    trainer = lm.Trainer(model, lm.optimizers.SGD(0.02), "mse", seed=0)
    path = Path()
    trainer.fit(x, y, epochs=EPOCHS, batch_size=batch_size, callbacks=[path], verbose=0)
    return np.array(path.points), trainer.evaluate(x, y)["loss"]


def main():
    """Draw the three paths."""
    x, y = bowl(CURVATURES, ROWS)
    y = y + np.random.default_rng(1).normal(scale=0.3, size=ROWS)
    best = np.mean((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2)
    figure, axes = panels(1, 3, width=3.4, height=3.1)
    above, wobble = [], []
    for panel, (title, batch_size) in zip(axes, KINDS.items(), strict=True):
        path, loss = train(x, y, batch_size)
        above.append(loss - best)
        wobble.append(np.std(path[-ROWS // 2 :], axis=0).max() if batch_size == 1 else 0.0)
        draw_bowl(panel, CURVATURES, (-1, 2.2), (-1.2, 2.2))
        panel.plot(*path.T, linewidth=0.9, marker="." if len(path) < 200 else "", markersize=4)
        panel.set_title(f"{title}\n{len(path) - 1} steps, loss {loss - best:.4f} above the best", fontsize=9)
        print(f"{title:<36}{len(path) - 1:>6} steps, loss {loss - best:.4f} above the best")
    save(figure, "batch_sizes")
    full, mini, single = above
    assert mini < 0.05 * full  # more steps an epoch get further
    assert 0 < single < 0.05 * full
    assert mini < single  # but a single row never settles at this rate
    assert wobble[2] > 0.01


if __name__ == "__main__":
    main()
