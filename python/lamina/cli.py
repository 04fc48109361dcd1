"""The command line: `lamina demo`, `lamina inspect`, `lamina export`, `lamina bench`."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from . import _core
from .config import get_cmake_dir
from .errors import LaminaError

if TYPE_CHECKING:
    from .history import History
    from .trainer import Trainer

__all__ = ["main"]

_NEEDS = {"sklearn": "scikit-learn", "matplotlib": "matplotlib"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; `arguments` are those of the process by default.

    Returns the exit code: 0, or 1 after an error, which is one line on stderr. Wrong usage exits with 2.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except LaminaError as error:
        print(f"lamina {options.command}: {error}", file=sys.stderr)
        return 1
    except ImportError as error:
        name = str(error.name or "").split(".")[0]
        if name in _NEEDS or error.__cause__ is not None:
            print(f"lamina {options.command}: {error}", file=sys.stderr)
            return 1
        raise
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(f"lamina {options.command}: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lamina", description="Deep learning on CPUs.")
    parser.add_argument("--version", action="version", version=f"lamina {_core.__version__}")
    parser.add_argument(
        "--cmakedir", action=_CMakeDir, nargs=0, help="print where CMake finds lamina, and exit"
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)

    demo = commands.add_parser(
        "demo", help="train on real data, show the result, plot, save, reload, predict"
    )
    demo.add_argument(
        "--output", metavar="DIR", default="lamina-demo", help="folder to write to (default: %(default)s)"
    )
    demo.add_argument(
        "--epochs", metavar="N", type=_positive, default=30, help="epochs (default: %(default)s)"
    )
    demo.add_argument(
        "--seed", metavar="S", type=_seed, default=0, help="seed of everything (default: %(default)s)"
    )
    demo.set_defaults(run=_demo)

    inspect = commands.add_parser("inspect", help="show what stands in a model file or checkpoint")
    inspect.add_argument("file", help="a safetensors file")
    inspect.set_defaults(run=_inspect)

    export = commands.add_parser("export", help="write a model as source code")
    export.add_argument("file", help="a model file")
    export.add_argument("--to", choices=["c"], default="c", help="one C99 header (default: %(default)s)")
    export.add_argument("-o", "--output", metavar="FILE", required=True, help="the header to write")
    export.add_argument(
        "--name", default="model", help="begins the names in the header (default: %(default)s)"
    )
    export.set_defaults(run=_export)

    bench = commands.add_parser("bench", help="time training steps and predictions beside NumPy's")
    bench.add_argument("--quick", action="store_true", help="a few short measurements only")
    bench.add_argument(
        "--threads", metavar="N", type=_positive, default=1, help="threads for both (default: %(default)s)"
    )
    bench.set_defaults(run=_bench)
    return parser


class _CMakeDir(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        try:
            print(get_cmake_dir())
        except LaminaError as error:
            parser.exit(1, f"lamina: {error}\n")
        parser.exit()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text}")
    return value


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"expected a whole number in [0, 2**63), got {text}")
    return value


# ---- demo


def _demo(options: argparse.Namespace) -> None:
    import lamina as lm

    from ._files import make_folder
    from .plotting import _panels

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
    print(f"\nlearning curves: {curves}\nmodel:           {file}")


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


# ---- inspect and bench


def _export(options: argparse.Namespace) -> None:
    from ._summary import size_text
    from .export import to_c
    from .model import load_model

    report = to_c(load_model(options.file), options.output, options.name)
    print(
        f"{options.output}: {options.name}_predict(const float *input, float *output)\n"
        f"flash  {report.flash:,} bytes of weights ({size_text(report.flash)}), and the code\n"
        f"RAM    {report.ram:,} bytes of stack"
    )


def _bench(options: argparse.Namespace) -> None:
    from ._bench import main

    if code := main(options.threads, options.quick):
        sys.exit(code)


def _inspect(options: argparse.Namespace) -> None:
    from ._summary import size_text

    metadata, tensors = _core.inspect_file(options.file)
    total = sum(size for _, _, _, size in tensors)
    print(f"{options.file}: {len(tensors)} tensors, {size_text(total)}")
    if "lamina" in metadata:
        print()
        _core_model(options.file)
    if tensors:
        print()
        _print_table(
            [("tensor", "dtype", "shape", "size")]
            + [(name, dtype, str(tuple(shape)), size_text(size)) for name, dtype, shape, size in tensors]
        )
    if metadata:
        print()
        _print_table([("metadata", "")] + [(key, _short(value)) for key, value in sorted(metadata.items())])


def _core_model(path: str) -> None:
    from .model import load_model

    load_model(path).summary()


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(" " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _short(text: str, width: int = 90) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else f"{flat[: width - 3]}..."
