"""Fixtures that every topic shares. Data are tiny and seeded; nothing touches the network."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import lamina as lm

ROOT = Path(__file__).parents[2]


def build_consumer(folder: Path, *options: str) -> Path:
    """Build the stranger's project tests/consumer in `folder`; an error shows all that CMake said."""
    # As quick a build as there is: nobody measures it.
    quick = ("-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_FLAGS_DEBUG=-O0", "-DLAMINA_PRECOMPILED_HEADERS=ON")
    project = str(ROOT / "tests" / "consumer")
    for command in (
        ["cmake", "-S", project, "-B", str(folder), "-G", "Ninja", *quick, *options],
        ["cmake", "--build", str(folder), "-j", str(os.cpu_count())],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def subdirectory_consumer(tmp_path_factory):
    """The consumer with a shared lamina by add_subdirectory; LAMINA_CONSUMER names one that is built."""
    folder = Path(os.environ.get("LAMINA_CONSUMER") or tmp_path_factory.mktemp("subdirectory"))
    return build_consumer(
        folder,
        "-DLAMINA_FROM=subdirectory",
        f"-DLAMINA_SOURCE={ROOT}",
        "-DBUILD_SHARED_LIBS=ON",
        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
    )


@pytest.fixture(scope="session")
def shared_library(subdirectory_consumer):
    return subdirectory_consumer / "lamina" / "liblamina.so"


@pytest.fixture
def rng():
    return np.random.default_rng(20240229)


@pytest.fixture(autouse=True)
def same_number_of_threads():
    """A test that changes the number of threads doesn't change it for the next one."""
    before = lm.get_num_threads()
    yield
    lm.set_num_threads(before)


@pytest.fixture
def regression(rng):
    """(x, y) of shape (60, 5) and (60, 2): a smooth function and a little noise."""
    x = rng.normal(size=(60, 5)).astype(np.float32)
    y = np.stack([np.sin(x[:, 0]) + x[:, 1], x[:, 2] * 0.5 - x[:, 3]], axis=1)
    return x, (y + 0.05 * rng.normal(size=y.shape)).astype(np.float32)


@pytest.fixture
def classes(rng):
    """(x, y) of shape (90, 6) and (90,): three overlapping clouds, labels 0, 1, 2."""
    y = rng.integers(0, 3, 90)
    centres = 1.5 * rng.normal(size=(3, 6))
    return (centres[y] + rng.normal(size=(90, 6))).astype(np.float32), y


@pytest.fixture(scope="session")
def survivors():
    """A model of who survives, of the table `tables.passengers()`."""
    from tables import passengers

    from lamina.tabular import TabularModel

    model = TabularModel(hidden=(16,), epochs=60, learning_rate=0.01)
    return model.fit(passengers(), "survived", verbose=0)


@pytest.fixture(scope="session")
def prices():
    """A model of the price, of the table `tables.stones()`."""
    from tables import stones

    from lamina.tabular import TabularModel

    return TabularModel(hidden=(32,), epochs=80, learning_rate=0.01).fit(stones(), "price", verbose=0)
