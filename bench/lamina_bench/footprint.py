"""What using a library costs besides time a step: import, wheel, memory."""

from __future__ import annotations

import importlib.util
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .environment import cpus, worker_environment
from .fashion import write_arrays

_IMPORTS = {
    "NumPy": ("numpy", "import numpy"),
    "lamina": ("lamina", "import numpy, lamina"),
    "PyTorch": ("torch", "import torch"),
    "JAX": ("jax", "import jax.numpy"),
    "scikit-learn": ("sklearn", "import sklearn.neural_network"),
    "Keras": ("keras", "import keras"),
    "ONNX Runtime": ("onnxruntime", "import onnxruntime"),
}
_TIMED = "from time import perf_counter; start = perf_counter(); {}; print(perf_counter() - start)"

# Peak memory in bytes beyond the interpreter with NumPy and the arrays.
_MEMORY = """
import sys
from pathlib import Path
import numpy as np

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))

before = status("VmRSS")
import lamina as lm
x, y = (np.load(Path(sys.argv[1], name)) for name in ("x.npy", "y.npy"))
layers = [lm.Input((784,)), lm.Rescaling(1 / 255), lm.Dense(256, activation="relu"),
          lm.Dense(128, activation="relu"), lm.Dense(10, activation="softmax")]
trainer = lm.Trainer(lm.Sequential(layers), "adam", "sparse_categorical_crossentropy", ["accuracy"], seed=0)
trainer.fit(x, y, epochs=1, batch_size=128, verbose=0)
print(status("VmHWM") - before - x.nbytes - y.nbytes)
"""


def import_seconds(peers: Sequence[str], repeats: int = 7) -> dict[str, float]:
    """Median seconds of the import statements, each in a Python of its own, in turn."""
    wanted = {
        label: statement
        for label, (package, statement) in _IMPORTS.items()
        if package in ("numpy", "lamina", *peers) and importlib.util.find_spec(package) is not None
    }
    times: dict[str, list[float]] = {label: [] for label in wanted}
    for turn in range(repeats + 1):  # the first brings the files into memory
        for label, statement in wanted.items():
            seconds = float(_python(_TIMED.format(statement)))
            if turn > 0:
                times[label].append(seconds)
    return {label: statistics.median(taken) for label, taken in times.items()}


def memory_bytes(source: Path) -> int:
    """Peak of a training on Fashion-MNIST kept as uint8, beyond NumPy's interpreter and the arrays."""
    with tempfile.TemporaryDirectory(prefix="lamina-bench-") as folder:
        write_arrays(source, Path(folder), as_float=False)
        return int(_python(_MEMORY, folder))


def _python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=worker_environment(len(cpus(2)), None),
    )
    return done.stdout
