"""`lamina predict`: a label or a number for each row of a table."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ._options import add_json, add_reading, add_unknown, table_file
from ._output import (
    check_other_file,
    counted,
    model_errors,
    print_json,
    print_notes,
    table_from,
    table_source,
    tell,
    visible,
)

if TYPE_CHECKING:
    from ..tabular._tables import Held


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "predict",
        help="predict new rows with a model that train wrote",
        description="Predicts the target of each row, in their order. Columns may come in any order.",
    )
    parser.add_argument("model", help="a file that lamina train wrote")
    parser.add_argument("data", help="CSV (also .gz) or Parquet with the raw columns; - is stdin")
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=table_file,
        default="-",
        help=".csv, .csv.gz or .parquet to write (default: CSV on stdout)",
    )
    parser.add_argument("--probabilities", action="store_true", help="a column with each class's probability")
    parser.add_argument("--append", action="store_true", help="write the table's own columns, too")
    add_unknown(parser)
    add_reading(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the predictions."""
    from ..tabular import TabularModel
    from ..tabular._tables import Held, write_table

    if options.output != "-":
        check_other_file(options, options.output, options.data, options.model)
    with model_errors(options.model):
        model = TabularModel.load(options.model)
    if options.probabilities and model.classes is None:
        raise ArgumentError(
            f"Expected a model of classes for --probabilities, got one of the number '{model.target}'."
        )
    source = table_source(options.data)
    if options.append and not options.json:
        source = Held(source)
    table = table_from(source, options, model.preprocessor.text_columns)
    frame, notes = _predictions(model, table, options)
    if isinstance(source, Held):
        frame = _appended(_own(table, source, options), frame, notes)
    print_notes(notes)
    if options.json:
        values = frame.to_dict(orient="list")
        print_json(
            {"model": options.model, "target": model.target, "rows": len(frame), "notes": notes, **values}
        )
    if options.output != "-":
        write_table(frame, options.output)
        tell(visible(f"{counted(len(frame), 'prediction')} of '{model.target}' in {options.output}"))
    elif not options.json:
        frame.to_csv(sys.stdout, index=False)


def _predictions(model: Any, table: Any, options: argparse.Namespace) -> tuple[Any, list[str]]:
    from ..tabular._tables import pandas

    notes: list[str] = []
    output = model._output(table, options.unknown, notes)
    predicted = model._target.decode(output)
    columns: dict[str, Any] = {"prediction": predicted}
    if model.classes is None:
        columns["prediction"] = [float(f"{value:.9g}") for value in predicted]  # float32 has no more digits
    else:
        columns["probability"] = output.max(axis=1)
        if options.probabilities:
            names = model._target.names()
            columns |= {f"probability_{name}": output[:, i] for i, name in enumerate(names)}
    return pandas().DataFrame(columns), notes


def _own(table: Any, source: Held, options: argparse.Namespace) -> Any:
    """Return the table's own columns: as they stand in the file, but numbers for Parquet."""
    from ..tabular._tables import read_cells

    if options.output.endswith(".parquet") and not source.is_parquet():
        return table.convert_dtypes()  # whole numbers beside missing cells stay whole
    return read_cells(source, options.delimiter, options.encoding)


def _appended(own: Any, frame: Any, notes: list[str]) -> Any:
    from ..tabular._tables import pandas

    clash = [name for name in frame.columns if name in own.columns]
    if clash:
        notes.append(f"the table's own {', '.join(map(repr, clash))} gives way to the model's")
    return pandas().concat([own.drop(columns=clash), frame], axis=1)
