"""The graph of a model in DOT, the language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._summary import shape_text
from .errors import ArgumentError

if TYPE_CHECKING:
    from .model import Sequential

_DIRECTIONS = ("TB", "LR", "BT", "RL")


def to_dot(model: Sequential, show_shapes: bool, rankdir: str) -> str:
    """One box a layer, with name, type, parameters and output shape; edges in the order of calls."""
    if rankdir not in _DIRECTIONS:
        raise ArgumentError(
            f"to_dot: expected rankdir to be one of {', '.join(map(repr, _DIRECTIONS))}, got {rankdir!r}."
        )
    boxes: list[list[str]] = []
    if model.built:
        boxes.append(["x", *([shape_text(model.input_shape)] if show_shapes else [])])
    for layer in model.layers:
        lines = [f"{layer.name} ({type(layer).__name__}{'' if layer.trainable else ', frozen'})"]
        if model.built and show_shapes:
            count = layer.count_params()
            lines += [shape_text(layer.output_shape), *([f"{count:,} parameters"] if count else [])]
        boxes.append(lines)
    text = [
        "digraph model {",
        f"  rankdir={rankdir};",
        '  node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];',
    ]
    text += [f"  n{i} [label={quoted(lines)}];" for i, lines in enumerate(boxes)]
    text += [f"  n{i} -> n{i + 1};" for i in range(len(boxes) - 1)]
    return "\n".join([*text, "}", ""])


def quoted(lines: list[str]) -> str:
    """Return lines as a label; Graphviz reads backslashes, quotes and HTML entities in it."""
    escaped = []
    for line in lines:
        plain = " ".join(line.split("\n")).replace("&", "&amp;")
        escaped.append(plain.replace("\\", "\\\\").replace('"', '\\"'))
    return '"' + "\\n".join(escaped) + '"'
