"""Each loss as a function of one prediction, with its gradient; and what outliers do to a fitted line."""

import numpy as np
from _course import COLORS, panels, save

import lamina as lm

# loss, title of the axis, range of the prediction, targets to draw
ELEMENTWISE = {
    "mean_squared_error": (lm.losses.MeanSquaredError(), "prediction", (-3, 3), [0.0]),
    "mean_absolute_error": (lm.losses.MeanAbsoluteError(), "prediction", (-3, 3), [0.0]),
    "huber": (lm.losses.Huber(delta=1.0), "prediction", (-3, 3), [0.0]),
    "log_cosh": (lm.losses.LogCosh(), "prediction", (-3, 3), [0.0]),
    "poisson": (lm.losses.Poisson(), "predicted count", (0.2, 6), [1.0, 3.0]),
    "hinge": (lm.losses.Hinge(), "prediction", (-3, 3), [1.0, -1.0]),
    "squared_hinge": (lm.losses.SquaredHinge(), "prediction", (-3, 3), [1.0, -1.0]),
    "binary_crossentropy": (
        lm.losses.BinaryCrossentropy(), "predicted probability", (0.01, 0.99), [1.0, 0.0]
    ),
    "binary_focal_crossentropy": (
        lm.losses.BinaryFocalCrossentropy(gamma=2.0), "predicted probability", (0.01, 0.99), [1.0, 0.0]
    ),
}  # fmt: skip
# losses of a row of two probabilities (p, 1 - p): the targets as each wants them
ROWWISE = {
    "categorical_crossentropy": (lm.losses.CategoricalCrossentropy(), [[1.0, 0.0], [0.0, 1.0]]),
    "sparse_categorical_crossentropy": (lm.losses.SparseCategoricalCrossentropy(), [0, 1]),
    "negative_log_likelihood": (lm.losses.NegativeLogLikelihood(), [[1.0, 0.0], [0.0, 1.0]]),
    "kl_divergence": (lm.losses.KLDivergence(), [[1.0, 0.0], [0.3, 0.7]]),
}


def curve(loss, target, predictions):
    """The loss at each prediction, and its gradient, which must be the slope of the loss."""
    pairs = [loss.value_and_gradient(np.array([target]), np.array([p], np.float32)) for p in predictions]
    value = np.array([value for value, _ in pairs])
    slope = np.array([gradient.ravel() for _, gradient in pairs])
    along = np.diff(predictions, axis=0)
    middle = ((slope[1:] + slope[:-1]) / 2 * along).sum(axis=1)
    assert np.abs(np.diff(value) - middle).max() < 0.02 * max(1, np.abs(value).max())
    return value, slope[:, 0]


def draw_elementwise(name):
    """Loss and gradient over one prediction."""
    loss, label, (low, high), targets = ELEMENTWISE[name]
    predictions = np.linspace(low, high, 241)[:, None]
    figure, (panel,) = panels(1, 1, width=4.6, height=2.6)
    for i, target in enumerate(targets):
        value, slope = curve(loss, [target], predictions)
        panel.plot(predictions, value, color=COLORS[i], label=f"loss, target {target:g}")
        panel.plot(predictions, slope, "--", color=COLORS[i], label="its gradient", linewidth=1.3)
    panel.set(xlabel=label, ylim=(-5, 5) if high < 1 else None)
    panel.legend(fontsize=8.5)
    save(figure, f"loss_{name}")


def draw_rowwise(name):
    """Loss over the probability given to the first of two classes."""
    loss, targets = ROWWISE[name]
    p = np.linspace(0.02, 0.98, 193)
    figure, (panel,) = panels(1, 1, width=4.6, height=2.6)
    for target in targets:
        value, _ = curve(loss, target, np.column_stack([p, 1 - p]))
        panel.plot(p, value, label=f"target {target}")
    panel.set(xlabel="p, in the prediction [p, 1 - p]", ylabel="loss")
    panel.legend(fontsize=8.5)
    save(figure, f"loss_{name}")


def draw_cosine():
    """Cosine similarity looks at directions alone."""
    angle = np.linspace(-np.pi, np.pi, 181)
    loss = lm.losses.CosineSimilarity()
    figure, (panel,) = panels(1, 1, width=4.6, height=2.6)
    for length in (0.5, 2.0):
        rows = length * np.column_stack([np.cos(angle), np.sin(angle)])
        value = np.array([loss(np.array([[1.0, 0.0]]), row[None]) for row in rows])
        assert np.allclose(value, -np.cos(angle), atol=1e-5)
        panel.plot(
            np.degrees(angle), value, "-" if length < 1 else "--", label=f"prediction of length {length:g}"
        )
    panel.set(
        xlabel="angle between target and prediction, degrees", ylabel="loss", xticks=range(-180, 181, 90)
    )
    panel.legend(fontsize=8.5)
    save(figure, "loss_cosine_similarity")


def fit_line(loss, x, y):
    """Slope and intercept of the straight line that makes a loss small."""
    model = lm.Sequential([lm.Dense(1, kernel_initializer="zeros")])
    rate = lm.schedules.CosineDecay(0.1, decay_steps=600)
    lm.Trainer(model, lm.optimizers.Adam(rate), loss, seed=0).fit(
        x, y, epochs=600, batch_size="full", verbose=0
    )
    return model.flat_parameters.copy()


def main():
    """Draw them all, then the lines."""
    for name in ELEMENTWISE:
        draw_elementwise(name)
    for name in ROWWISE:
        draw_rowwise(name)
    draw_cosine()
    rng = np.random.default_rng(0)
    x = np.linspace(0, 4, 40)[:, None]
    y = x[:, 0] + 0.15 * rng.normal(size=40)
    y[-5:] -= 6  # five of forty are wrong
    figure, (panel,) = panels(1, 1, width=6.5, height=3.4)
    panel.plot(x, y, "o", color="#6b6b6b", markersize=3.5)
    slopes = {}
    for name, loss in [
        ("mse", "mse"),
        ("mae", "mae"),
        ("huber", lm.losses.Huber(0.5)),
        ("log_cosh", "log_cosh"),
    ]:
        slope, intercept = fit_line(loss, x, y)
        slopes[name] = slope
        panel.plot(x, slope * x + intercept, label=f"{name}: slope {slope:.2f}")
        print(f"{name:<10} slope {slope:.2f} (the truth is 1)")
    panel.set(xlabel="x", ylabel="y")
    panel.legend()
    save(figure, "outliers")
    assert abs(slopes["mae"] - 1) < 0.1
    assert abs(slopes["huber"] - 1) < 0.25
    assert abs(slopes["mse"] - 1) > 0.5


if __name__ == "__main__":
    main()
