"""`python -m lamina_bench`: measure the rows asked for, and write the report. run.sh calls it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from .fashion import data_folder, measure_fashion
from .footprint import import_seconds, memory_bytes
from .machine import FmaPeak, description
from .measure import Options, Result, measure_row
from .peers import NAMES
from .plots import write_plots
from .report import Report, microseconds, write_json, write_markdown
from .workloads import ALL_ROWS, AVX2_ROWS, CROSSOVER, DEFAULT_ROWS, FASHION_EPOCHS


def main() -> None:
    """Measure, and write after every row, so that an interrupted run leaves what it has."""
    arguments = _parser().parse_args()
    options = Options(["numpy", *arguments.peers], arguments.isa, arguments.window, arguments.rounds)
    rows = arguments.rows or (AVX2_ROWS if arguments.isa == "avx2" else DEFAULT_ROWS)
    folder = Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    report = Report(datetime.now(timezone.utc).strftime("%Y-%m-%d"), description(), arguments.isa)
    if arguments.wheel:
        report.wheel = Path(arguments.wheel).stat().st_size
    peak = FmaPeak(arguments.isa)
    for row in rows:
        for part in CROSSOVER if row == "crossover" else [row]:
            _measure(part, report, options, peak, arguments.epochs)
            write_json(report, folder / "results.json")
            write_markdown(report, folder / "results.md")
    for path in [folder / "results.md", folder / "results.json", *write_plots(report, folder)]:
        print(path)


def _measure(row: str, report: Report, options: Options, peak: FmaPeak, epochs: int) -> None:
    print(f"{row} ...", file=sys.stderr, flush=True)
    if row == "fashion":
        source = data_folder()
        if source is None:
            _skip(report, "Fashion-MNIST, as Debian's package dataset-fashion-mnist is not installed")
            return
        report.fashion = measure_fashion(options, peak, source, epochs)
        for training in report.fashion.trainings:
            print(
                f"  {training.name}: {training.median:.2f} s, {training.mean_accuracy:.4f}", file=sys.stderr
            )
    elif row == "footprint":
        report.imports = import_seconds(options.peers)
        source = data_folder()
        if source is not None:
            report.memory = memory_bytes(source)
    else:
        report.results.append(measure_row(row, options, peak))
        _tell(report.results[-1])


def _tell(result: Result) -> None:
    cells = [f"{entry.name} {microseconds(entry.median)}" for entry in result.entries]
    share = result.peak_seconds / result.lamina.median
    print(f"  us: {'; '.join(cells)}; {share:.0%} of {result.peak:.0f} GFLOP/s", file=sys.stderr, flush=True)


def _skip(report: Report, what: str) -> None:
    report.skipped.append(what)
    print(f"SKIPPED: {what}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    parser.add_argument("--peers", type=_some_of(NAMES), default=[], help=f"of {', '.join(NAMES)}")
    parser.add_argument("--rows", type=_some_of(ALL_ROWS), default=[], help=f"of {', '.join(ALL_ROWS)}")
    parser.add_argument("--isa", choices=["avx2"], help="limit every peer to AVX2")
    parser.add_argument("--out", default="bench-results", help="folder to write to")
    parser.add_argument("--window", type=float, default=0.3, help="seconds of a window")
    parser.add_argument("--rounds", type=int, default=7, help="windows of each peer")
    parser.add_argument("--epochs", type=int, default=FASHION_EPOCHS, help="of Fashion-MNIST")
    parser.add_argument("--wheel", help=argparse.SUPPRESS)
    return parser


def _some_of(known: list[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        names = [name for name in text.split(",") if name]
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"expected some of {', '.join(known)}, got {name}")
        return names

    return parse


if __name__ == "__main__":
    main()
