"""Every public class, function, method and property shows by an example what it does; every example runs.

Examples know `lm` and `np`. Those that need a package which is not installed skip; tests/peers.sh has
all but tensorboardX.
"""

import contextlib
import doctest
import functools
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
# Packages that examples need, by what stands in the title.
NEEDS = {"from_torch": "torch", "to_torch": "torch", "from_keras": "keras", "load_keras_weights": "h5py",
         "save_keras_weights": "h5py", "TensorBoard.on_": "tensorboardX"}  # fmt: skip
PROPERTIES = (property, functools.cached_property)


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
    """(name, object) of the public methods and properties that a class defines, decorated ones bare."""
    for name, value in vars(cls).items():
        value = inspect.unwrap(value.__func__ if isinstance(value, (staticmethod, classmethod)) else value)
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, PROPERTIES)):
            yield name, value


def public():
    """(name, object) of everything public, once; what is inherited by the name of the class that has it."""
    found = {}
    for module_name, module in public_modules():
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                found.setdefault(id(value), (f"{module_name}.{name}", value))
    for _, value in list(found.values()):
        for base in value.__mro__ if inspect.isclass(value) else ():
            if base.__module__.startswith("lamina"):
                title = found[id(base)][0] if id(base) in found else f"{base.__module__}.{base.__name__}"
                for name, member in members(base):
                    found.setdefault(id(member), (f"{title}.{name}", member))
    return sorted(found.values(), key=lambda pair: pair[0])


PUBLIC = public()


def text_of(value):
    """The docstring of its own, or nothing."""
    return inspect.cleandoc(value.__doc__ or "")


def without_example(pairs):
    """The names of those whose docstring has no example, or that have no docstring."""
    return [title for title, value in pairs if ">>> " not in text_of(value)]


def test_there_is_much_to_look_at():
    titles = {title for title, _ in PUBLIC}
    assert len(titles) == len(PUBLIC) > 250
    assert {
        "lamina.load_model",  # a function
        "lamina.Dense",  # declared in C++
        "lamina.Sequential.layers",  # a property
        "lamina.Trainer.load",  # a class method
        "lamina.callbacks.Callback.on_epoch_end",  # inherited by all
        "lamina.callbacks.EarlyStopping.on_epoch_end",  # and overridden
        "lamina._configurable.Configurable.get_config",  # of a private base class
        "lamina.sklearn.MLPClassifier.predict_proba",  # decorated
    } <= titles


def test_everything_public_has_an_example():
    """Each docstring one of its own."""
    assert without_example(PUBLIC) == []


def test_what_has_no_example_is_named():
    class Base:
        """>>> 1"""

        def shown(self):
            """>>> 1"""

        def told(self):
            """Without."""

    class Class(Base):
        shown = Base.told  # the same object under another name

        @property
        def value(self):
            """Without."""

        @staticmethod
        def silent():
            pass

        @functools.wraps(Base.told)
        def decorated(self):
            pass

        def _private(self):
            """Without."""

    assert without_example([("Base", Base), *members(Base)]) == ["told"]
    assert without_example(members(Class)) == ["shown", "value", "silent", "decorated"]


def explained(value):
    """The text before the examples; for a method, with those of the methods that it overrides."""
    texts = [text_of(value)]
    for _, cls in PUBLIC:
        if inspect.isclass(cls) and vars(cls).get(getattr(value, "__name__", "")) is value:
            texts += [
                text_of(vars(base)[value.__name__]) for base in cls.__mro__ if value.__name__ in vars(base)
            ]
    return "\n".join(text.split("Examples\n---")[0] for text in texts)


def test_every_parameter_is_spoken_of():
    """In a section of its own, or by its name in the text, or in that of what a method overrides."""
    silent = []
    for title, value in PUBLIC:
        if isinstance(value, PROPERTIES) or (inspect.isclass(value) and issubclass(value, BaseException)):
            continue
        text = explained(value)
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
    package = next((NEEDS[name] for name in NEEDS if f".{name}" in title), None)
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
