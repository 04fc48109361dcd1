"""Momentum: steps that remember, on a ravine where plain gradient descent zigzags."""

import numpy as np
from _course import draw_bowl, panels, path_down, save

import lamina as lm

CURVATURES, START = (1.0, 0.02), (-0.6, -3.0)
OPTIMIZERS = {
    "SGD(0.9)": lm.optimizers.SGD(0.9),
    "SGD(5.0, momentum=0.9)": lm.optimizers.SGD(5.0, momentum=0.9),
    "SGD(5.0, momentum=0.9, nesterov=True)": lm.optimizers.SGD(5.0, momentum=0.9, nesterov=True),
}


def height(path):
    """The loss along a path."""
    return ((path - 1) ** 2 * CURVATURES).sum(axis=1)


def main():
    """Draw the paths and how fast each gets down."""
    figure, axes = panels(1, 4, width=3.0, height=2.9)
    reached = {}
    for panel, (title, optimizer) in zip(axes, OPTIMIZERS.items(), strict=False):
        path = path_down(optimizer, CURVATURES, START, 150)
        draw_bowl(panel, CURVATURES, (-2.2, 4.2), (-3.6, 3.2))
        panel.plot(*path[:60].T, "o-", markersize=2.2, linewidth=0.9)
        panel.set_title(title.replace(", nesterov", ",\nnesterov"), fontsize=9)
        loss = height(path)
        reached[title] = int(np.argmax(loss < 1e-3 * loss[0]))
        assert reached[title] > 0  # it gets there
        axes[3].semilogy(loss, label=title.removeprefix("SGD"))
        print(f"{title:<38} steps to a thousandth of the loss: {reached[title]}")
    axes[3].set(xlabel="step", title="loss", ylim=(1e-7, 3))
    save(figure, "momentum")
    plain, momentum, nesterov = reached.values()
    assert momentum < 0.75 * plain
    assert nesterov < plain

    # The two ways of writing it: dampening=None is the formula of this page, 0.0 that of Keras and PyTorch.
    one = path_down(lm.optimizers.SGD(5.0, momentum=0.9), CURVATURES, START, 50)
    other = path_down(lm.optimizers.SGD(0.5, momentum=0.9, dampening=0.0), CURVATURES, START, 50)
    assert np.abs(one - other).max() < 1e-4


if __name__ == "__main__":
    main()
