"""What depth buys: two spirals, told apart by networks of more and more hidden layers."""

import numpy as np
from _course import COLORS, panels, save

import lamina as lm


def spirals(n, seed):
    """Two arms of two turns; n points each, with a little noise."""
    rng = np.random.default_rng(seed)
    radius = np.sqrt(rng.uniform(0.02, 1.0, n))
    arm = np.column_stack([radius * np.cos(4 * np.pi * radius), radius * np.sin(4 * np.pi * radius)])
    points = np.vstack([arm, -arm]) + 0.02 * rng.normal(size=(2 * n, 2))
    return points.astype(np.float32), np.repeat([0, 1], n)


def train(hidden, x, y):
    """A network with hidden layers of the given widths, trained to tell the arms apart."""
    layers = [lm.Dense(units, activation="tanh") for units in hidden]
    model = lm.Sequential([lm.Rescaling(3.0), *layers, lm.Dense(1, activation="sigmoid")])
    trainer = lm.Trainer(model, lm.optimizers.Adam(0.01), "binary_crossentropy", ["accuracy"], seed=1)
    trainer.fit(x, y, epochs=150, batch_size=64, verbose=0)
    return trainer


def main():
    """Draw the regions, and check that depth, not the number of weights, is what helps."""
    (x, y), (x_test, y_test) = spirals(500, 0), spirals(500, 1)
    side = np.linspace(-1.15, 1.15, 160, dtype=np.float32)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    figure, axes = panels(1, 4, width=2.7, height=3.1)
    scores = []
    for panel, hidden in zip(axes, [[], [96], [16, 16], [12, 12, 12]], strict=True):
        trainer = train(hidden, x, y)
        score, weights = trainer.evaluate(x_test, y_test)["accuracy"], trainer.model.count_params()
        scores.append(score)
        regions = trainer.model.predict(grid).reshape(len(side), -1)
        panel.imshow(regions, extent=(-1.15, 1.15, -1.15, 1.15), origin="lower", cmap="RdBu", alpha=0.55)
        for label, color in enumerate(["#a8322d", COLORS[0]]):
            panel.plot(*x[y == label].T, ".", color=color, markersize=2.2)
        title = f"hidden: {', '.join(map(str, hidden)) or 'none'}"
        panel.set_title(f"{title}\n{weights} weights, {score:.1%} right", fontsize=10)
        panel.set_xticks([])
        panel.set_yticks([])
        panel.grid(False)
        print(f"{title:<18}{weights:>5} weights, {score:.1%} of the test points right")
    save(figure, "depth")
    none, one, two, three = scores
    assert max(none, one) < 0.7
    assert two > 0.9
    assert three > 0.98


if __name__ == "__main__":
    main()
