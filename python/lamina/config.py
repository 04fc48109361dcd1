"""What lamina runs on: threads, instruction set, compiler; and where C++ programs find it."""

from __future__ import annotations

import os

import numpy as np

from . import _core
from .errors import ArgumentError, StateError

__all__ = ["get_num_threads", "set_num_threads", "show_config", "get_cmake_dir"]


def set_num_threads(count: int) -> None:
    """Set how many threads lamina computes with, the calling one included; at least 1.

    The default is what the process may use (CPU affinity, cgroup quota), or the environment variable
    `LAMINA_NUM_THREADS`. Results do not depend on it, not even in the last bit. `ArgumentError` for less
    than 1.

    Parameters
    ----------
    count : int
        The calling thread is one of them.

    Examples
    --------
    >>> before = lm.get_num_threads()
    >>> lm.set_num_threads(1)
    >>> lm.get_num_threads()
    1
    >>> lm.set_num_threads(before)
    """
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise ArgumentError(
            f"set_num_threads: expected a whole number of at least 1 as count, got {count!r}."
        )
    _core.set_num_threads(int(count))


def get_num_threads() -> int:
    """How many threads lamina computes with.

    Examples
    --------
    >>> lm.get_num_threads() >= 1
    True
    """
    return _core.get_num_threads()


def show_config() -> None:
    """Print the version, the instruction set in use, threads, compiler and NumPy's version.

    The instruction set is the best that the CPU has, or the one that the environment variable `LAMINA_ISA`
    names.

    Examples
    --------
    >>> lm.show_config()  # doctest: +ELLIPSIS
    lamina    ...
    ISA       ... (available: baseline...)
    threads   ...
    compiler  ...
    NumPy     ...
    """
    lines = {
        "lamina": _core.__version__,
        "ISA": f"{_core.isa()} (available: {', '.join(_core.available_isas())})",
        "threads": str(get_num_threads()),
        "compiler": _core.compiler(),
        "NumPy": np.__version__,
    }
    print("\n".join(f"{name:<9} {value}" for name, value in lines.items()))


def get_cmake_dir() -> str:
    """Return the folder of lamina's CMake package, for C++ programs: `cmake -Dlamina_DIR=$(...)`.

    Library, headers and CMake files come with the wheel. `StateError` where they are absent, as when lamina
    is imported from its sources.

    Examples
    --------
    >>> import lamina as lm
    >>> try:
    ...     folder = lm.get_cmake_dir()
    ... except lm.StateError:  # imported from its sources
    ...     folder = "lib/cmake/lamina"
    >>> folder.endswith("lamina")
    True
    """
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib", "cmake", "lamina")
    if not os.path.isfile(os.path.join(folder, "lamina-config.cmake")):
        raise StateError(
            f"get_cmake_dir: expected lamina as installed from a wheel, got no folder '{folder}'."
        )
    return folder
