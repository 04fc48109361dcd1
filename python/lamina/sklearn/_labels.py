"""Classes and labels as numbers, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.multiclass import type_of_target

from .. import _core
from ..errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MULTILABEL = "multilabel-indicator"


class Labels:
    """The classes that targets come from.

    `kind` is 'binary' (one or two classes), 'multiclass', or 'multilabel-indicator': columns of 0 and 1.
    """

    def __init__(self, y: Any) -> None:
        kind = type_of_target(y, input_name="y")
        if kind.endswith("-multioutput"):
            raise ArgumentError(
                "Multioutput target data is not supported: expected classes, or columns of 0 and 1."
            )
        if kind not in ("binary", "multiclass", MULTILABEL):
            raise ArgumentError(
                f"Unknown label type: {kind}. Maybe you are trying to fit a classifier, which expects "
                "discrete classes on a regression target with continuous values."
            )
        self.kind = kind
        self.sparse = hasattr(y, "toarray")
        if kind == MULTILABEL:
            self.classes = np.arange(np.shape(y)[1])
        elif np.asarray(y).dtype == object:
            self.classes = np.array(sorted(set(y)))  # words become an array of text, as in scikit-learn
        else:
            self.classes = np.unique(y)

    @classmethod
    def of(cls, y: Any) -> tuple[Labels, NDArray[Any]]:
        """Return the classes of targets, and what `encode` gives for these."""
        if type(y) is np.ndarray and not y.dtype.isnative:
            y = y.astype(y.dtype.newbyteorder("="))
        if type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "biuU":
            # of which type_of_target takes longest to find nothing special about
            classes, codes = _core.integer_classes(y) or (np.unique(y), None)
            if 2 * len(classes) <= len(y):  # of more classes scikit-learn may warn
                self = cls.__new__(cls)
                self.kind = "multiclass" if len(classes) > 2 else "binary"
                self.classes, self.sparse = classes, False
                return self, self.encode(y) if codes is None else codes
        self = cls(y)
        return self, self.encode(y)

    def encode(self, y: Any) -> NDArray[Any]:
        """Return the number of each row's class, `(n,)`; or the columns of labels, `(n, labels)`."""
        if self.kind == MULTILABEL:
            columns: NDArray[Any] = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
            if (
                columns.ndim != 2
                or columns.shape[1] != len(self.classes)
                or not np.isin(columns, (0, 1)).all()
            ):
                raise ArgumentError(
                    f"y: expected {len(self.classes)} columns of 0 and 1, got shape {columns.shape}."
                )
            return columns
        codes: NDArray[Any] = np.minimum(np.searchsorted(self.classes, y), len(self.classes) - 1)
        if codes.ndim != 1 or not np.array_equal(self.classes[codes], y):
            raise ArgumentError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. "
                f"'y' has {np.unique(y)}."
            )
        return codes

    def decode(self, numbers: NDArray[Any]) -> Any:
        """Return the classes of the numbers; or columns, sparse where they were."""
        if self.kind != MULTILABEL:
            return self.classes[np.minimum(numbers, len(self.classes) - 1)]
        if not self.sparse:
            return numbers
        from scipy.sparse import csr_matrix

        return csr_matrix(numbers)
