"""RMSprop and Adam on a ravine: every weight gets a step of its own size."""

import numpy as np
from _course import draw_bowl, panels, path_down, save

import lamina as lm

CURVATURES, START, STEPS = (1.0, 0.001), (-0.6, -3.0), 200
OPTIMIZERS = {
    "SGD(0.9)": lm.optimizers.SGD(0.9),
    "SGD(8.0, momentum=0.9)": lm.optimizers.SGD(8.0, momentum=0.9),
    "RMSprop(0.05)": lm.optimizers.RMSprop(0.05),
    "Adam(0.1)": lm.optimizers.Adam(0.1),
}


def main():
    """Draw the paths, and the way left along the flat direction."""
    figure, axes = panels(1, 5, width=2.7, height=2.9)
    left = {}
    for panel, (title, optimizer) in zip(axes, OPTIMIZERS.items(), strict=False):
        path = path_down(optimizer, CURVATURES, START, STEPS)
        draw_bowl(panel, CURVATURES, (-1.6, 3.6), (-3.6, 3.2))
        panel.plot(*path.T, "o-", markersize=1.8, linewidth=0.8)
        panel.set_title(title, fontsize=9)
        left[title] = abs(path[-1, 1] - 1) / abs(START[1] - 1)
        axes[4].semilogy(np.abs(path[:, 1] - 1) + 1e-6, label=title)
        print(f"{title:<24} way left along the flat direction after {STEPS} steps: {left[title]:.1%}")
    axes[4].set(xlabel="step", title="way left, flat direction", ylim=(1e-3, 8))
    axes[4].legend(fontsize=7.5)
    save(figure, "ravine")
    assert left["SGD(0.9)"] > 0.6
    assert left["SGD(8.0, momentum=0.9)"] > 0.02
    assert left["RMSprop(0.05)"] < 0.02
    assert left["Adam(0.1)"] < 0.02
    first = [path_down(lm.optimizers.Adam(0.1), curvatures, START, 1) for curvatures in (CURVATURES, (1e4, 1.0))]
    steps = [np.abs(path[1] - path[0]) for path in first]
    assert np.allclose(steps, 0.1, rtol=1e-3)  # Adam's first step is the rate, whatever the scale


if __name__ == "__main__":
    main()
