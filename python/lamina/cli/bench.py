"""`lamina bench`: how fast it is here."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ._options import at_least


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("bench", help="time training steps and predictions beside NumPy's")
    parser.add_argument("--quick", action="store_true", help="a few short measurements only")
    parser.add_argument(
        "--threads", metavar="N", type=at_least(1), default=1, help="threads for both (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure."""
    from .._bench import main

    if code := main(options.threads, options.quick):
        sys.exit(code)
