"""`lamina export`: a model as source code."""

from __future__ import annotations

import argparse
from typing import Any

from ._output import check_other_file, model_errors, visible


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("export", help="write a model as source code")
    parser.add_argument("file", help="a model file")
    parser.add_argument("--to", choices=["c"], default="c", help="one C99 header (default: %(default)s)")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the header to write")
    parser.add_argument(
        "--name", default="model", help="begins the names in the header (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write it, and tell what it needs."""
    from .._summary import size_text
    from ..export import to_c
    from ..model import load_model

    check_other_file(options, options.output, options.file)
    with model_errors(options.file):
        model = load_model(options.file)
    report = to_c(model, options.output, options.name)
    print(
        f"{visible(options.output)}: {options.name}_predict(const float *input, float *output)\n"
        f"flash  {report.flash:,} bytes of weights ({size_text(report.flash)}), and the code\n"
        f"RAM    {report.ram:,} bytes of stack"
    )
