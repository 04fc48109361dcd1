"""Exclusive or: what a network with a hidden layer can learn, and one without can't."""

import numpy as np

import lamina as lm

x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])

for hidden in (0, 16):
    layers = [lm.Dense(hidden, activation="tanh")] if hidden else []
    model = lm.Sequential([*layers, lm.Dense(1, activation="sigmoid")])
    trainer = lm.Trainer(model, lm.optimizers.Adam(0.05), "binary_crossentropy", seed=7)
    trainer.fit(x, y, epochs=200, batch_size="full", verbose=0)  # plain gradient descent over all four rows
    loss = trainer.evaluate(x, y)["loss"]
    print(f"{hidden:>2} hidden units: loss {loss:.4f}, predictions {model.predict(x).ravel().round(2)}")
