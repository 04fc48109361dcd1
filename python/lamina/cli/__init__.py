"""The command line: `lamina train`, `predict`, `evaluate`, `inspect`, `export`, `demo`, `bench`."""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

from .. import _core
from ..config import get_cmake_dir
from ..errors import LaminaError, NumericalWarning
from ._output import tell, visible

__all__ = ["main"]

# Each module has register(commands), which adds its command; --help lists them in this order.
_COMMANDS = ("train", "predict", "evaluate", "inspect", "export", "demo", "bench")

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
    _open_streams()
    title = "lamina"
    warned: list[str] = []
    try:
        parser = _parser()
        given = list(sys.argv[1:] if arguments is None else arguments)
        if not given:
            parser.print_help(sys.stderr)
            return 2
        options = _parsed(parser, given)
        title = f"lamina {options.command}"
        with warnings.catch_warnings():
            warnings.simplefilter("default", NumericalWarning)
            warnings.showwarning = partial(_keep, warned)
            options.run(options)
        for text in warned:  # not beside an error, which tells the same
            tell(f"warning: {text}")
        sys.stdout.flush()
    except LaminaError as error:
        return _failed(title, str(error))
    except ImportError as error:
        if not error.msg or "pip install" not in error.msg:
            raise
        return _failed(title, error.msg)
    except MemoryError:
        return _failed(title, "Expected data that fit in memory, got more.")
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        _forget_stdout()
        return 1
    except OSError as error:  # those of files are LaminaErrors
        _forget_stdout()
        what = "Standard output: can't be written" if error.filename is None else f"File '{error.filename}'"
        return _failed(title, f"{what}: {error.strerror or error}.")
    except KeyboardInterrupt:
        tell(f"\n{title}: interrupted")
        return 130
    return 0


class _Closed(io.TextIOBase):
    """Standard output where the shell has closed it: `lamina ... >&-`."""

    def write(self, text: str) -> int:
        """`OSError`, as a file that is closed gives."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _open_streams() -> None:
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = io.StringIO()  # nobody reads it
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter is no error


def _forget_stdout() -> None:
    """Let what is still to be written go nowhere, or Python would complain about it as it ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parsed(parser: argparse.ArgumentParser, given: list[str]) -> argparse.Namespace:
    try:
        options, more = parser.parse_known_args(given)
    except SystemExit:
        sys.stdout.flush()  # what --help has printed
        raise
    if more:
        options.error(f"unrecognized arguments: {' '.join(more)}")  # of the command, as argparse's isn't
    return options


def _keep(texts: list[str], message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    if issubclass(category, NumericalWarning):  # the others are between libraries
        texts.append(str(message))


def _failed(title: str, message: str) -> int:
    message = message.replace("unknown='ignore'", "--unknown ignore")  # as the option is called here
    tell(f"{title}: {visible(message)}")
    return 1


class _Parser(argparse.ArgumentParser):
    """Tells errors in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.exit(2, f"{self.prog}: {visible(message)}; see '{self.prog} --help'\n")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Lists the commands without a line for their list."""

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        return text.partition("\n")[2] if action.nargs == argparse.PARSER else text


class _CMakeDir(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        try:
            print(get_cmake_dir())
        except LaminaError as error:
            parser.exit(1, f"lamina: {error}\n")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lamina",
        description="Deep learning on CPUs: train on a table, predict, look into models.",
        epilog=_EXAMPLES,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"lamina {_core.__version__}")
    parser.add_argument(
        "--cmakedir", action=_CMakeDir, nargs=0, help="print where CMake finds lamina, and exit"
    )
    commands = parser.add_subparsers(
        dest="command", metavar="command", required=True, title="commands", parser_class=_Parser
    )
    for name in _COMMANDS:
        import_module(f"{__name__}.{name}").register(commands)  # here, as Ctrl-C may come meanwhile
    for command_parser in commands.choices.values():
        command_parser.set_defaults(error=command_parser.error)  # for what shows after parsing only
    return parser
