"""Each activation with its derivative; and what a deep chain of them does to the gradient."""

import numpy as np
from _course import COLORS, panels, save

import lamina as lm

NAMES = ["linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "hard_sigmoid",
         "tanh", "softplus", "softsign", "exponential", "mish"]  # fmt: skip
ROWWISE = ["softmax", "log_softmax"]


def slopes(name, x):
    """The derivative by lamina's own backward pass, at each x: the gradient of a weight of 1 is x f'(x)."""
    model = lm.Sequential([lm.Input((1,)), lm.Dense(1, use_bias=False, activation=name)])
    model.flat_parameters[:] = 1
    trainer = lm.Trainer(model, loss=SumOfOutputs())
    return np.array([trainer.value_and_gradient([[value]], [[0.0]])[1][0] / value for value in x])


class SumOfOutputs(lm.losses.Loss):
    """A loss whose gradient is 1, so that what comes out of the backward pass is the derivative."""

    reduction = "sum"

    def value_and_gradient(self, y_true, y_pred):
        """The outputs of each row, and ones."""
        return y_pred.sum(axis=1), np.ones_like(y_pred)


def draw_function(name):
    """The function and its derivative, which must be the slope of the function."""
    end = 8.02 if name in ("relu6", "hard_sigmoid", "sigmoid") else 5.0125
    x = np.linspace(-end, end, 402, dtype=np.float32)  # never at 0, where relu has a kink
    value, slope = lm.activations.get(name)(x), slopes(name, x)
    steps = np.diff(value.astype(np.float64)) / np.diff(x.astype(np.float64))
    middle = (slope[1:] + slope[:-1]) / 2
    assert np.quantile(np.abs(steps - middle) / (1 + np.abs(middle)), 0.97) < 2e-3  # all but kinks
    figure, (panel,) = panels(1, 1, width=4.6, height=2.6)
    panel.plot(x, value, label=name)
    panel.plot(x, slope, "--", label="its derivative")
    panel.set(xlabel="x", ylim=(max(value.min(), -5) - 0.3, min(max(value.max(), 1), 6) + 0.4))
    panel.legend(loc="upper left")
    save(figure, f"activation_{name}")


def draw_rowwise(name):
    """What a row of three numbers becomes as the first of them grows."""
    x = np.linspace(-5, 5, 201, dtype=np.float32)
    rows = np.column_stack([x, np.zeros_like(x), np.ones_like(x)])
    value = lm.activations.get(name)(rows)
    total = value.sum(axis=1) if name == "softmax" else np.exp(value).sum(axis=1)
    assert np.allclose(total, 1, atol=1e-5)
    figure, (panel,) = panels(1, 1, width=4.6, height=2.6)
    for column, label in enumerate(["x", "0", "1"]):
        panel.plot(x, value[:, column], label=f"of {label}")
    panel.set(xlabel=f"x, in {name}([x, 0, 1])")
    panel.legend()
    save(figure, f"activation_{name}")


def gradients_by_layer(activation, initializer, depth=20):
    """The size of the gradient of each layer's kernel, at the initial weights."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(256, 64)), rng.normal(size=(256, 1))
    layers = [lm.Dense(64, activation, kernel_initializer=initializer) for _ in range(depth)]
    model = lm.Sequential([lm.Input((64,)), *layers, lm.Dense(1)], seed=0)
    _, gradient = lm.Trainer(model, loss="mse").value_and_gradient(x, y)
    size = 64 * 64 + 64
    return np.array([np.sqrt(np.mean(gradient[i * size : (i + 1) * size] ** 2)) for i in range(depth)])


def main():
    """Draw them all."""
    for name in NAMES:
        draw_function(name)
    for name in ROWWISE:
        draw_rowwise(name)
    figure, (panel,) = panels(1, 1, width=6.5, height=3.4)
    middle = {}
    for i, (name, initializer) in enumerate(
        [
            ("sigmoid", "glorot_uniform"),
            ("tanh", "glorot_uniform"),
            ("relu", "glorot_uniform"),
            ("relu", "he_uniform"),
            ("selu", "lecun_normal"),
        ]
    ):
        sizes = gradients_by_layer(name, initializer)
        middle[name, initializer] = np.median(sizes)
        panel.semilogy(
            range(1, 21), sizes, "o-", markersize=3, color=COLORS[i], label=f"{name}, {initializer}"
        )
        print(f"{name + ', ' + initializer:<26} first layer {sizes[0]:.1e}, last layer {sizes[-1]:.1e}")
        if name == "sigmoid":
            assert sizes[0] < 1e-9 * sizes[-1]  # nothing arrives at the first layers
    panel.set(xlabel="hidden layer, counted from the input", ylabel="size of its gradient")
    panel.legend()
    save(figure, "vanishing")
    assert middle["relu", "he_uniform"] > 100 * middle["relu", "glorot_uniform"]
    assert middle["selu", "lecun_normal"] > 1e5 * middle["sigmoid", "glorot_uniform"]


if __name__ == "__main__":
    main()
