"""The documentation does what it says: its Python and C++ run, its links and paths lead somewhere."""

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WRITTEN = [path for path in sorted(DOCS.rglob("*.md")) if "modules" not in path.parts]  # not by the build
PAGES = [ROOT / "README.md", *WRITTEN]
EXAMPLES = sorted((ROOT / "examples" / "python").glob("*.py"))
COURSE = sorted((ROOT / "examples" / "course").glob("[a-z]*.py"))


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def blocks(page, language):
    """(line, text) of each fenced block of a language."""
    text = page.read_text()
    return [
        (text.count("\n", 0, found.start(1)), found.group(1))
        for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def test_there_are_pages_and_examples():
    names = {page.name for page in PAGES}
    assert {"README.md", "architecture.md", "deviations.md", "guide.md"} <= names
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=name_of)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    for line, text in blocks(page, "python"):
        code = compile("\n" * line + text, str(page), "exec")  # so that a traceback names the page's lines
        exec(code, namespace)


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_example_runs(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out


@pytest.mark.parametrize("path", COURSE, ids=name_of)
def test_course_script_draws_what_pages_show(path, tmp_path, monkeypatch, capsys):
    """Its claims are asserted within; pages show its figures, what it printed, and parts of its code."""
    matplotlib = pytest.importorskip("matplotlib")
    monkeypatch.setattr(sys, "argv", [str(path), str(tmp_path)])
    monkeypatch.syspath_prepend(str(path.parent))
    monkeypatch.delitem(sys.modules, "_course", raising=False)
    with matplotlib.rc_context():
        runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out
    drawn = {figure.name for figure in tmp_path.glob("*.svg")}
    shown = {name for page in WRITTEN for name in re.findall(r"/_figures/([\w.]+\.svg)", page.read_text())}
    assert drawn
    assert drawn <= shown


def test_every_figure_of_the_course_has_a_script():
    printed = {name for page in WRITTEN for name in re.findall(r"_figures/(\w+)\.txt", page.read_text())}
    assert printed <= {path.stem for path in COURSE}
    included = {
        (page.parent / name).resolve()
        for page in WRITTEN
        for name in re.findall(r"\{literalinclude\} (\S+\.py)", page.read_text())
    }
    assert included
    assert all(path.exists() for path in included)


def toctree_of(page):
    """The pages that a page's tables of contents name."""
    bodies = re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for body in bodies for line in body.splitlines() if line and not line.startswith(":")]
    return [(page.parent / f"{line}.md").resolve() for line in lines if "*" not in line]


def test_every_page_stands_in_a_table_of_contents():
    named = [target for page in WRITTEN for target in toctree_of(page)]
    optional = {DOCS / f"{name}.md" for name in re.findall(r'"(\w+)"', optional_pages())}
    assert {path for path in named if not path.exists()} <= optional
    assert set(WRITTEN) - set(named) == {DOCS / "index.md"}
    assert len(named) == len(set(named))


def optional_pages():
    """The line of docs/conf.py that says which pages may be absent."""
    return re.search(r"^OPTIONAL = .*$", (DOCS / "conf.py").read_text(), re.MULTILINE).group()


def test_cpp_of_the_readme_is_the_example_that_ctest_runs():
    ((_, text),) = blocks(ROOT / "README.md", "cpp")
    assert text == (ROOT / "examples" / "cpp" / "quickstart.cpp").read_text()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_that_are_named_exist(page):
    """`kernels/kernels.h` means cpp/lamina/kernels/kernels.h where it isn't a path from the root."""
    names = re.findall(r"`([\w./-]+/[\w.-]+\.(?:h|cpp|inl|py|pyi|md|txt|json|toml|sh))`", page.read_text())
    bases = [ROOT / base for base in ("", "cpp", "cpp/lamina", "python", "python/lamina")]
    missing = [name for name in names if not any((base / name).exists() for base in bases)]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_lines_are_not_too_long(page):
    lines = page.read_text().splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > 120] == []
