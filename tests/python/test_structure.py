"""What the source tree promises: includes point one way, dependencies keep their place, files stay small."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "cpp" / "lamina"
BINDINGS = ROOT / "python" / "bindings"

# A file includes its own folder and those on the lines above, never one on its own line or below.
STRATA = [
    {"core"},
    {"kernels"},
    {"parameters", "schedules", "tensor"},
    {"layers", "losses", "optimizers"},
    {"metrics", "data"},
    {"model"},
    {"training"},
    {"."},  # lamina.h, tensor.h, c_api.h
]
RANK = {folder: rank for rank, folders in enumerate(STRATA) for folder in folders}
MAX_LINES = 600


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".cpp", ".h", ".inl"})


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def own_folder(header: str) -> str:
    """`lamina/core/tensor.h` is of `core`, `lamina/lamina.h` of `.`."""
    parts = header.split("/")
    return parts[1] if len(parts) > 2 else "."


def test_every_folder_has_its_place():
    found = {own_folder(f"lamina/{path.relative_to(CORE).as_posix()}") for path in sources(CORE)}
    assert found, "no sources"
    assert not found - RANK.keys(), "give these a line in STRATA"


def test_own_headers_are_included_by_their_full_path():
    wrong = [
        f"{where(path)}: {header}"
        for path in sources(CORE)
        for header in includes(path)
        if (CORE.parent / header).is_file() != header.startswith("lamina/")
        or (path.parent / header).is_file()
    ]
    assert not wrong


def test_includes_point_one_way():
    wrong = []
    for path in sources(CORE):
        folder = own_folder(f"lamina/{path.relative_to(CORE).as_posix()}")
        for header in includes(path):
            if header.startswith("lamina/"):
                other = own_folder(header)
                if other != folder and RANK[other] >= RANK[folder]:
                    wrong.append(f"{where(path)} includes {header}")
    assert not wrong


def test_isa_files_include_nothing_with_inline_functions():
    allowed = re.compile(
        r"cstddef|cstdint|immintrin\.h|arm_neon\.h|lamina/kernels/kernels\.h|lamina/kernels/body/\w+\.inl"
    )
    wrong = [
        f"{where(path)} includes {header}"
        for folder in ("isa", "body")
        for path in sources(CORE / "kernels" / folder)
        for header in includes(path)
        if not allowed.fullmatch(header)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        (r"Python\.h|pybind11/.*", r"python/bindings/.*"),
        (r"pybind11/numpy\.h|numpy/.*", r"python/bindings/arrays\.(cpp|h)"),
    ],
)
def test_dependencies_stay_where_they_belong(header, allowed):
    wrong = [
        where(path)
        for folder in (CORE, BINDINGS)
        for path in sources(folder)
        if any(re.fullmatch(header, name) for name in includes(path))
        and not re.fullmatch(allowed, where(path))
    ]
    assert not wrong


def test_files_stay_small():
    files = [*sources(CORE), *sources(BINDINGS), *(ROOT / "python" / "lamina").rglob("*.py")]
    lines = {where(path): len(path.read_text().splitlines()) for path in files}
    assert not {name: count for name, count in lines.items() if count > MAX_LINES}
