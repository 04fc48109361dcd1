"""RMSprop and Adam on a ravine: every weight gets a step of its own size."""

import numpy as np
from _course import COLORS, draw_bowl, panels, path_down, save

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
    figure, axes = panels(2, 3, width=3.3, height=2.7)
    left = {}
    for i, (title, optimizer) in enumerate(OPTIMIZERS.items()):
        panel, color = axes[i], COLORS[i]
        path = path_down(optimizer, CURVATURES, START, STEPS)
        draw_bowl(panel, CURVATURES, (-1.6, 3.6), (-3.6, 3.2))
        panel.plot(*path.T, "o-", markersize=1.8, linewidth=0.8, color=color)
        panel.set_title(title, fontsize=10, color=color)
        left[title] = abs(path[-1, 1] - 1) / abs(START[1] - 1)
        for weight in (0, 1):
            axes[4 + weight].semilogy(
                np.abs(path[:, weight] - 1) + 1e-6, color=color, label=title, linewidth=1.2
            )
        print(f"{title:<24} way left along the flat direction after {STEPS} steps: {left[title]:.1%}")
    axes[4].set(xlabel="step", title="distance, steep weight", ylim=(1e-4, 8))
    axes[5].set(xlabel="step", title="distance, flat weight", ylim=(1e-4, 8))
    save(figure, "ravine")
    assert left["SGD(0.9)"] > 0.6
    assert left["SGD(8.0, momentum=0.9)"] > 0.02
    assert left["RMSprop(0.05)"] < 0.02
    assert left["Adam(0.1)"] < 0.02
    first = [
        path_down(lm.optimizers.Adam(0.1), curvatures, START, 1) for curvatures in (CURVATURES, (1e4, 1.0))
    ]
    steps = [np.abs(path[1] - path[0]) for path in first]
    assert np.allclose(steps, 0.1, rtol=1e-3)  # Adam's first step is the rate, whatever the scale


if __name__ == "__main__":
    main()
