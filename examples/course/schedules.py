"""Learning rates that change: what each schedule looks like, and what lowering the rate is for."""

import numpy as np
from _course import panels, save

import lamina as lm

STEPS = 300
SCHEDULES = {
    "ExponentialDecay": lm.schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5),
    "PiecewiseConstantDecay": lm.schedules.PiecewiseConstantDecay([100, 200], [0.1, 0.03, 0.01]),
    "PolynomialDecay": lm.schedules.PolynomialDecay(0.1, decay_steps=300, end_learning_rate=0.001, power=1.0),
    "CosineDecay, warm-up": lm.schedules.CosineDecay(0.0, 250, warmup_target=0.1, warmup_steps=50),
    "CosineDecayRestarts": lm.schedules.CosineDecayRestarts(0.1, first_decay_steps=60, t_mul=1.5, m_mul=0.8),
    "InverseTimeDecay": lm.schedules.InverseTimeDecay(0.1, decay_steps=50, decay_rate=1.0),
    "OneCycle": lm.schedules.OneCycle(0.1, total_steps=300),
    "a function of the step": lambda step: 0.1 / (1 + step) ** 0.5,
}


def noisy_descent(rate, seed):
    """The loss above the best, step by step, of single-row descent on a noisy line."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 8)).astype(np.float32)
    y = (x.sum(axis=1) + rng.normal(size=400)).astype(np.float32)
    model = lm.Sequential([lm.Input((8,)), lm.Dense(1, use_bias=False, kernel_initializer="zeros")])
    trainer = lm.Trainer(model, lm.optimizers.SGD(rate), "mse", seed=seed)
    best = np.mean((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2)
    losses = []
    for _ in range(20):
        trainer.fit(x, y, epochs=1, batch_size=2, verbose=0)
        losses.append(trainer.evaluate(x, y)["loss"] - best)
    return losses


def main():
    """Draw the schedules, then the descents."""
    figure, axes = panels(2, 4, width=2.7, height=2.1, sharex=True, sharey=True)
    for panel, (title, schedule) in zip(axes, SCHEDULES.items(), strict=True):
        panel.plot([schedule(step) for step in range(STEPS)])
        panel.set_title(title, fontsize=9.5)
        assert schedule(STEPS) < max(schedule(step) for step in range(STEPS))
    for panel in axes[4:]:
        panel.set_xlabel("step")
    save(figure, "schedules")

    steps = 20 * 200
    figure, (panel,) = panels(1, 1, width=6.2, height=3.0)
    ends = {}
    for title, rate in {
        "constant 0.1": 0.1,
        "constant 0.002": 0.002,
        "0.1, falling along a cosine": lm.schedules.CosineDecay(0.1, steps),
    }.items():
        mean = np.mean([noisy_descent(rate, seed) for seed in range(3)], axis=0)
        ends[title] = mean
        panel.semilogy(range(1, 21), mean, "o-", markersize=3, label=title)
        print(f"{title:<28} loss above the best after 20 epochs: {mean[-1]:.5f}")
    panel.set(xlabel="epoch", ylabel="loss above the best")
    panel.legend()
    save(figure, "schedules_noise")
    high, low, falling = ends.values()
    assert falling[-1] < 0.3 * low[-1]
    assert low[-1] < 0.3 * high[-1]
    assert falling[0] < low[0]  # fast at first as well


if __name__ == "__main__":
    main()
