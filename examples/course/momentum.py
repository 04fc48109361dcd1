"""Momentum: steps that remember, on a ravine where plain gradient descent zigzags."""

import numpy as np
from _course import COLORS, draw_bowl, panels, path_down, save

import lamina as lm

CURVATURES, START = (1.0, 0.02), (-0.6, -3.0)
OPTIMIZERS = {
    "SGD(0.9)": lm.optimizers.SGD(0.9),
    "SGD(2.0, momentum=0.8)": lm.optimizers.SGD(2.0, momentum=0.8),
    "SGD(2.0, momentum=0.8, nesterov=True)": lm.optimizers.SGD(2.0, momentum=0.8, nesterov=True),
}


def height(path):
    """The loss along a path."""
    return ((path - 1) ** 2 * CURVATURES).sum(axis=1)


def main():
    """Draw the paths and how fast each gets down."""
    figure, axes = panels(2, 2, width=4.3, height=2.6)
    reached = {}
    for i, (title, optimizer) in enumerate(OPTIMIZERS.items()):
        panel, color = axes[i], COLORS[i]
        path = path_down(optimizer, CURVATURES, START, 150)
        draw_bowl(panel, CURVATURES, (-2.2, 4.2), (-3.6, 3.2))
        panel.plot(*path[:60].T, "o-", markersize=2.2, linewidth=0.9, color=color)
        panel.set_title(title, fontsize=10, color=color)
        loss = height(path)
        reached[title] = int(np.flatnonzero(loss >= 1e-3 * loss[0])[-1]) + 1
        axes[3].semilogy(loss, color=color, label=title)
        print(f"{title:<38} steps until the loss stays below a thousandth: {reached[title]}")
    axes[3].set(xlabel="step", title="loss", ylim=(1e-7, 3))
    save(figure, "momentum")
    plain, momentum, nesterov = reached.values()
    assert momentum < 0.6 * plain
    assert nesterov < momentum

    # The two ways of writing it: dampening=None is the formula of this page, 0.0 that of Keras and PyTorch.
    one = path_down(lm.optimizers.SGD(2.0, momentum=0.8), CURVATURES, START, 50)
    other = path_down(lm.optimizers.SGD(0.4, momentum=0.8, dampening=0.0), CURVATURES, START, 50)
    assert np.abs(one - other).max() < 1e-4


if __name__ == "__main__":
    main()
