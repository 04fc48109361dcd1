"""What users install: the wheel, the source archive, and the CMake package.

tests/run.sh names the wheel and the build tree it made (LAMINA_WHEEL, LAMINA_BUILD); else these tests make
their own.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import build_consumer

import lamina
from lamina.cli import main

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
    for_cpp = {name for name in names if re.match(r"lamina/(include|lib)/", name)}
    (module,) = names - expected - for_cpp
    assert re.fullmatch(r"lamina/_core\.[\w-]+\.so", module)
    assert expected <= names
    assert {
        "lamina/include/lamina/lamina.h",
        "lamina/include/lamina/c_api.h",
        "lamina/lib/liblamina.a",
    } <= for_cpp
    others = {name for name in for_cpp if not name.endswith(".h")}
    assert {Path(name).suffix for name in others} == {".a", ".cmake", ".pc"}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("readelf"), reason="needs readelf of binutils")
def test_archive_in_the_wheel_is_plain_machine_code(wheel, tmp_path):
    archive = wheel.extract("lamina/lib/liblamina.a", tmp_path)
    sections = run("readelf", "--wide", "--section-headers", archive)
    assert ".text" in sections
    assert not re.search(r"\.debug_|\.gnu\.lto", sections)


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


def check(folder: Path) -> None:
    """The program runs, and its kernels are chosen by the CPU and by LAMINA_ISA."""
    program = folder / "consumer"
    best, baseline = run(program), run("env", "LAMINA_ISA=baseline", program)
    assert re.fullmatch(r"67 parameters, sum 1\.000, (baseline|avx2|avx512)\n", best)
    assert baseline == "67 parameters, sum 1.000, baseline\n"
    wrong = subprocess.run(
        [program], env={"LAMINA_ISA": "abacus"}, capture_output=True, text=True, check=False
    )
    assert (wrong.returncode, wrong.stdout) == (
        1,
        "LAMINA_ISA: expected baseline, avx2 or avx512, got 'abacus'.\n",
    )
    assert run(folder / "consumer_c") == f"{VERSION}\n"


@pytest.mark.slow
def test_installed_library_serves_a_stranger(prefix, tmp_path):
    check(build_consumer(tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}", "-DLAMINA_COMPONENTS=static"))


@pytest.mark.slow
def test_sources_serve_as_a_subdirectory_with_a_shared_library(subdirectory_consumer):
    check(subdirectory_consumer)
    assert "liblamina.so" in run("ldd", subdirectory_consumer / "consumer")


@pytest.mark.slow
def test_sources_serve_by_fetch_content_with_a_static_library(tmp_path):
    check(build_consumer(tmp_path, "-DLAMINA_FROM=fetchcontent", f"-DLAMINA_SOURCE={ROOT}"))


@pytest.mark.slow
def test_wheel_serves_a_stranger(wheel, tmp_path):
    """A virtual environment that has the wheel unpacked: CMake is told its folder, by either way."""
    wheel.extractall(tmp_path / "site")
    package = tmp_path / "site" / "lamina"
    script = "import lamina; print(lamina.get_cmake_dir())"
    told = run("env", f"PYTHONPATH={package.parent}", sys.executable, "-c", script).strip()
    asked = run("env", f"PYTHONPATH={package.parent}", sys.executable, "-m", "lamina", "--cmakedir").strip()
    assert told == asked == str(package / "lib" / "cmake" / "lamina")
    check(build_consumer(tmp_path / "by_dir", f"-Dlamina_DIR={told}"))
    entry = re.search(
        r"\[cmake\.root\]\nlamina ?= ?(\S+)",
        wheel.read(f"lamina-{VERSION}.dist-info/entry_points.txt").decode(),
    )
    assert entry.group(1) == "lamina"  # its folder becomes lamina_ROOT in builds by scikit-build-core
    run(
        "cmake",
        "-S",
        ROOT / "tests" / "consumer",
        "-B",
        tmp_path / "by_root",
        "-G",
        "Ninja",
        f"-Dlamina_ROOT={package}",
    )
    cache = (tmp_path / "by_root" / "CMakeCache.txt").read_text()
    assert f"lamina_DIR:PATH={package}/lib/cmake/lamina" in cache


def test_sources_have_no_cmake_package(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("lamina.config.__file__", str(tmp_path / "config.py"))
    with pytest.raises(lamina.errors.StateError, match="as installed from a wheel"):
        lamina.get_cmake_dir()
    with pytest.raises(SystemExit, match="1"):
        main(["--cmakedir"])
    assert "as installed from a wheel" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("pkg-config"), reason="needs pkg-config")
def test_pkg_config_serves_a_stranger(prefix, tmp_path):
    (description,) = prefix.rglob("lamina.pc")
    moved = ["env", f"PKG_CONFIG_PATH={description.parent}", "pkg-config"]
    assert run(*moved, "--modversion", "lamina").strip() == VERSION
    flags = run(*moved, "--cflags", "--libs", "--static", "lamina").split()
    source = ROOT / "tests" / "consumer" / "main.c"
    run(shutil.which("gcc") or "cc", "-std=c11", source, "-o", tmp_path / "program", *flags)
    assert run(tmp_path / "program") == f"{VERSION}\n"


@pytest.mark.slow
def test_no_flag_of_ours_reaches_a_program(subdirectory_consumer, prefix):
    commands = json.loads((subdirectory_consumer / "compile_commands.json").read_text())
    (bystander,) = (entry["command"] for entry in commands if entry["file"].endswith("bystander.cpp"))
    assert re.findall(r" -\S+", bystander) == [" -O0", " -o", " -c"]
    (user,) = (entry["command"] for entry in commands if entry["file"].endswith("main.cpp"))
    flags = [flag for flag in re.findall(r" (-\S+)", user) if flag not in ("-O0", "-o", "-c")]
    assert [flag for flag in flags if not flag.startswith(("-I", "-isystem"))] in ([], ["-std=gnu++20"])
    (targets,) = prefix.rglob("lamina-static-targets.cmake")
    properties = set(re.findall(r"INTERFACE_\w+", targets.read_text()))
    assert properties == {
        "INTERFACE_COMPILE_FEATURES",
        "INTERFACE_INCLUDE_DIRECTORIES",
        "INTERFACE_LINK_LIBRARIES",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-DLAMINA_COMPONENTS=shared"], "expected a shared library beside"),
        (["-DLAMINA_COMPONENTS=cuda"], "expected the component static or shared, got cuda"),
    ],
)
def test_a_component_that_is_not_there_is_named(prefix, tmp_path, options, message):
    command = ["cmake", "-S", ROOT / "tests" / "consumer", "-B", tmp_path, "-G", "Ninja"]
    done = subprocess.run(
        [*map(str, command), f"-DCMAKE_PREFIX_PATH={prefix}", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert message in " ".join(done.stderr.split())


def test_other_minor_versions_are_refused(prefix, tmp_path):
    (folder,) = {path.parent for path in prefix.rglob("lamina-config-version.cmake")}
    major, minor, _ = VERSION.split(".")
    script = tmp_path / "check.cmake"
    script.write_text(
        f'set(PACKAGE_FIND_VERSION_MAJOR {major})\ninclude("{folder}/lamina-config-version.cmake")\n'
        'message("compatible: ${PACKAGE_VERSION_COMPATIBLE}")\n'
    )
    for wanted, expected in ((f"{major}.{minor}", True), (f"{major}.{int(minor) + 1}", False)):
        version = wanted.split(".")
        done = subprocess.run(
            [
                "cmake",
                f"-DPACKAGE_FIND_VERSION={wanted}",
                f"-DPACKAGE_FIND_VERSION_MINOR={version[1]}",
                "-P",
                str(script),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert f"compatible: {str(expected).upper()}" in done.stderr


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
