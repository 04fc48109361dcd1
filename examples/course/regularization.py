"""L1, L2 and the elastic net: which weights each drives to zero."""

import numpy as np
from _course import COLORS, panels, save

import lamina as lm

TRUTH = np.array([2.0, -1.5, 1.0, 3.0])
PENALTIES = {
    "none": None,
    "L2(0.2)": lm.regularizers.L2(0.2),
    "L1(0.3)": lm.regularizers.L1(0.3),
    "L1L2(0.3, 0.1)": lm.regularizers.L1L2(0.3, 0.1),
}


def data():
    """Forty columns of which four matter; the fifth is nearly a copy of the first."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 40)).astype(np.float32)
    y = x[:, :4] @ TRUTH + 1.5 * rng.normal(size=200)
    x[:, 4] = x[:, 0] + 0.05 * rng.normal(size=200)
    return x, y


def fit(penalty, x, y):
    """The weights of a linear model under a penalty."""
    model = lm.Sequential([lm.Dense(1, kernel_initializer="zeros", kernel_regularizer=penalty)])
    rate = lm.schedules.CosineDecay(0.02, decay_steps=2000)
    lm.Trainer(model, lm.optimizers.Adam(rate), "mse", seed=0).fit(
        x, y, epochs=2000, batch_size="full", verbose=0
    )
    return model.layers[0].kernel.ravel().copy()


def main():
    """Draw the weights under each penalty."""
    x, y = data()
    figure, axes = panels(2, 2, width=4.3, height=2.3, sharex=True, sharey=True)
    zeros, kernels = {}, {}
    for panel, (title, penalty) in zip(axes, PENALTIES.items(), strict=True):
        kernel = fit(penalty, x, y)
        kernels[title], zeros[title] = kernel, int((np.abs(kernel) < 1e-4).sum())
        panel.stem(kernel, linefmt=COLORS[0], markerfmt="o", basefmt="#8c8c8c")
        for line in [*panel.lines, *panel.collections]:
            line.set(**({"markersize": 3} if hasattr(line, "set_markersize") else {"linewidth": 1.0}))
        panel.set_title(f"{title}: {zeros[title]} of 40 at zero", fontsize=10)
        print(f"{title:<17}{zeros[title]:>3} of 40 within 0.0001 of zero, weights 0 and 4: "
              f"{kernel[0]:.2f} and {kernel[4]:.2f}")  # fmt: skip
    for panel in axes[2:]:
        panel.set_xlabel("number of the weight")
    save(figure, "regularization")
    assert zeros["none"] <= 2
    assert zeros["L2(0.2)"] <= 2
    assert zeros["L1(0.3)"] > 25
    assert zeros["L1L2(0.3, 0.1)"] > 25
    alone, together = kernels["L1(0.3)"], kernels["L1L2(0.3, 0.1)"]
    assert abs(together[0] - together[4]) < abs(alone[0] - alone[4])  # L2 shares among copies


if __name__ == "__main__":
    main()
