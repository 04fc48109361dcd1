"""The stubs of modules whose classes are declared in C++ say what those declarations say."""

import ast
import inspect
from pathlib import Path

import pytest

import lamina
from lamina import _stubs
from lamina._configurable import MODULES

PACKAGE = Path(__file__).parents[2] / "python" / "lamina"


@pytest.mark.parametrize("kind", MODULES)
def test_stub_is_up_to_date(kind):
    written = (PACKAGE / f"{MODULES[kind]}.pyi").read_text()
    assert written == _stubs.stub_of(kind), "run `python -m lamina._stubs python/lamina`"


@pytest.mark.parametrize("kind", MODULES)
def test_stub_has_the_signatures_of_the_classes(kind):
    tree = ast.parse((PACKAGE / f"{MODULES[kind]}.pyi").read_text())
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    module = getattr(lamina, MODULES[kind])
    assert {name for name in module.__all__ if name != "get"} - {
        kind.capitalize(),
        "ElasticNet",
    } == classes.keys()
    for name, node in classes.items():
        (init,) = [part for part in node.body if isinstance(part, ast.FunctionDef)]
        stubbed = [argument.arg for argument in init.args.args[1:] + init.args.kwonlyargs]
        assert stubbed == list(inspect.signature(getattr(module, name)).parameters), name
