"""`lamina evaluate`: the scores of a model on a table with the target."""

from __future__ import annotations

import argparse
from typing import Any

from ._options import add_json, add_reading, add_unknown
from ._output import model_errors, print_json, print_notes, scores_report, table_from


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("evaluate", help="score a model on rows whose target is known")
    parser.add_argument("model", help="a file that lamina train wrote")
    parser.add_argument("data", help="CSV (also .gz) or Parquet with the same columns; - is stdin")
    add_unknown(parser)
    add_reading(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the scores."""
    from ..tabular import TabularModel

    with model_errors(options.model):
        model = TabularModel.load(options.model)
    notes: list[str] = []
    table = table_from(options.data, options, model.preprocessor.text_columns)
    scores = model.evaluate(table, options.unknown, notes)
    if options.json:
        print_json({"model": options.model, "target": model.target, "notes": notes, "scores": scores})
        return
    print_notes(notes)
    print(scores_report(scores, "rows"))
