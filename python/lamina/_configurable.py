"""Classes whose hyperparameters are declared in C++.

A layer, a loss, an optimizer, ... declares its arguments once, in C++. From that declaration come the Python
class's signature, docstring, repr, attributes and checks; `declare(Layer, "Dense")` makes the class.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, TypeVar, cast

import numpy as np

from . import _core, activations
from .errors import ArgumentError

# Module of each kind of object, and its class in the core.
MODULES = {
    "layer": "layers",
    "loss": "losses",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "regularizer": "regularizers",
    "constraint": "constraints",
    "initializer": "initializers",
    "metric": "metrics",
}
_CORE_CLASSES: dict[str, Any] = {kind: getattr(_core, kind.capitalize()) for kind in MODULES}
_KEYWORD_ONLY = {"layer": ("trainable", "name")}  # as in Keras

_classes: dict[tuple[str, str], type[Configurable]] = {}

C = TypeVar("C", bound="Configurable")


@functools.cache
def schemas(kind: str) -> dict[str, _core.Schema]:
    """Every declared type of a kind, by name."""
    result = {schema["type"]: schema for schema in _core.schemas(kind)}
    if kind == "layer":  # as in Keras, a layer without a name of its own has the name None
        for schema in result.values():
            for field in schema["fields"]:
                if field["name"] == "name":
                    field["kind"], field["default"] = "str?", None
    return result


class Configurable:
    """Anything with hyperparameters that are fixed when it is made."""

    _kind: ClassVar[str] = ""
    _schema: ClassVar[_core.Schema | None] = None
    _handle: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        schema = type(self)._schema
        if schema is not None:
            bound = _bind(self._kind, schema, args, kwargs)
            fields = {name: to_core(value, f"{schema['type']}: {name}") for name, value in bound.items()}
            self._handle = _CORE_CLASSES[self._kind](schema["type"], fields)
        elif args or kwargs:
            given = ", ".join([*map(repr, args), *kwargs])
            raise ArgumentError(f"{type(self).__name__}: expected no arguments, got {given}.")

    @classmethod
    def _wrap(cls: type[C], handle: Any) -> C:
        """Return an object of this class around one of the core."""
        self = cls.__new__(cls)
        self._handle = handle
        return self

    def _values(self) -> dict[str, Any]:
        """Return the fields as the core holds them."""
        return cast("dict[str, Any]", self._handle.config()[1])

    def _fields(self) -> dict[str, _core.FieldInfo]:
        schema = type(self)._schema
        return {} if schema is None else {field["name"]: field for field in schema["fields"]}

    def get_config(self) -> dict[str, Any]:
        """All hyperparameters by name; nested objects as `{"class_name": ..., "config": {...}}`.

        Examples
        --------
        >>> lm.regularizers.L2(0.5).get_config()
        {'l2': 0.5}
        """
        fields = self._fields()
        return {name: to_plain(value, fields[name]["kind"]) for name, value in self._values().items()}

    @classmethod
    def from_config(cls: type[C], config: Mapping[str, Any]) -> C:
        """Make an object from what `get_config` returned.

        Parameters
        ----------
        config : dict
            Hyperparameters by name, nested objects as `get_config` gives them.

        Examples
        --------
        >>> lm.regularizers.L2.from_config({"l2": 0.5})
        L2(l2=0.5)
        """
        return cls(**config)

    def __repr__(self) -> str:
        schema = type(self)._schema
        if schema is None:
            return f"{type(self).__name__}()"
        values = self._values()
        parts = []
        for field in schema["fields"]:
            value = values[field["name"]]
            if field["required"]:
                parts.append(_show(value, field["kind"]))
            elif value != field["default"]:
                parts.append(f"{field['name']}={_show(value, field['kind'])}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            field = self._fields().get(name)
            if field is not None:
                return from_core(self._values()[name], field["kind"])
        self._no_attribute(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or type(self)._schema is None or _is_settable(type(self), name):
            object.__setattr__(self, name, value)
        elif name in self._fields():
            raise AttributeError(
                f"{type(self).__name__}: {name} is fixed when the object is made; make a new one."
            )
        else:
            self._no_attribute(name)

    def _attribute_names(self) -> list[str]:
        return sorted({name for name in dir(type(self)) if not name.startswith("_")} | self._fields().keys())

    def _no_attribute(self, name: str) -> NoReturn:
        near = "" if name.startswith("_") else _core.nearest_name(name, self._attribute_names())
        hint = f"; did you mean '{near}'?" if near else "."
        raise AttributeError(f"{type(self).__name__}: no attribute '{name}'{hint}", name=name, obj=self)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *self._fields()})

    def __reduce__(self) -> Any:
        if type(self)._schema is None:
            return _blank, (type(self),), self.__dict__
        return _remake, (type(self), self.get_config())


def _blank(cls: type[C]) -> C:
    return cls.__new__(cls)


def _remake(cls: type[C], config: dict[str, Any]) -> C:
    return cls.from_config(config)


def _is_settable(cls: type, name: str) -> bool:
    attribute = inspect.getattr_static(cls, name, None)
    return isinstance(attribute, property) and attribute.fset is not None


# ---- classes from declarations


class _Signature:
    """The signature of a declared class, worked out when somebody asks."""

    def __get__(self, instance: object, owner: type[Configurable]) -> inspect.Signature:
        if instance is not None or owner._schema is None or owner.__init__ is not self.initializer:
            raise AttributeError("__signature__")
        keyword_only = _KEYWORD_ONLY.get(owner._kind, ())
        return inspect.Signature(
            [
                inspect.Parameter(
                    field["name"],
                    inspect.Parameter.KEYWORD_ONLY
                    if field["name"] in keyword_only
                    else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    default=inspect.Parameter.empty if field["required"] else default_of(field),
                )
                for field in owner._schema["fields"]
            ]
        )

    def __init__(self, initializer: Any) -> None:
        self.initializer = initializer


class _Docstring:
    """The docstring of a declared class, worked out when somebody asks."""

    def __init__(self, schema: _core.Schema, notes: str, example: str) -> None:
        self.parts = schema, notes, example

    def __get__(self, instance: object, owner: type[Configurable]) -> str:
        return _docstring(*self.parts)


def declare(base: type[C], type_name: str, notes: str = "", example: str = "") -> type[C]:
    """Make the Python class of a type declared in C++, below `base`.

    `notes` (shapes, formula, source) and `example` (a doctest, in which `lm` and `np` are known) end its
    docstring.
    """
    schema = schemas(base._kind)[type_name]
    cls = type(
        type_name,
        (base,),
        {
            "__doc__": _Docstring(schema, notes, example),
            "__module__": f"lamina.{MODULES[base._kind]}",
            "__signature__": _Signature(base.__init__),
            "_schema": schema,
        },
    )
    _classes[base._kind, type_name] = cls
    return cls


def public(namespace: dict[str, Any]) -> list[str]:
    """Public names of a module of such classes: the classes, and `get` where there is one."""
    classes = [
        name
        for name, value in namespace.items()
        if isinstance(value, type) and issubclass(value, Configurable)
    ]
    return classes + [name for name in ("get",) if name in namespace]


def _docstring(schema: _core.Schema, notes: str, example: str) -> str:
    lines = [schema["doc"]]
    if schema["aliases"]:
        lines += ["", f"As a string: {', '.join(map(repr, schema['aliases']))}."]
    if schema["fields"]:
        lines += ["", "Parameters", "----------"]
    for field in schema["fields"]:
        default = "" if field["required"] else f", default {_show(default_of(field), field['kind'])}"
        lines += [f"{field['name']} : {describe(field['kind'])}{default}", f"    {field['doc']}"]
    lines += ["", "Raises", "------", "ArgumentError", "    For an argument that is not allowed."]
    for title, text in (("Notes", notes), ("Examples", example)):
        if text:
            lines += ["", title, "-" * len(title), inspect.cleandoc(text)]
    return "\n".join(lines)


def describe(kind: str) -> str:
    """Return a kind of field in words."""
    plain, optional = kind.rstrip("?"), kind.endswith("?")
    words = {
        "shape": ["tuple of int"],
        "activation": ["str", "function"],
        "float or schedule": ["float", "Schedule", "function of the step"],
    }
    kinds = words.get(plain) or (["str", plain.capitalize()] if plain in MODULES else [plain])
    kinds = [*kinds, "None"] if optional else kinds
    return " or ".join([", ".join(kinds[:-1]), kinds[-1]]) if len(kinds) > 1 else kinds[0]


def default_of(field: _core.FieldInfo) -> Any:
    """Return a field's default, as a user would write it."""
    value = field["default"]
    if _is_config(value):
        for kind in MODULES:
            schema = schemas(kind).get(value[0])
            if kind not in field["kind"] or schema is None or not schema["aliases"]:
                continue
            if all(value[1].get(inner["name"]) == inner["default"] for inner in schema["fields"]):
                return schema["aliases"][0]
    if field["kind"].startswith("activation"):
        return value
    return from_core(value, field["kind"])


