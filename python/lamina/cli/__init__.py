"""The command line: `lamina train`, `predict`, `evaluate`, `inspect`, `demo`, `bench`."""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

from .. import _core
from ..errors import LaminaError, NumericalWarning
from . import bench, demo, evaluate, inspect, predict, train

__all__ = ["main"]

# Each module has register(commands), which adds its command; --help lists them in this order.
_COMMANDS = (train, predict, evaluate, inspect, demo, bench)

_EXAMPLES = """\
examples:
  lamina train houses.csv --target price -o houses.safetensors
  lamina predict houses.safetensors new.csv -o predictions.csv
  lamina evaluate houses.safetensors test.csv
  lamina inspect houses.safetensors

'lamina COMMAND --help' tells more. Exit codes: 0 done, 1 bad data or files, 2 wrong usage, 130 interrupted.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; `arguments` are those of the process by default.

    Returns the exit code: 0, or 1 after an error, which is one line on stderr. Wrong usage exits with 2.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no error
    parser = _parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        parser.print_help(sys.stderr)
        return 2
    try:
        options = parser.parse_args(given)
    except KeyboardInterrupt:
        return 130
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            options.run(options)
        sys.stdout.flush()
    except LaminaError as error:
        return _failed(options.command, " ".join(str(error).split()))
    except ImportError as error:
        if not error.msg or "pip install" not in error.msg:
            raise
        return _failed(options.command, error.msg)
    except MemoryError:
        return _failed(options.command, "Expected data that fit in memory, got more.")
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print(f"\nlamina {options.command}: interrupted", file=sys.stderr)
        return 130
    return 0


def _warn(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, NumericalWarning):  # the others are between libraries
        print(f"warning: {message}", file=sys.stderr)


def _failed(command: str, message: str) -> int:
    message = message.replace("unknown='ignore'", "--unknown ignore")  # as the option is called here
    print(f"lamina {command}: {message}", file=sys.stderr)
    return 1


class _Parser(argparse.ArgumentParser):
    """Tells errors in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.exit(2, f"{self.prog}: {message}; see '{self.prog} --help'\n")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Lists the commands without a line for their list."""

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        return text.partition("\n")[2] if action.nargs == argparse.PARSER else text


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lamina",
        description="Deep learning on CPUs: train on a table, predict, look into models.",
        epilog=_EXAMPLES,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"lamina {_core.__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="command", required=True, title="commands", parser_class=_Parser
    )
    for command in _COMMANDS:
        command.register(commands)
    return parser
