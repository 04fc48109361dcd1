"""Every public class, function and method says by an example what it does, and every example runs.

Examples know `lm` and `np`. Those that need a package which is not installed skip; tests/peers.sh has all.
"""

import contextlib
import doctest
import importlib
import inspect
import io
import os
import pkgutil
import re

import numpy as np
import pytest

import lamina as lm

os.environ.setdefault("KERAS_BACKEND", "jax")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Packages that examples of a module need.
NEEDS = {"from_torch": "torch", "to_torch": "torch", "from_keras": "keras", "load_keras_weights": "h5py",
         "save_keras_weights": "h5py"}  # fmt: skip
# Told by the class, or by what they override: hooks of callbacks, and the plumbing between fit and callbacks.
COVERED = ("on_", "set_trainer", "set_params", "state_dict", "load_state_dict")


def public_modules():
    yield "lamina", lm
    for info in pkgutil.walk_packages(lm.__path__, "lamina."):
        if not any(part.startswith("_") for part in info.name.split(".")) and not info.name.startswith(
            "lamina.cli"
        ):
            try:
                yield info.name, importlib.import_module(info.name)
            except ImportError:  # an optional package
                continue


def members(cls):
    """(name, object) of the public methods and properties that a class of lamina defines."""
    for name, value in vars(cls).items():
        if not name.startswith(("_", *COVERED)):
            value = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
            if isinstance(value, property) or inspect.isfunction(value):
                yield name, value


def public():
    """(name, object) of everything public, once."""
    found = {}
    for module_name, module in public_modules():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                found.setdefault(id(value), (f"{module_name}.{name}", value))
    for title, value in list(found.values()):
        for base in value.__mro__ if inspect.isclass(value) else ():
            if base.__module__.startswith("lamina"):
                for name, member in members(base):
                    found.setdefault(id(member), (f"{title}.{name}", member))
    return sorted(found.values(), key=lambda pair: pair[0])


PUBLIC = public()


def text_of(value):
    return (
        inspect.getdoc(value) or "" if not isinstance(value, type) else inspect.cleandoc(value.__doc__ or "")
    )


def test_there_is_much_to_look_at():
    assert len(PUBLIC) > 150


def test_everything_public_has_an_example():
    """Of its own, or in that of its class, or by what it overrides."""
    examples = {title: text_of(value) for title, value in PUBLIC}
    without = []
    for title, value in PUBLIC:
        owner, _, name = title.rpartition(".")
        by_class = isinstance(value, property) or inspect.isfunction(value)
        shown = by_class and re.search(rf"\.{name}\b", examples.get(owner, "").partition(">>> ")[2])
        if ">>> " not in examples[title] and not shown and not overridden(owner, name):
            without.append(title)
    assert without == []


def overridden(owner, name):
    """Whether a base class has such a method with an example."""
    cls = next((value for title, value in PUBLIC if title == owner and inspect.isclass(value)), None)
    bases = () if cls is None else cls.__mro__[1:]
    return any(">>> " in (vars(base)[name].__doc__ or "") for base in bases if name in vars(base))


def test_every_parameter_is_spoken_of():
    """In a section of its own, or by its name in the text."""
    silent = []
    for title, value in PUBLIC:
        if isinstance(value, property) or (inspect.isclass(value) and issubclass(value, BaseException)):
            continue
        text = text_of(value).split("Examples\n---")[0]
        names = [
            name
            for name in inspect.signature(value).parameters
            if name not in ("self", "cls", "args", "kwargs")
        ]
        silent += [f"{title}: {name}" for name in names if not re.search(rf"\b{name}\b", text)]
    assert silent == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of packages that examples import
@pytest.mark.parametrize(
    ("title", "value"), [pytest.param(*pair, id=pair[0]) for pair in PUBLIC if ">>> " in text_of(pair[1])]
)
def test_example_runs(title, value, tmp_path, monkeypatch):
    package = NEEDS.get(title.rpartition(".")[2])
    if package is not None and os.environ.get("LAMINA_PEERS") != "all":
        pytest.importorskip(
            package, reason=f"{package} is not installed: bash tests/peers.sh runs this example"
        )
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(text_of(value), {"lm": lm, "np": np}, title, None, 0)
    told = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()):
        failed, count = doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=told.write)
    assert count > 0
    assert failed == 0, told.getvalue()
