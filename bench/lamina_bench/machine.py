"""The machine: what it is, and the peak of its multiply-adds."""

from __future__ import annotations

import os
import platform
import subprocess
import tempfile
from pathlib import Path

from .environment import cpus

_SOURCE = Path(__file__).parents[1] / "cpp" / "fma_peak.cpp"


def _cpu() -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields.setdefault(name.strip(), value.strip())
    return fields


def vector_lanes(isa: str | None) -> int:
    """Float32 lanes of the widest vectors, limited to those of `isa`."""
    flags = _cpu().get("flags", "").split()
    return 16 if "avx512f" in flags and isa is None else 8 if "avx2" in flags else 4


def cache_bytes() -> list[int]:
    """Bytes of the L1 data cache, L2 and L3 that the first CPU sees."""
    sizes = {1: 32 << 10, 2: 1 << 20, 3: 32 << 20}
    for folder in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        text = {name: (folder / name).read_text().strip() for name in ("level", "type", "size")}
        if text["type"] != "Instruction":
            unit = {"K": 1 << 10, "M": 1 << 20}[text["size"][-1]]
            sizes[int(text["level"])] = int(text["size"][:-1]) * unit
    return [sizes[level] for level in (1, 2, 3)]


def description() -> dict[str, str]:
    """What the report says about the machine."""
    fields = _cpu()
    flags = fields.get("flags", "").split()
    isa = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else platform.machine()
    return {
        "cpu": fields.get("model name", platform.machine()),
        "cpus": str(len(os.sched_getaffinity(0))),
        "isa": isa,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


class FmaPeak:
    """Measures the peak of float32 multiply-adds, a window at a time, for interleaving with the peers."""

    def __init__(self, isa: str | None) -> None:
        self.isa = isa or "best"
        self.folder = tempfile.TemporaryDirectory(prefix="lamina-bench-")
        self.program = Path(self.folder.name, "fma_peak")
        compiler = os.environ.get("CXX", "c++")
        command = [compiler, "-std=c++20", "-O2", "-pthread", str(_SOURCE), "-o", str(self.program)]
        subprocess.run(command, check=True)

    def window(self, threads: int, seconds: float) -> float:
        """GFLOP/s of so many threads together."""
        command = [str(self.program), self.isa, str(threads), str(seconds)]
        done = subprocess.run(
            command,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus(threads)),
        )
        return float(done.stdout)
