"""`lamina bench`: how fast it is here."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from typing import Any

from .. import _core
from ._options import add_json, at_least
from ._output import print_json, tell

# A line such as "step tiny  8-16-1  32  adam  12.3  45.6  3.71x"; a prediction has no optimizer.
_ROW = re.compile(
    r"(?P<what>step|predict) (?P<name>\S+) +(?P<network>\S+) +(?P<rows>\d+) +(?:(?P<optimizer>[a-z]+) +)?"
    r"(?P<lamina>[\d.,]+) +(?P<numpy>[\d.,]+) +(?P<ratio>[\d.]+)x"
)


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("bench", help="time training steps and predictions beside NumPy's")
    parser.add_argument("--quick", action="store_true", help="a few short measurements only")
    parser.add_argument(
        "--threads", metavar="N", type=at_least(1), default=1, help="threads for both (default: %(default)s)"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure."""
    if options.json:
        _print_rows(options)
        return
    from .._bench import main

    if code := main(options.threads, options.quick):
        sys.exit(code)


def _print_rows(options: argparse.Namespace) -> None:
    """Measure in a process of its own, whose lines go to stderr, and print them as JSON."""
    command = [sys.executable, "-m", "lamina", "bench", "--threads", str(options.threads)]
    command += ["--quick"] if options.quick else []
    rows = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            tell(line.rstrip("\n"))
            if match := _ROW.match(line):
                rows.append(_row(match))
    if process.returncode:
        sys.exit(process.returncode)
    print_json({"lamina": _core.__version__, "threads": options.threads, "rows": rows})


def _row(match: re.Match[str]) -> dict[str, Any]:
    lamina, numpy = (float(match[name].replace(",", "")) for name in ("lamina", "numpy"))
    return {
        "what": match["what"],
        "name": match["name"],
        "network": match["network"],
        "rows": int(match["rows"]),
        "optimizer": match["optimizer"],
        "lamina_microseconds": lamina,
        "numpy_microseconds": numpy,
        "ratio": float(match["ratio"]),
    }
