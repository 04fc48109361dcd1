"""A loss of one's own, written in NumPy: the pinball loss, which predicts a quantile instead of the mean."""

import numpy as np

import lamina as lm


class Pinball(lm.losses.Loss):
    """Mean of max(q * e, (q - 1) * e) for the error e = y_true - y_pred."""

    def __init__(self, quantile):
        self.quantile = quantile

    def value_and_gradient(self, y_true, y_pred):
        error = y_true.reshape(y_pred.shape) - y_pred
        slope = np.where(error > 0, self.quantile, self.quantile - 1)
        # the loss of each row, and the gradient of their sum
        return (slope * error).mean(axis=1), -slope / error.shape[1]


rng = np.random.default_rng(0)
x = rng.uniform(-1, 1, size=(2000, 1)).astype(np.float32)
y = (np.sin(3 * x[:, 0]) + rng.normal(scale=0.3, size=2000)).astype(np.float32)

for quantile in (0.1, 0.5, 0.9):
    model = lm.Sequential([lm.Dense(32, activation="tanh"), lm.Dense(1)])
    trainer = lm.Trainer(model, lm.optimizers.Adam(0.01), Pinball(quantile), seed=3)
    trainer.fit(x, y, epochs=20, batch_size=64, verbose=0)
    below = float((y < model.predict(x)[:, 0]).mean())
    print(f"quantile {quantile}: {below:.1%} of the data lie below the prediction")
