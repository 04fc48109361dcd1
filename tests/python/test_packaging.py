"""What users install: the wheel, the source archive, and the CMake package.

tests/run.sh names the wheel and the build tree it made (LAMINA_WHEEL, LAMINA_BUILD); else these tests make
their own.
"""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import lamina

ROOT = Path(__file__).parents[2]
VERSION = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE).group(1)
MEGABYTE = 1_000_000


def run(*command: object) -> str:
    """Its output; an error shows all of it."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, folder: Path) -> Path:
    run(sys.executable, "-m", "build", f"--{kind}", "--outdir", folder, ROOT)
    (archive,) = folder.iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    made = os.environ.get("LAMINA_WHEEL")
    with zipfile.ZipFile(made or build("wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Where `cmake --install` put the library."""
    folder = tmp_path_factory.mktemp("prefix")
    tree = os.environ.get("LAMINA_BUILD")
    if not tree:
        tree = tmp_path_factory.mktemp("tree")
        run("cmake", "-S", ROOT, "-B", tree, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug")
        run("cmake", "--build", tree)
    run("cmake", "--install", tree, "--prefix", folder)
    return folder


def test_version_is_the_same_everywhere():
    assert lamina.__version__ == version("lamina") == VERSION


@pytest.mark.slow
def test_wheel_is_small(wheel):
    assert Path(wheel.filename).stat().st_size <= 3 * MEGABYTE


@pytest.mark.slow
def test_wheel_holds_the_package_and_nothing_else(wheel):
    def packaged(path: Path) -> bool:
        return path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"

    package = ROOT / "python" / "lamina"
    expected = {
        f"lamina/{path.relative_to(package).as_posix()}" for path in package.rglob("*") if packaged(path)
    }
    names = {name for name in wheel.namelist() if not name.startswith(f"lamina-{VERSION}.dist-info/")}
    (module,) = names - expected
    assert re.fullmatch(r"lamina/_core\.[\w-]+\.so", module)
    assert expected <= names


@pytest.mark.slow
def test_wheel_needs_numpy_alone(wheel):
    metadata = wheel.read(f"lamina-{VERSION}.dist-info/METADATA").decode()
    required = [
        line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]
    assert len(required) == 1
    assert required[0].startswith("Requires-Dist: numpy")


@pytest.mark.slow
def test_source_archive_holds_what_a_build_needs(tmp_path):
    with tarfile.open(build("sdist", tmp_path)) as archive:
        names = {name.removeprefix(f"lamina-{VERSION}/") for name in archive.getnames()}
        size = sum(member.size for member in archive)
    sources = {
        path.relative_to(ROOT).as_posix()
        for folder in ("cmake", "cpp", "python")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".cmake", ".cpp", ".h", ".inl", ".py", ".pyi"}
    }
    assert sources | {"CMakeLists.txt", "LICENSE", "pyproject.toml", "python/lamina/py.typed"} <= names
    assert not {name.split("/")[0] for name in names} & {
        ".git",
        ".ci",
        ".venv-test",
        "build",
        "bench",
        "docs",
    }
    assert size <= 5 * MEGABYTE


@pytest.mark.slow
def test_installed_library_serves_a_stranger(prefix, tmp_path):
    run(
        "cmake",
        "-S",
        ROOT / "tests" / "consumer",
        "-B",
        tmp_path,
        "-G",
        "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}",
    )
    run("cmake", "--build", tmp_path)
    assert run(tmp_path / "consumer") == "67 parameters\n"


@pytest.mark.slow
def test_installed_headers_are_the_public_ones(prefix):
    folder = prefix / "include"
    installed = {path.relative_to(folder).as_posix() for path in folder.rglob("*.h")}
    assert "lamina/lamina.h" in installed
    assert not {"lamina/kernels/dispatch.h", "lamina/model/plan.h"} & installed
    included = {
        header
        for name in installed
        for header in re.findall(r'#include ["<](lamina/[^">]+)', (folder / name).read_text())
    }
    assert included <= installed
