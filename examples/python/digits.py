"""Handwritten digits: train with validation and early stopping, save, load, predict. Needs scikit-learn."""

import lamina as lm

(x_train, y_train), (x_test, y_test) = lm.datasets.digits()

model = lm.Sequential(
    [
        lm.Rescaling(1 / 16),
        lm.Dense(128, activation="relu"),
        lm.BatchNormalization(),
        lm.Dropout(0.3),
        lm.Dense(10, activation="softmax"),
    ]
)
trainer = lm.Trainer(
    model,
    optimizer=lm.optimizers.Adam(3e-3),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
    seed=0,
)
stop = lm.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
trainer.fit(x_train, y_train, epochs=40, validation_split=0.1, callbacks=[stop], verbose=2)

print(trainer.evaluate(x_test, y_test))
model.save("digits.safetensors")
loaded = lm.load_model("digits.safetensors")
print("predicted:", loaded.predict(x_test[:10]).argmax(axis=1))
print("labels:   ", y_test[:10])
