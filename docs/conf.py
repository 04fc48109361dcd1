"""Sphinx's configuration of the documentation site. `bash docs/build.sh` builds it."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
ROOT = DOCS.parent
# Written anew by every build; git ignores them.
FIGURES = DOCS / "_figures"
MODULES = DOCS / "reference" / "modules"

project = "lamina"
author = "the lamina authors"
copyright = author
release = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE).group(1)
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx-mathjax-offline",  # formulas without a network
]
exclude_patterns = ["_build"]
OPTIONAL = {"sklearn", "cli", "data", "plots", "embedding"}  # pages that not every checkout has
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
default_role = "literal"  # docstrings write code in single backticks

autodoc_default_options = {"members": True, "inherited-members": False}
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = True
napoleon_google_docstring = False
napoleon_use_ivar = True  # attributes in a class's docstring may be properties as well

html_theme = "furo"
html_title = f"lamina {release}"
html_static_path = ["_static"]
html_css_files = ["lamina.css"]
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "monokai"


def draw_figures(app):
    """Run every script of the course; each writes its figures and what it printed, or fails the build."""
    FIGURES.mkdir(exist_ok=True)
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    for script in sorted((ROOT / "examples" / "course").glob("[a-z]*.py")):
        done = subprocess.run(
            [sys.executable, str(script), str(FIGURES)], env=environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(f"{script.name} failed:\n{done.stdout}{done.stderr}")
        (FIGURES / f"{script.stem}.txt").write_text(done.stdout)


def write_reference(app):
    """Write one page for every public module of lamina, from its docstrings."""
    import lamina

    MODULES.mkdir(exist_ok=True)
    for page in MODULES.glob("*.md"):
        page.unlink()
    shared = [*lamina.layers.__all__, *lamina.errors.__all__]  # these have pages of their own
    pages = {"lamina.errors": ":show-inheritance:\n", "lamina": f":exclude-members: {', '.join(shared)}\n"}
    for info in pkgutil.walk_packages(lamina.__path__, "lamina."):
        if not any(part.startswith("_") for part in info.name.split(".")) and not info.name.startswith(
            "lamina.cli"
        ):
            importlib.import_module(info.name)
            pages.setdefault(info.name, "")
    parts = {"lamina." + part for part in ("model", "trainer", "history", "config")}  # on lamina's own page
    for name, options in pages.items():
        if name not in parts:
            body = f"# {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n{options and '   ' + options}```\n"
            (MODULES / f"{name}.md").write_text(body)


def keep_colons(app, what, name, item, options, lines):
    """Keep napoleon from taking a property's first line for "type: description"."""
    if what == "property" and lines:
        lines[0] = lines[0].replace(": ", " \N{EN DASH} ")


def leave_out_routing(app, what, name, item, skip, options):
    """Leave out the methods that scikit-learn gives estimators, `set_fit_request` and so on."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def leave_out_absent(app, name, source):
    """Take the optional pages that are not there out of the front page's table of contents."""
    if name == "index":
        absent = {page for page in OPTIONAL if not (DOCS / f"{page}.md").exists()}
        source[0] = "\n".join(line for line in source[0].split("\n") if line not in absent)


def setup(app):
    """Draw and write what is made by the build, before pages are read."""
    app.connect("builder-inited", draw_figures)
    app.connect("builder-inited", write_reference)
    app.connect("source-read", leave_out_absent)
    app.connect("autodoc-skip-member", leave_out_routing)
    app.connect("autodoc-process-docstring", keep_colons, priority=400)  # before napoleon
