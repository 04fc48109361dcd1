"""The table that `Sequential.summary` prints, or shows in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model import Sequential

_FLOAT_BYTES = 4
_HEADER = ("layer (type)", "output shape", "params")


def summary(model: Sequential, line_length: int | None) -> str:
    """One line a layer: name and type, output shape, number of parameters; totals below."""
    rows = _rows(model)
    widths = [max(len(row[column]) for row in [_HEADER, *rows]) for column in range(3)]
    natural = sum(widths) + 2 * 3
    if line_length is not None:
        widths[0] = max(8, widths[0] + line_length - natural)
    lines = [_line(_HEADER, widths)]
    lines += ["-" * len(lines[0])]
    lines += [_line(row, widths) for row in rows]
    lines += [lines[1], *_totals(model)]
    return "\n".join(lines)


def summary_html(model: Sequential) -> str:
    """Return the same table for a notebook."""
    from html import escape

    def row(cells: tuple[str, ...], tag: str) -> str:
        sides = ("left", "left", "right")
        inner = "".join(
            f'<{tag} style="text-align: {side}">{escape(cell)}</{tag}>'
            for cell, side in zip(cells, sides, strict=True)
        )
        return f"<tr>{inner}</tr>"

    body = "".join(row(cells, "td") for cells in _rows(model))
    totals = "<br>".join(escape(line.strip()) for line in _totals(model))
    head = row(_HEADER, "th")
    return f"<table><thead>{head}</thead><tbody>{body}</tbody></table><p>{totals}</p>"


def _rows(model: Sequential) -> list[tuple[str, str, str]]:
    rows = []
    for layer in model.layers:
        note = "" if layer.trainable else ", frozen"
        title = f"{layer.name} ({type(layer).__name__}{note})"
        shape = shape_text(layer.output_shape) if model.built else "?"
        rows.append((title, shape, f"{layer.count_params():,}" if model.built else "?"))
    return rows


def shape_text(shape: tuple[int | None, ...]) -> str:
    """`(None, 10)` as `(batch, 10)`."""
    return f"({', '.join('batch' if extent is None else str(extent) for extent in shape)})"


def size_text(count: float) -> str:
    """Return a number of bytes as a person reads it."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1000
    return f"{count:.3g} GB"


def _line(cells: tuple[str, str, str], widths: list[int]) -> str:
    title = cells[0] if len(cells[0]) <= widths[0] else cells[0][: widths[0] - 3] + "..."
    return f" {title:<{widths[0]}}  {cells[1]:<{widths[1]}}  {cells[2]:>{widths[2]}} "


def _totals(model: Sequential) -> list[str]:
    if not model.built:
        return ["Not built yet: the input shape is known at first sight of data, or from an Input layer."]
    trainable, statistics, frozen = model._params()
    total = trainable + statistics + frozen
    lines = [
        f"Parameters: {total:,} ({size_text(total * _FLOAT_BYTES)})",
        f"  trainable:     {trainable:,}",
        f"  non-trainable: {statistics + frozen:,}",
    ]
    if frozen:
        lines[-1] += f", of which frozen: {frozen:,}"
    return lines
