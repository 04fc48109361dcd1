"""`lamina train`: a model from a table."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from .. import _core
from .._progress import duration
from . import _options
from ._output import (
    check_other_file,
    check_writable,
    counted,
    print_json,
    print_notes,
    print_table,
    scores_report,
    table_from,
    visible,
)
from ._progress import Droppable, TrainingProgress

if TYPE_CHECKING:
    from ..tabular import TabularModel

_DESCRIPTION = """\
Reads a table, finds out what each column is and whether the target is a class or a number, holds back rows
for validation and for a test, trains a network with early stopping, scores it on the test rows, and writes
one file with the network and the preparation of the columns.
"""
_MOST_COLUMNS = 40


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("train", help="train a model on a CSV file", description=_DESCRIPTION)
    parser.add_argument("data", help="CSV (also .gz) or Parquet; - is stdin")
    parser.add_argument("--target", metavar="COLUMN", required=True, help="the column to predict")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        default="model.safetensors",
        help="model file to write (default: %(default)s)",
    )
    parser.add_argument(
        "--task",
        choices=["auto", "classification", "regression"],
        default="auto",
        help="auto takes texts, truths and up to 20 different whole numbers for classes (default: auto)",
    )
    _add_columns(parser.add_argument_group("columns", "COLUMNS are names with commas between, as a,b"))
    _add_network(parser.add_argument_group("network and training"))
    _options.add_reading(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="show no progress")
    _options.add_json(parser)
    parser.set_defaults(run=run)


def _add_columns(group: Any) -> None:
    for option, text in (
        ("--categorical", "categories, even where they look like numbers"),
        ("--numeric", "numbers; what is none counts as missing"),
        ("--drop", "not to be used"),
        ("--keep", "to be used although they look like ids"),
    ):
        group.add_argument(option, metavar="COLUMNS", type=_options.names, default=[], help=text)
    group.add_argument(
        "--max-categories",
        metavar="N",
        type=_options.at_least(1),
        default=100,
        help="the most frequent have an input each, the others share one (default: %(default)s)",
    )


def _add_network(group: Any) -> None:
    at_least, fraction, default = _options.at_least, _options.fraction, " (default: %(default)s)"
    group.add_argument(
        "--hidden",
        metavar="UNITS",
        type=_options.units,
        default=[64, 64],
        help="units of the hidden layers, or none (default: 64,64)",
    )
    group.add_argument(
        "--activation",
        metavar="NAME",
        type=_options.activation,
        default="relu",
        help="of the hidden layers" + default,
    )
    group.add_argument(
        "--dropout", metavar="F", type=fraction, default=0.0, help="after each hidden layer" + default
    )
    group.add_argument("--epochs", metavar="N", type=at_least(1), default=100, help="at most" + default)
    group.add_argument(
        "--batch-size", metavar="N", type=at_least(1), help="rows a step (default: 16 to 256, by the rows)"
    )
    group.add_argument(
        "--learning-rate", metavar="F", type=_options.positive, default=1e-3, help="of Adam" + default
    )
    group.add_argument(
        "--patience",
        metavar="N",
        type=at_least(0),
        default=10,
        help="epochs without a better validation after which training ends" + default,
    )
    for part in ("validation", "test"):
        text = f"fraction of the rows for the {part}" + default
        group.add_argument(f"--{part}-size", metavar="F", type=fraction, default=0.15, help=text)
    group.add_argument(
        "--balanced", action="store_true", help="weigh rows so that each class counts as much as any other"
    )
    group.add_argument("--seed", metavar="N", type=_options.seed, default=0, help="of everything" + default)


def run(options: argparse.Namespace) -> None:
    """Train, print the report, write the model."""
    from ..tabular import Preprocessor, TabularModel

    _check(options)
    check_writable(options.output)  # before training rather than after it
    model = TabularModel(
        options.hidden,
        activation=options.activation,
        dropout=options.dropout,
        task=options.task,
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        patience=options.patience,
        validation_size=options.validation_size,
        test_size=options.test_size,
        class_weight="balanced" if options.balanced else None,
        seed=options.seed,
        preprocessor=Preprocessor(
            categorical=options.categorical,
            numeric=options.numeric,
            drop=options.drop,
            keep=options.keep,
            max_categories=options.max_categories,
        ),
    )
    out = Droppable(sys.stderr if options.json else sys.stdout)  # what a person reads
    quiet = options.quiet
    table = table_from(options.data, options, options.categorical)
    if options.balanced:
        _check_classes(options, model, table)
    if not quiet:
        size = f"{counted(len(table), 'row')} and {counted(len(table.columns), 'column')}"
        print(f"{size} in {visible(options.data)}", file=out)
    model.fit(table, options.target, callbacks=[TrainingProgress(out, quiet)])
    model.save(options.output)
    if options.json:
        print_notes(model.summary["notes"])
        print_json({"model": options.output, "lamina": _core.__version__, **model.summary})
    else:
        _report(model, options.output)


def _check(options: argparse.Namespace) -> None:
    """Wrong usage that no option shows alone."""
    check_other_file(options, options.output, options.data)
    for one, other in (("numeric", "categorical"), ("keep", "drop")):
        both = set(getattr(options, one)).intersection(getattr(options, other))
        if both:
            options.error(f"expected a column in --{one} or in --{other}, got '{min(both)}' in both")
    if options.validation_size + options.test_size >= 1:
        options.error(
            "expected --validation-size and --test-size to leave rows to train with, got "
            f"{options.validation_size:g} and {options.test_size:g}"
        )
    if options.balanced and options.task == "regression":
        options.error("expected classes for --balanced, got --task regression")


def _check_classes(options: argparse.Namespace, model: TabularModel, table: Any) -> None:
    from ..tabular._target import task_of

    task, reason = task_of(model._labelled(table, options.target)[1], options.task)
    if task == "regression":
        options.error(f"expected classes for --balanced, got a regression, as {reason}")


def _report(model: TabularModel, path: str) -> None:
    summary = model.summary
    epochs = summary["epochs"]
    rows = summary["rows"]
    split = [counted(rows["training"], "row"), f"{rows['validation']:,}", f"{rows['test']:,}"]
    target = visible(summary["target"])
    print(f"Target '{target}': {summary['task']}, as {summary['task_reason'].removeprefix('as ')}")
    print("\nColumns")
    columns = [(column.name, column.describe()) for column in model.preprocessor.columns]
    print_table(columns[:_MOST_COLUMNS])
    if len(columns) > _MOST_COLUMNS:
        print(f" and {len(columns) - _MOST_COLUMNS} more")
    if summary["left_out"]:
        print("\nLeft out")
        print_table(list(summary["left_out"].items()))
    if summary["notes"]:
        print()
        print_notes(summary["notes"], sys.stdout)
    print(
        f"\n{split[0]} to train, {split[1]} for validation, {split[2]} for the test\n"
        f"{counted(summary['inputs'], 'input')}, {counted(summary['parameters'], 'parameter')}; "
        f"{counted(epochs, 'epoch')} in {duration(summary['seconds'])}, "
        f"best epoch {summary['best_epoch']}\n"
    )
    print(scores_report(summary["scores"], f"{summary['scores_of']} rows"))
    print(f"\nModel: {visible(path)}")
