"""Write the stubs of the modules whose classes are declared in C++: `python -m lamina._stubs [FOLDER]`.

A stub shows editors and mypy the real signatures. The result depends on the declarations alone; a test checks
that the stubs beside the modules are up to date.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
import textwrap
from typing import Any

from . import _core
from ._configurable import _KEYWORD_ONLY, MODULES, Configurable, default_of

_WIDTH = 110
_BASE_MODULES = {"layer": "_layer", "loss": "_loss"}  # others stand in _kinds
_NONE_IS_NONE = ("regularizer", "constraint", "initializer")  # get(None) is None

# What may be passed for a kind of field, and what reading it gives.
_TAKES = {
    "shape": "Sequence[int]",
    "activation": "str | Callable[..., Any]",
    "schedule": "Schedule | Callable[[int], float]",
    **{kind: f"{kind.capitalize()} | str" for kind in MODULES if kind != "schedule"},
}
_GIVES = {
    "shape": "tuple[int, ...]",
    "activation": "Callable[..., Any]",
    "schedule": "Schedule | Callable[[int], float]",
    **{kind: kind.capitalize() for kind in MODULES if kind != "schedule"},
}


def stub_of(kind: str) -> str:
    """Return the text of one module's stub."""
    module = importlib.import_module(f"lamina.{MODULES[kind]}")
    base = kind.capitalize()
    classes = [
        _class_stub(kind, name, getattr(module, name))
        for name in module.__all__
        if _is_declared(module, name)
    ]
    body = "\n".join(classes)
    if hasattr(module, "get"):
        body += _get_stub(kind, (module.get.__doc__ or "").partition("\n")[0])
    names = ", ".join(f'"{name}"' for name in module.__all__)
    exports = "\n".join(f'    "{name}",' for name in module.__all__)
    assert names
    return f"{_header(kind, base, body, module.__doc__ or '')}\n__all__ = [\n{exports}\n]\n\n{body}"


def write(folder: str) -> None:
    """Write all stubs into a folder."""
    for kind, module in MODULES.items():
        with open(os.path.join(folder, f"{module}.pyi"), "w", encoding="utf-8") as file:
            file.write(stub_of(kind))


def _is_declared(module: Any, name: str) -> bool:
    value = getattr(module, name)
    return isinstance(value, type) and issubclass(value, Configurable) and value._schema is not None


def _header(kind: str, base: str, body: str, doc: str) -> str:
    lines = ["# Written by `python -m lamina._stubs` from the declarations in C++."]
    if re.search(r'\n    """[^"]*\n[^"]*"""', body):
        lines.append("# ruff: noqa: D205")  # summaries that take more than a line
    lines.append(f'"""{doc.strip()}')
    lines[-1] += '"""' if "\n" not in doc.strip() else '\n"""'
    abstract = [name for name in ("Callable", "Mapping", "Sequence") if f"{name}[" in body]
    lines += ["", f"from collections.abc import {', '.join(abstract)}"] if abstract else [""]
    typing = [name for name in ("Any", "Final") if f"{name}[" in body or f"{name}]" in body]
    if typing:
        lines.append(f"from typing import {', '.join(typing)}")
    lines.append("")
    sources: dict[str, list[str]] = {_BASE_MODULES.get(kind, "_kinds"): [base]}
    for other in MODULES:
        name = other.capitalize()
        if other != kind and f"{name} " in body.replace("\n", " ").replace("]", " "):
            sources.setdefault(_BASE_MODULES.get(other, "_kinds"), []).append(name)
    for module in sorted(sources):
        names = sorted(sources[module])
        lines.append(f"from .{module} import {', '.join(names)}")
    return "\n".join(lines) + "\n"


def _class_stub(kind: str, name: str, cls: type[Configurable]) -> str:
    schema = cls._schema
    assert schema is not None
    if name != schema["type"]:
        return f"{name} = {schema['type']}\n"
    lines = [f"class {name}({kind.capitalize()}):", *_doc(schema["doc"]), ""]
    annotations = {name for base in cls.__mro__ for name in inspect.get_annotations(base)}
    properties = {*dir(cls), *annotations}
    for field in schema["fields"]:
        if field["name"] not in properties:
            lines.append(f"    {field['name']}: Final[{_type(field['kind'], _GIVES)}]")
    return "\n".join([*lines, *_init(kind, schema)]) + "\n"


def _init(kind: str, schema: _core.Schema) -> list[str]:
    if not schema["fields"]:
        return ["    def __init__(self) -> None: ..."]
    lines = ["    def __init__(", "        self,"]
    starred = False
    for field in schema["fields"]:
        if field["name"] in _KEYWORD_ONLY.get(kind, ()) and not starred:
            lines.append("        *,")
            starred = True
        default = "" if field["required"] else f" = {_default(field)}"
        lines.append(f"        {field['name']}: {_type(field['kind'], _TAKES)}{default},")
    return [*lines, "    ) -> None: ..."]


def _default(field: _core.FieldInfo) -> str:
    value = default_of(field)
    if isinstance(value, str):
        return f'"{value}"'
    return repr(value) if value is None or isinstance(value, (bool, int, float, tuple)) else "..."


def _type(kind: str, table: dict[str, str]) -> str:
    """Return the annotation of a kind such as "float", "int or list of int", "initializer?"."""
    plain, optional = kind.rstrip("?"), kind.endswith("?")
    parts = [_part(part, table) for part in plain.split(" or ")]
    if optional and not (plain == "activation" and table is _GIVES):
        parts.append("None")
    return " | ".join(parts)


def _part(kind: str, table: dict[str, str]) -> str:
    if kind.startswith("list of "):
        container = "Sequence" if table is _TAKES else "list"
        return f"{container}[{_part(kind.removeprefix('list of '), table)}]"
    return table.get(kind, kind)


def _doc(doc: str) -> list[str]:
    indent = "    "
    lines = textwrap.wrap(doc, _WIDTH - len(indent) - 6)
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    return [f'{indent}"""{lines[0]}', *(indent + line for line in lines[1:]), f'{indent}"""']


def _get_stub(kind: str, doc: str) -> str:
    base = kind.capitalize()
    none = " | None" if kind in _NONE_IS_NONE else ""
    takes = f"{base} | type[{base}] | str | Mapping[str, Any]{none}"
    return f'\ndef get(identifier: {takes}) -> {base}{none}:\n    """{doc}"""\n'


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(__file__))