def _bind(kind: str, schema: _core.Schema, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments by name; unknown and missing names are left to the core, which knows the nearest."""
    if not args:
        return kwargs
    keyword_only = _KEYWORD_ONLY.get(kind, ())
    names = [field["name"] for field in schema["fields"] if field["name"] not in keyword_only]
    if len(args) > len(names):
        raise ArgumentError(
            f"{schema['type']}: expected at most {len(names)} positional arguments, got {len(args)}."
        )
    bound = dict(zip(names, args, strict=False))
    for name in kwargs:
        if name in bound:
            raise ArgumentError(f"{schema['type']}: expected {name} once, got it twice.")
    return {**bound, **kwargs}


# ---- values


def _is_config(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], dict)
    )


def to_core(value: Any, what: str) -> Any:
    """Return a user's argument as the core takes it; `what` names it in errors."""
    if isinstance(value, type) and issubclass(value, Configurable):
        value = value()
    if isinstance(value, Configurable):
        return value._handle
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict) and value.keys() == {"class_name", "config"}:
        return value["class_name"], {name: to_core(item, what) for name, item in value["config"].items()}
    if isinstance(value, (list, tuple)) and not _is_config(value):
        return [to_core(item, what) for item in value]
    if callable(value):
        name = activations.name_of(value)
        if name is None:
            shown = getattr(value, "__name__", type(value).__name__)
            raise ArgumentError(
                f"{what}: expected a name or an object of lamina, got the function '{shown}'."
            )
        return name
    return value


