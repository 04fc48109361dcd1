"""The environment of a worker: its threads and instruction set, the same for every peer."""

from __future__ import annotations

import os

_THREADS = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "LAMINA_NUM_THREADS",
]
# Set on some machines, and wrong on others: each library is to see the CPU as it is.
_PRESETS = [
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "LAMINA_ISA",
    "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
]
# ONNX Runtime has no such switch; it stays as it is.
_AVX2 = {
    "LAMINA_ISA": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}

# YNNPACK's kernels go by the CPU, whatever XLA's limit says: without them XLA compiles the products itself.
_XLA_AVX2 = [
    "--xla_cpu_max_isa=AVX2",
    "--xla_cpu_experimental_ynn_fusion_type=LIBRARY_FUSION_TYPE_INVALID",
]


def worker_environment(threads: int, isa: str | None) -> dict[str, str]:
    """The variables of a worker's process. `isa` is None for the CPU's best, or "avx2"."""
    environment = {name: value for name, value in os.environ.items() if name not in _PRESETS}
    environment.update(dict.fromkeys(_THREADS, str(threads)))
    xla = ["--xla_cpu_multi_thread_eigen=false"] if threads == 1 else []
    if isa == "avx2":
        environment.update(_AVX2)
        xla += _XLA_AVX2
    environment["XLA_FLAGS"] = " ".join(xla)
    environment["JAX_PLATFORMS"] = "cpu"
    environment["KERAS_BACKEND"] = "jax"
    return environment


def cpus(threads: int) -> list[int]:
    """The CPUs that a worker is bound to: the last ones, as interrupts tend to arrive at the first."""
    return sorted(os.sched_getaffinity(0))[-threads:]
