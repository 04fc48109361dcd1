"""Reports as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._scores import Scores
from ._values import text_of

_MOST_IN_MATRIX = 15
_MOST_PAIRS = 10
_BAR = 32


def scores_text(scores: Scores, rows: str) -> str:
    """Return the scores as a few tables; `rows` says of what."""
    lines = _numbers(scores, rows) if "rmse" in scores else _classes(scores, rows)
    return "\n".join(lines)


def table_text(rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Return rows as lines of columns, the first `left` columns to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            f"{cell:<{width}}" if i < left else f"{cell:>{width}}"
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def figure(value: float | None) -> str:
    """Return a number with four digits that count, and none lost of a large one."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def _classes(scores: Scores, rows: str) -> list[str]:
    base = scores["baseline"]
    lines = [
        f"Accuracy {scores['accuracy']:.2%} on {scores['rows']:,} {rows}; "
        f"always '{_short(base['class'])}' has {base['accuracy']:.2%}",
        f"Log loss {scores['log_loss']:.4f}, mean F1 of the classes {scores['macro_f1']:.4f}",
        "",
    ]
    table = [("class", "precision", "recall", "F1", "rows")]
    for entry in scores["per_class"]:
        figures = [f"{entry[name]:.3f}" for name in ("precision", "recall", "f1")]
        table.append((_short(entry["class"]), figures[0], figures[1], figures[2], f"{entry['rows']:,}"))
    lines += [*table_text(table), ""]
    names = [_short(entry["class"]) for entry in scores["per_class"]]
    return lines + (_matrix if len(names) <= _MOST_IN_MATRIX else _mistakes)(names, scores["confusion"])


def _matrix(names: list[str], confusion: list[list[int]]) -> list[str]:
    short = [name if len(name) <= 10 else f"{name[:9]}." for name in names]
    table = [["true \\ predicted", *short]]
    table += [[name, *(f"{count:,}" for count in row)] for name, row in zip(names, confusion, strict=True)]
    return ["Confusion matrix", *table_text(table)]


def _mistakes(names: list[str], confusion: list[list[int]]) -> list[str]:
    pairs = [
        (count, names[i], names[j])
        for i, row in enumerate(confusion)
        for j, count in enumerate(row)
        if i != j and count
    ]
    pairs.sort(key=lambda pair: -pair[0])
    table = [("true", "predicted", "rows")] + [(a, b, f"{n:,}") for n, a, b in pairs[:_MOST_PAIRS]]
    return ["Most frequent mistakes", *table_text(table, left=2)]


def _numbers(scores: Scores, rows: str) -> list[str]:
    base = scores["baseline"]
    r2 = "-" if scores["r2"] is None else f"{scores['r2']:.4f}"
    lines = [
        f"R2 {r2} on {scores['rows']:,} {rows}",
        "",
        *table_text(
            [
                ("", "model", f"always {figure(base['number'])}"),
                ("mean absolute error", figure(scores["mae"]), figure(base["mae"])),
                ("root mean square error", figure(scores["rmse"]), figure(base["rmse"])),
            ]
        ),
        "",
        f"Residuals (true - predicted), mean {figure(scores['residuals']['mean'])}",
    ]
    quantiles = scores["residuals"]["quantiles"]
    names = {"0": "least", "50": "median", "100": "greatest"}
    heads = [names.get(q, f"{q}%") for q in quantiles]
    lines += table_text([heads, [figure(value) for value in quantiles.values()]], left=0)
    return [*lines, "", *_histogram(scores["residuals"]["histogram"])]


def _histogram(histogram: dict[str, list[float]]) -> list[str]:
    counts, edges = histogram["counts"], histogram["edges"]
    most = max(max(counts), 1)
    table = []
    for count, low, high in zip(counts, edges, edges[1:], strict=False):
        bar = "#" * round(_BAR * count / most)
        table.append((figure((low + high) / 2), bar or ("." if count else ""), f"{count:,.0f}"))
    width = max(len(row[0]) for row in table)
    return [f"  {middle:>{width}} |{bar:<{_BAR}} {count}" for middle, bar, count in table]


def _short(label: Any, width: int = 24) -> str:
    text = text_of(label)
    return text if len(text) <= width else f"{text[: width - 3]}..."
