"""Fixtures that every topic shares. Data are tiny and seeded; nothing touches the network."""

import numpy as np
import pytest

import lamina as lm


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
