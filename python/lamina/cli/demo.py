"""`lamina demo`: everything in one go, on real data."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .. import _core
from ._options import add_json, at_least, seed
from ._output import print_json, visible

if TYPE_CHECKING:
    from ..history import History
    from ..trainer import Trainer


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo", help="train on real data, show the result, plot, save, reload, predict"
    )
    parser.add_argument(
        "--output", metavar="DIR", default="lamina-demo", help="folder to write to (default: %(default)s)"
    )
    parser.add_argument(
        "--epochs", metavar="N", type=at_least(1), default=30, help="epochs (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", metavar="S", type=seed, default=0, help="seed of everything (default: %(default)s)"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train on digits, plot, save, load, predict."""
    if not options.json:
        _show(options)
        return
    with contextlib.redirect_stdout(sys.stderr):
        result = _show(options)
    print_json(result)


def _show(options: argparse.Namespace) -> dict[str, Any]:
    import lamina as lm

    from .._files import make_folder
    from ..plotting import _panels

    (x_train, y_train), (x_test, y_test) = lm.datasets.digits()
    _panels(1)  # says what is missing before training rather than after it
    make_folder(options.output)
    print(f"{len(x_train):,} handwritten digits to learn from, {len(x_test):,} to test with\n")
    trainer, history, seconds = _train(x_train, y_train, options.epochs, options.seed)
    result = trainer.evaluate(x_test, y_test)
    print(
        f"\ntest accuracy {result['accuracy']:.2%}, test loss {result['loss']:.4f}, "
        f"{seconds:.2f} s of training\n"
    )

    curves = os.path.join(options.output, "curves.png")
    file = os.path.join(options.output, "digits.safetensors")
    history.plot(curves)
    trainer.model.save(file)
    predicted = lm.load_model(file).predict(x_test[:10]).argmax(axis=1)
    print("predicted by the model from the file:  " + "  ".join(map(str, predicted)))
    print("labels:                                " + "  ".join(map(str, y_test[:10])))
    print(f"\nlearning curves: {visible(curves)}\nmodel:           {visible(file)}")
    return {
        "lamina": _core.__version__,
        "accuracy": result["accuracy"],
        "loss": result["loss"],
        "seconds": seconds,
        "files": {"model": file, "curves": curves},
    }


def _train(x: Any, y: Any, epochs: int, seed: int) -> tuple[Trainer, History, float]:
    import lamina as lm

    model = lm.Sequential(
        [
            lm.Input((64,)),
            lm.Rescaling(1 / 16),
            lm.Dense(256, activation="relu"),
            lm.BatchNormalization(),
            lm.Dropout(0.4),
            lm.Dense(128, activation="relu"),
            lm.BatchNormalization(),
            lm.Dropout(0.4),
            lm.Dense(10, activation="softmax"),
        ]
    )
    model.summary()
    print()
    batch_size, validation_split = 32, 0.1
    steps = math.ceil(len(x) * (1 - validation_split) / batch_size) * epochs
    trainer = lm.Trainer(
        model,
        optimizer=lm.optimizers.Adam(lm.schedules.CosineDecay(5e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        seed=seed,
    )
    start = perf_counter()
    history = trainer.fit(x, y, epochs=epochs, batch_size=batch_size, validation_split=validation_split)
    return trainer, history, perf_counter() - start
