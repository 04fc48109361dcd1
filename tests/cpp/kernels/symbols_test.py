"""The ISA files export one function each, and no weak symbol.

A weak symbol (an inline function or template with external linkage) compiled for a newer CPU could be the
one that the linker keeps for all. Optimisation hides such symbols by inlining, so the files are also compiled
without it.

Usage: symbols_test.py [COMPILER ...]; by default those of $CXX, g++, clang++ and clang++-14 that exist.
"""

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
ISA = ROOT / "cpp" / "lamina" / "kernels" / "isa"
FLAGS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma", "-mf16c"],
    "avx512": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma", "-mprefer-vector-width=512"],
}


def symbols(compiler, name, optimisation, folder):
    """(type, name) of each symbol that the object file of an ISA defines or needs."""
    target = pathlib.Path(folder) / f"{name}.o"
    flags = FLAGS[name.removesuffix("_training")]
    command = [compiler, "-std=c++20", optimisation, "-ffp-contract=off", *flags, f"-I{ROOT / 'cpp'}"]
    subprocess.run([*command, "-c", str(ISA / f"{name}.cpp"), "-o", str(target)], check=True)
    listing = subprocess.run(["nm", str(target)], check=True, capture_output=True, text=True).stdout
    return [tuple(line.split()[-2:]) for line in listing.splitlines()]


def problems(compiler, name, optimisation, folder):
    """What is wrong with the symbols of one object file."""
    found = symbols(compiler, name, optimisation, folder)
    exported = [symbol for kind, symbol in found if kind.isupper() and kind != "U"]
    wrong = [f"weak symbol {symbol}" for kind, symbol in found if kind in "WVwvu"]
    if len(exported) != 1 or f"{name}_table" not in exported[0]:
        wrong.append(f"expected {name}_table as the only exported symbol, got {exported}")
    allowed = {"memcpy", "memset", "memmove", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
    wrong += [f"needs {symbol}" for kind, symbol in found if kind == "U" and symbol not in allowed]
    return [f"{compiler} {optimisation} {name}: {text}" for text in wrong]


def main():
    candidates = sys.argv[1:] or [os.environ.get("CXX", "g++"), "g++", "clang++", "clang++-14"]
    compilers = [compiler for compiler in dict.fromkeys(candidates) if shutil.which(compiler)]
    isas = FLAGS if platform.machine() in ("x86_64", "AMD64") else ["baseline"]
    isas = [isa + table for isa in isas for table in ("", "_training")]
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for compiler in compilers:
            for optimisation in ("-O0", "-O3"):
                for name in isas:
                    wrong += problems(compiler, name, optimisation, folder)
    print("\n".join(wrong) if wrong else f"symbols of {', '.join(isas)} are clean ({', '.join(compilers)})")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