def from_core(value: Any, kind: str) -> Any:
    """Return a field's value as a user sees it: objects of lamina, tuples for shapes, functions."""
    if kind.startswith("activation"):
        return activations.get(value)
    if _is_config(value):
        for (class_kind, type_name), cls in _classes.items():
            if type_name == value[0] and class_kind in kind:
                return cls(**value[1])
        return to_plain(value, kind)
    if isinstance(value, list):
        items = [from_core(item, kind) for item in value]
        return tuple(items) if kind.startswith("shape") else items
    return value


def to_plain(value: Any, kind: str) -> Any:
    """Return a field's value in dicts, lists and numbers."""
    if _is_config(value):
        return {
            "class_name": value[0],
            "config": {name: to_plain(item, "") for name, item in value[1].items()},
        }
    if isinstance(value, list):
        items = [to_plain(item, kind) for item in value]
        return tuple(items) if kind.startswith("shape") else items
    return value


def _show(value: Any, kind: str) -> str:
    if _is_config(value) and value[0].startswith("custom:"):
        return str(value[0]).removeprefix("custom:")
    return repr(value if kind.startswith("activation") else from_core(value, kind))


# ---- from names


def find(base: type[C], identifier: Any) -> C:
    """Return the object that a name, a class, a config or an object stands for."""
    if isinstance(identifier, type) and issubclass(identifier, base):
        return identifier()
    if isinstance(identifier, base):
        return identifier
    if isinstance(identifier, Mapping) and identifier.keys() == {"class_name", "config"}:
        return cast("C", class_named(base._kind, identifier["class_name"])(**identifier["config"]))
    if isinstance(identifier, str):
        return cast("C", class_named(base._kind, identifier)())
    got = f"the function '{identifier.__name__}'" if inspect.isfunction(identifier) else repr(identifier)
    hint = "; one of your own is a subclass of lamina.losses.Loss" if base._kind == "loss" else ""
    raise ArgumentError(
        f"Expected the name of a {base._kind} or an object of lamina.{MODULES[base._kind]}, got {got}{hint}."
    )


def class_named(kind: str, name: str) -> type[Configurable]:
    """Return the class of a type or of one of its aliases."""
    for schema in schemas(kind).values():
        if name == schema["type"] or name in schema["aliases"]:
            return _classes[kind, schema["type"]]
    raise unknown(kind, name, names_of(kind))


def names_of(kind: str) -> list[str]:
    """All strings that stand for an object of a kind: aliases first, then types."""
    every = schemas(kind).values()
    return [alias for schema in every for alias in schema["aliases"]] + [schema["type"] for schema in every]


def unknown(what: str, name: str, known: list[str]) -> ArgumentError:
    """Return the error for a name that nothing has, with the nearest that something has."""
    near = _core.nearest_name(name, known)
    hint = f"did you mean '{near}'?" if near else f"expected one of {', '.join(map(repr, known))}."
    return ArgumentError(f"Unknown {what} '{name}'; {hint}")


def wrap(base: type[C], handle: Any) -> C:
    """Return the Python object around one of the core, in its own class."""
    return cast("C", _classes[base._kind, handle.config()[0]]._wrap(handle))
