"""`lamina inspect`: what stands in a model file or checkpoint."""

from __future__ import annotations

import argparse
from typing import Any

from .. import _core
from ._options import add_json
from ._output import counted, model_errors, print_json, print_table, visible


def register(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("inspect", help="show what stands in a model file or checkpoint")
    parser.add_argument("file", help="a safetensors file")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print layers, columns, tensors, metadata."""
    from .._summary import size_text

    with model_errors(options.file):
        metadata, tensors = _core.inspect_file(options.file)
    if options.json:
        print_json(_as_json(options.file, metadata, tensors))
        return
    total = sum(size for _, _, _, size in tensors)
    print(f"{visible(options.file)}: {counted(len(tensors), 'tensor')}, {size_text(total)}")
    if "lamina" in metadata:
        from ..model import load_model

        print()
        load_model(options.file).summary(print_fn=_print_visible)
    if "tabular" in metadata and "lamina" in metadata:
        print()
        _print_columns(options.file)
    if tensors:
        print()
        print_table(
            [("tensor", "dtype", "shape", "size")]
            + [(name, dtype, str(tuple(shape)), size_text(size)) for name, dtype, shape, size in tensors]
        )
    if metadata:
        print()
        print_table(
            [("metadata", "")] + [(key, _short(visible(value))) for key, value in sorted(metadata.items())]
        )


def _print_visible(text: str) -> None:
    print("\n".join(map(visible, text.split("\n"))))


def _print_columns(path: str) -> None:
    from ..tabular import TabularModel

    model = TabularModel.load(path)
    classes = model.classes
    kind = "a number" if classes is None else f"one of {_short(visible(', '.join(map(str, classes))))}"
    print(f"Predicts '{visible(model.target)}', {kind}, from these columns:")
    print_table([(column.name, column.describe()) for column in model.preprocessor.columns])


def _as_json(path: str, metadata: dict[str, str], tensors: list[Any]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "file": path,
        "tensors": [
            {"name": name, "dtype": dtype, "shape": list(shape), "bytes": size}
            for name, dtype, shape, size in tensors
        ],
        "metadata": metadata,
    }
    if "lamina" in metadata:
        from ..model import load_model

        model = load_model(path)
        result["parameters"] = model.count_params()
        result["layers"] = [
            {
                "name": layer.name,
                "type": type(layer).__name__,
                "output_shape": list(layer.output_shape),
                "parameters": layer.count_params(),
            }
            for layer in model.layers
        ]
    if "tabular" in metadata and "lamina" in metadata:
        from ..tabular import TabularModel

        table = TabularModel.load(path)
        result["target"], result["classes"] = table.target, table.classes
        result["columns"] = table.preprocessor.to_fields()["columns"]
    return result


def _short(text: str, width: int = 90) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= width else f"{flat[: width - 3]}..."
