"""Models as source code: one C header with weights and inference, for microcontrollers and anything else.

    from lamina.export import to_c

    report = to_c(model, "model.h")

The header needs a C99 compiler and `math.h`, takes nothing from the heap, and agrees with `predict` to 1e-5.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _core
from ._files import write_whole
from .errors import ArgumentError, StateError
from .model import Sequential

__all__ = ["CReport", "to_c"]

_KEYWORDS = """auto break case char const continue default do double else enum extern float for goto if
inline int long register restrict return short signed sizeof static struct switch typedef union unsigned void
volatile while"""
_NOTHING_TO_DO = {"Input", "Dropout", "GaussianNoise", "Flatten", "Reshape", "ActivityRegularization"}

# y = f(x) of one number; a NaN stays one. {} is the slope below zero.
_FORMULAS = {
    "relu": "x < 0.0f ? 0.0f : x",
    "relu6": "x < 0.0f ? 0.0f : (x > 6.0f ? 6.0f : x)",
    "leaky_relu": "x > 0.0f ? x : x * {}",
    "elu": "x > 0.0f ? x : {} * expm1f(x)",
    "selu": "x > 0.0f ? x * 1.05070099f : 1.75809932f * expm1f(x)",
    "gelu": "x < -14.5f ? 0.0f : 0.5f * x * erfcf(x * -0.707106769f)",
    "silu": "x < -110.0f ? 0.0f : x / (1.0f + expf(-x))",
    "sigmoid": "x < 0.0f ? expf(x) / (1.0f + expf(x)) : 1.0f / (1.0f + expf(-x))",
    "hard_sigmoid": "x < -3.0f ? 0.0f : (x > 3.0f ? 1.0f : (x + 3.0f) / 6.0f)",
    "tanh": "tanhf(x)",
    "softplus": "(x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)))",
    "softsign": "x / (1.0f + fabsf(x))",
    "exponential": "expf(x)",
    "mish": "x < -110.0f ? 0.0f : x * tanhf((x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x))))",
}


@dataclass(frozen=True)
class CReport:
    """What an exported header needs, `flash` and `ram`, in bytes.

    Examples
    --------
    >>> from lamina.export import CReport
    >>> CReport(flash=14092, ram=384).flash
    14092
    """

    flash: int
    """Weights, which stand in constant arrays; the code comes on top, a few hundred bytes a layer."""
    ram: int
    """Stack within a prediction, input and output not counted."""


@dataclass
class _Step:
    """A loop over the values, from `source` to `target`, which may be the same array but for a product."""

    comment: str
    code: str  # with {source} and {target}
    size: int  # numbers that it writes
    product: bool = False


@dataclass
class _Header:
    name: str
    arrays: list[str] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    steps: list[_Step] = field(default_factory=list)
    flash: int = 0

    def array(self, name: str, values: Any) -> str:
        """Declare an array of weights and return its name."""
        flat = np.asarray(values, np.float32).ravel()
        if not np.isfinite(flat).all():
            raise ArgumentError(f"to_c: expected finite weights, got NaN or infinity in '{name}'.")
        full = f"{self.name}_w{len(self.arrays)}_{re.sub('[^0-9A-Za-z_]', '_', name)}"
        rows = "\n".join(f"  {line}" for line in _lines(map(_literal, flat)))
        self.arrays.append(f"static const float {full}[{flat.size}] = {{\n{rows}\n}};")
        self.flash += 4 * flat.size
        return full

    def elementwise(self, comment: str, size: int, expression: str) -> None:
        self.steps.append(
            _Step(
                comment,
                f"for (i = 0; i < {size}; ++i) {{\n  const float x = {{source}}[i];\n"
                f"  {{target}}[i] = {expression};\n}}",
                size,
            )
        )

    def activation(self, kind: str | None, shape: tuple[int, ...], alpha: float | None = None) -> None:
        size = math.prod(shape)
        if kind in (None, "linear"):
            return
        if kind in ("softmax", "log_softmax"):
            self.functions.setdefault(kind, _row_function(self.name, kind))
            code = _groups(
                size, shape[-1], f"{self.name}_{kind}({{source}} + i, {{target}} + i, {shape[-1]});"
            )
            self.steps.append(_Step(kind, code, size))
            return
        if kind not in _FORMULAS:
            raise ArgumentError(f"to_c: expected a known activation, got '{kind}'.")
        default = 0.2 if kind == "leaky_relu" else 1.0
        slope = _literal(np.float32(default if alpha is None else alpha))
        self.elementwise(kind, size, _FORMULAS[kind].format(slope))


def to_c(model: Sequential, path: str | os.PathLike[str], name: str = "model") -> CReport:
    """Write a model as one C99 header with its weights and `void <name>_predict(const float*, float*)`.

    The header also defines `<NAME>_INPUT_SIZE` and `<NAME>_OUTPUT_SIZE`, numbers in a row. Its function
    predicts one row, takes nothing from the heap and may run on several threads at once; input and output
    must not overlap. The file is written whole or not at all.

    Raises
    ------
    ArgumentError
        For a name that is no identifier of C, a layer that has no C, and weights that are not finite.
    StateError
        Before the model is built.
    FileError
        When the path can't be written.

    Examples
    --------
    >>> import lamina as lm
    >>> from lamina.export import to_c
    >>> model = lm.Sequential([lm.Input((4,)), lm.Dense(8, activation="relu"), lm.Dense(3)], seed=1)
    >>> to_c(model, "model.h").flash  # 67 numbers of 4 bytes
    268
    """
    if (
        not isinstance(name, str)
        or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name)
        or name in _KEYWORDS.split()
    ):
        raise ArgumentError(f"to_c: expected an identifier of C as name, got {name!r}.")
    if not isinstance(model, Sequential):
        raise ArgumentError(f"to_c: expected a Sequential, got {model!r}.")
    if not model.built:
        raise StateError("to_c: expected a built model, got one without an input shape.")
    header = _Header(name)
    shape = _extents(model.input_shape)
    input_size = math.prod(shape)
    for layer in model.layers:
        output = _extents(layer.output_shape)
        if 0 in shape or 0 in output:
            raise ArgumentError(f"to_c: expected layers with outputs, got shape {output} of '{layer.name}'.")
        _add_layer(header, layer, shape, output)
        shape = output
    text, ram = _text(header, input_size, math.prod(shape))
    write_whole(path, text.encode("utf-8"))
    return CReport(header.flash, ram)


def _extents(shape: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(int(extent) for extent in shape if extent is not None)


def _add_layer(header: _Header, layer: Any, shape: tuple[int, ...], output: tuple[int, ...]) -> None:
    kind, config = type(layer).__name__, layer.get_config()
    if kind in _NOTHING_TO_DO:
        return
    if kind == "Dense":
        _add_dense(header, layer, shape)
        header.activation(config["activation"], output)
    elif kind == "Activation":
        header.activation(config["activation"], shape)
    elif kind == "Softmax":
        header.activation("softmax", shape)
    elif kind == "LeakyReLU":
        header.activation("leaky_relu", shape, config["negative_slope"])
    elif kind == "ELU":
        header.activation("elu", shape, config["alpha"])
    elif kind == "Rescaling":
        scale, offset = (_literal(np.float32(config[key])) for key in ("scale", "offset"))
        header.elementwise(layer.name, math.prod(shape), f"x * {scale} + {offset}")
    elif kind == "BatchNormalization":
        _add_batch_normalization(header, layer, config, shape)
    elif kind == "LayerNormalization":
        _add_layer_normalization(header, layer, config, shape)
    else:
        raise ArgumentError(f"to_c: expected layers that C is known for, got {kind} '{layer.name}'.")


def _add_dense(header: _Header, layer: Any, shape: tuple[int, ...]) -> None:
    inputs, units = layer.kernel.shape
    kernel = header.array(f"{layer.name}_kernel", layer.kernel)
    first = "0.0f"
    if "bias" in layer._weight_names():
        first = header.array(f"{layer.name}_bias", layer.bias) + "[j]"
    positions = math.prod(shape) // inputs
    code = (
        f"for (i = 0; i < {positions}; ++i) {{\n"
        f"  const float *const x = {{source}} + i * {inputs};\n"
        f"  float *const y = {{target}} + i * {units};\n"
        f"  for (j = 0; j < {units}; ++j) y[j] = {first};\n"
        f"  for (k = 0; k < {inputs}; ++k) {{\n"
        f"    for (j = 0; j < {units}; ++j) y[j] += x[k] * {kernel}[k * {units} + j];\n"
        "  }\n"
        "}"
    )
    header.steps.append(_Step(f"{layer.name}: {inputs} to {units}", code, positions * units, product=True))


def _add_batch_normalization(header: _Header, layer: Any, config: Any, shape: tuple[int, ...]) -> None:
    channels = shape[-1]
    factor = 1.0 / np.sqrt(layer.moving_variance.astype(np.float64) + config["epsilon"])
    if config["scale"]:
        factor = factor * layer.gamma
    mean = header.array(f"{layer.name}_mean", layer.moving_mean)
    scale = header.array(f"{layer.name}_factor", factor)
    shift = f" + {header.array(f'{layer.name}_beta', layer.beta)}[j]" if config["center"] else ""
    size = math.prod(shape)
    body = (
        f"for (j = 0; j < {channels}; ++j)\n"
        f"  {{target}}[i + j] = ({{source}}[i + j] - {mean}[j]) * {scale}[j]{shift};"
    )
    header.steps.append(_Step(layer.name, _groups(size, channels, body), size))


def _add_layer_normalization(header: _Header, layer: Any, config: Any, shape: tuple[int, ...]) -> None:
    axis = config["axis"]
    count = len(axis) if isinstance(axis, (list, tuple)) else 1
    n, size = math.prod(shape[-count:]), math.prod(shape)
    factor = f" * {header.array(f'{layer.name}_gamma', layer.gamma)}[j]" if config["scale"] else ""
    shift = f" + {header.array(f'{layer.name}_beta', layer.beta)}[j]" if config["center"] else ""
    body = (
        "float mean = 0.0f, variance = 0.0f;\n"
        f"for (j = 0; j < {n}; ++j) mean += {{source}}[i + j];\n"
        f"mean /= {n}.0f;\n"
        f"for (j = 0; j < {n}; ++j) {{\n"
        "  const float d = {source}[i + j] - mean;\n"
        "  variance += d * d;\n"
        "  {target}[i + j] = d;\n"
        "}\n"
        f"variance = 1.0f / sqrtf(variance / {n}.0f + {_literal(np.float32(config['epsilon']))});\n"
        f"for (j = 0; j < {n}; ++j) {{target}}[i + j] = {{target}}[i + j] * variance{factor}{shift};"
    )
    header.steps.append(_Step(layer.name, _groups(size, n, body), size))


def _groups(size: int, n: int, body: str) -> str:
    """Return `body` for each i at which a group of n numbers begins."""
    inner = "\n".join("  " + line for line in body.split("\n"))
    return f"for (i = 0; i < {size}; i += {n}) {{\n{inner}\n}}"


def _row_function(name: str, kind: str) -> str:
    last = (
        "for (j = 0; j < n; ++j) y[j] /= sum;"
        if kind == "softmax"
        else "sum = logf(sum);\n  for (j = 0; j < n; ++j) y[j] = (x[j] - largest) - sum;"
    )
    store = "y[j] = expf(x[j] - largest);\n    sum += y[j];"
    if kind == "log_softmax":
        store = "sum += expf(x[j] - largest);"
    return (
        f"static inline void {name}_{kind}(const float *x, float *y, long n) {{\n"
        "  long j;\n"
        "  float largest = x[0], sum = 0.0f;\n"
        "  for (j = 1; j < n; ++j) largest = x[j] > largest ? x[j] : largest;\n"
        "  for (j = 0; j < n; ++j) {\n"
        f"    {store}\n"
        "  }\n"
        f"  {last}\n"
        "}"
    )


# ---- text


def _literal(value: np.floating[Any]) -> str:
    """Nine digits bring every float32 back."""
    text = f"{float(value):.9g}"
    return (text if "." in text or "e" in text else text + ".0") + "f"


def _lines(words: Iterable[str], width: int = 96) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(line) + len(word) > width:
            yield line.rstrip()
            line = ""
        line += word + ", "
    yield line.rstrip(", ")


def _text(header: _Header, input_size: int, output_size: int) -> tuple[str, int]:
    """Return the header's text, and how many bytes of stack it takes."""
    steps = header.steps or [
        _Step(
            "nothing to do",
            f"for (i = 0; i < {output_size}; ++i) {{target}}[i] = {{source}}[i];",
            output_size,
        )
    ]
    # A product begins a new array, the other steps work in place. Arrays take turns; the last is the output.
    segment, segments = 0, []
    for index, step in enumerate(steps):
        segment += step.product and index > 0
        segments.append(segment)
    extents = [0, 0]
    for step, index in zip(steps, segments, strict=True):
        if index < segment:
            extents[index % 2] = max(extents[index % 2], step.size)
    lines, source = [], "input"
    for step, index in zip(steps, segments, strict=True):
        target = "output" if index == segment else "ab"[index % 2]
        code = step.code.replace("{source}", source).replace("{target}", target)
        lines += ["", f"/* {step.comment} */", *code.split("\n")]
        source = target
    used = [letter for letter in "ijk" if any(f"({letter} = 0" in line for line in lines)]
    buffers = [f"float {'ab'[i]}[{extent}];" for i, extent in enumerate(extents) if extent]
    body = "\n".join("  " + line if line else "" for line in [*buffers, f"long {', '.join(used)};", *lines])
    ram = 4 * sum(extents)
    return _frame(header, input_size, output_size, ram, body), ram


def _frame(header: _Header, input_size: int, output_size: int, ram: int, body: str) -> str:
    name, upper = header.name, header.name.upper()
    parts = [
        f"/* A model, as `lamina export` of lamina {_core.__version__} wrote it.\n *\n"
        f" * {name}_predict(input, output) predicts one row: {input_size} floats in, {output_size} out,\n"
        f" * which must not overlap. Needs C99, math.h. Flash: {header.flash:,} bytes of weights, and code.\n"
        f" * RAM: {ram:,} bytes of stack. */",
        f"#ifndef {upper}_LAMINA_MODEL_H\n#define {upper}_LAMINA_MODEL_H\n\n#include <math.h>",
        f"#define {upper}_INPUT_SIZE {input_size}\n#define {upper}_OUTPUT_SIZE {output_size}",
        *header.arrays,
        *header.functions.values(),
        f"static inline void {name}_predict(const float *input, float *output) {{\n{body}\n}}",
        "#endif",
    ]
    return "\n\n".join(parts) + "\n"
