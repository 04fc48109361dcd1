"""Rows for training, for validation and for the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]


def split(classes: NDArray[Any], validation: float, test: float, seed: int) -> tuple[Rows, Rows, Rows]:
    """Return the indices of three parts, each in the order of the table, drawn from each class alike.

    The first row of a class goes to training, so that a class of one row can be learnt. scikit-learn's
    `train_test_split` refuses such classes. Numbers to predict are all of one class here.
    """
    random = np.random.default_rng(seed)
    parts: tuple[list[Rows], list[Rows], list[Rows]] = ([], [], [])
    for label in np.unique(classes):
        rows = random.permutation(np.flatnonzero(classes == label))
        tested = min(round(test * len(rows)), len(rows) - 1)
        validated = min(round(validation * len(rows)), len(rows) - 1 - tested)
        parts[0].append(rows[tested + validated :])
        parts[1].append(rows[tested : tested + validated])
        parts[2].append(rows[:tested])
    train, held, final = (np.sort(np.concatenate(part)).astype(np.int64) for part in parts)
    return train, held, final
