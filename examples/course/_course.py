"""What the scripts of the course share: figures without a display, the same bytes every time."""

import os
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import lamina as lm

COLORS = ["#1f5fa8", "#d1661f", "#2e8b57", "#8a4fae", "#a8322d", "#6b6b6b"]
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else ".")  # where figures go

plt.rcParams.update(
    {
        "axes.axisbelow": True,
        "axes.edgecolor": "#8c8c8c",
        "axes.grid": True,
        "axes.prop_cycle": plt.cycler(color=COLORS),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "figure.constrained_layout.use": True,
        "font.size": 10,
        "grid.color": "#e2e2e2",
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "svg.hashsalt": "lamina",
    }
)


def panels(rows, columns, width=4.0, height=3.2, **options):
    """A figure and its panels, as a flat list."""
    figure, axes = plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), squeeze=False, **options
    )
    return figure, list(axes.ravel())


def save(figure, name):
    """Write a figure as SVG; the date is left out, so that the same figure is the same file."""
    path = FOLDER / f"{name}.svg"
    temporary = path.with_suffix(".tmp")
    figure.savefig(temporary, format="svg", metadata={"Date": None})
    os.replace(temporary, path)
    plt.close(figure)


def bowl(curvatures, rows=64, seed=0):
    """Data whose mean squared error is `sum(curvature * (w - 1)^2)` for a Dense(1) without bias."""
    basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(rows, len(curvatures))))[0]
    x = (basis * np.sqrt(rows * np.asarray(curvatures))).astype(np.float32)
    return x, x.sum(axis=1)


def path_down(optimizer, curvatures, start, steps):
    """The weights after each step, from a start down a bowl."""
    x, y = bowl(curvatures)
    model = lm.Sequential([lm.Input((len(start),)), lm.Dense(1, use_bias=False)])
    model.flat_parameters[:] = start
    trainer = lm.Trainer(model, optimizer, "mse", seed=0)
    path = [model.flat_parameters.copy()]
    for _ in range(steps):
        trainer.train_on_batch(x, y)
        path.append(model.flat_parameters.copy())
    return np.array(path)


def draw_bowl(panel, curvatures, across, down, lowest=(1, 1)):
    """Contours of the bowl, and its lowest point."""
    a, b = np.meshgrid(np.linspace(*across, 200), np.linspace(*down, 200))
    height = curvatures[0] * (a - lowest[0]) ** 2 + curvatures[1] * (b - lowest[1]) ** 2
    levels = np.geomspace(height.max() / 3000, height.max(), 14)
    panel.contour(a, b, height, levels=levels, colors="#c4c4c4", linewidths=0.7)
    panel.plot(*lowest, "*", color="black", markersize=9, zorder=5)
    panel.set(xlim=across, ylim=down, xlabel="steep weight", ylabel="flat weight")
    panel.grid(False)
