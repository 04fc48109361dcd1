"""Losses: what training makes small. Formulas, epsilons and defaults are those of Keras 3.

Each is callable on arrays, `MeanSquaredError()(y_true, y_pred)`, and has `value_and_gradient`. A loss of your
own is a subclass of `Loss`.
"""

from ._configurable import declare, find, public
from ._loss import Loss

CategoricalCrossentropy = declare(
    Loss,
    "CategoricalCrossentropy",
    notes="""
    `y_true` are one-hot rows or probabilities `(batch, classes)`, `y_pred` probabilities of that shape,
    or logits with `from_logits`. In nats.
    """,
    example="""
    >>> round(lm.losses.CategoricalCrossentropy()([[0, 1, 0]], [[0.1, 0.8, 0.1]]), 4)  # -log(0.8)
    0.2231
    """,
)
SparseCategoricalCrossentropy = declare(
    Loss,
    "SparseCategoricalCrossentropy",
    notes="""
    `y_true` are whole numbers `(batch,)`, `y_pred` probabilities `(batch, classes)`, or logits with
    `from_logits`. In nats. `DataError` for a label outside of the classes.
    """,
    example="""
    >>> round(lm.losses.SparseCategoricalCrossentropy()([1], [[0.1, 0.8, 0.1]]), 4)  # -log(0.8)
    0.2231
    """,
)
BinaryCrossentropy = declare(
    Loss,
    "BinaryCrossentropy",
    notes="""
    `y_true` and `y_pred` are `(batch, k)` or `(batch,)`, between 0 and 1; logits with `from_logits`. The
    loss of a row is the mean over its k answers, in nats.
    """,
    example="""
    >>> loss = lm.losses.BinaryCrossentropy()
    >>> round(loss([1, 0], [0.9, 0.2]), 4)
    0.1643
    >>> value, gradient = loss.value_and_gradient([1, 0], [0.9, 0.2])
    >>> gradient.round(4)
    array([-0.5556,  0.625 ], dtype=float32)
    """,
)
NegativeLogLikelihood = declare(
    Loss,
    "NegativeLogLikelihood",
    notes="`-sum(y_true * log(y_pred))`; arguments and shapes are those of `CategoricalCrossentropy`.",
    example="""
    >>> round(lm.losses.NegativeLogLikelihood()([[0, 1, 0]], [[0.1, 0.8, 0.1]]), 4)  # -log(0.8)
    0.2231
    """,
)
MeanSquaredError = declare(
    Loss,
    "MeanSquaredError",
    notes="""
    `y_true` and `y_pred` are `(batch, k)` or `(batch,)`; the loss of a row is the mean over its k
    numbers.
    """,
    example="""
    >>> lm.losses.MeanSquaredError()([[0, 0]], [[1, 3]])
    5.0
    """,
)
MeanAbsoluteError = declare(
    Loss,
    "MeanAbsoluteError",
    notes="""
    `y_true` and `y_pred` are `(batch, k)` or `(batch,)`; the loss of a row is the mean over its k
    numbers.
    """,
    example="""
    >>> lm.losses.MeanAbsoluteError()([[0, 0]], [[1, 3]])
    2.0
    """,
)
Huber = declare(
    Loss,
    "Huber",
    notes="""
    `e^2 / 2` where `|e| <= delta`, else `delta * |e| - delta^2 / 2`, with `e = y_pred - y_true` (Huber,
    1964). `y_true` and `y_pred` are `(batch, k)` or `(batch,)`; the loss of a row is the mean over its k
    numbers.
    """,
    example="""
    >>> lm.losses.Huber(delta=1.0)([0, 0], [0.5, 3])  # the mean of 0.125 and 2.5
    1.3125
    """,
)
LogCosh = declare(
    Loss,
    "LogCosh",
    notes="""
    `y_true` and `y_pred` are `(batch, k)` or `(batch,)`; the loss of a row is the mean over its k
    numbers.
    """,
    example="""
    >>> round(lm.losses.LogCosh()([0], [100]), 4)  # about |error| - log 2
    99.3069
    """,
)
Hinge = declare(
    Loss,
    "Hinge",
    notes="""
    `y_true` and `y_pred` are `(batch, k)` or `(batch,)`; the loss of a row is the mean over its k
    numbers.
    """,
    example="""
    >>> lm.losses.Hinge()([1, -1], [0.5, -2])  # the mean of 0.5 and 0
    0.25
    """,
)
SquaredHinge = declare(
    Loss,
    "SquaredHinge",
    notes="""
    `y_true` and `y_pred` are `(batch, k)` or `(batch,)`; the loss of a row is the mean over its k
    numbers.
    """,
    example="""
    >>> lm.losses.SquaredHinge()([1, -1], [0, -2])  # the mean of 1 and 0
    0.5
    """,
)
KLDivergence = declare(
    Loss,
    "KLDivergence",
    notes="`y_true` and `y_pred` are probabilities `(batch, classes)`; in nats.",
    example="""
    >>> lm.losses.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]])
    0.0
    >>> round(lm.losses.KLDivergence()([[0.5, 0.5]], [[0.9, 0.1]]), 4)
    0.5108
    """,
)
Poisson = declare(
    Loss,
    "Poisson",
    notes="""
    Predictions are expected counts above 0. `y_true` and `y_pred` are `(batch, k)` or `(batch,)`; the
    loss of a row is the mean over its k numbers.
    """,
    example="""
    >>> round(lm.losses.Poisson()([2], [3]), 4)  # 3 - 2 log 3
    0.8028
    """,
)
CosineSimilarity = declare(
    Loss,
    "CosineSimilarity",
    notes="`y_true` and `y_pred` are `(batch, k)`; their lengths do not matter.",
    example="""
    >>> lm.losses.CosineSimilarity()([[1, 0]], [[5, 0]])
    -1.0
    >>> lm.losses.CosineSimilarity()([[1, 0]], [[0, 2]])
    0.0
    """,
)
BinaryFocalCrossentropy = declare(
    Loss,
    "BinaryFocalCrossentropy",
    notes="Shapes are those of `BinaryCrossentropy` (Lin et al., 2017).",
    example="""
    >>> round(lm.losses.BinaryFocalCrossentropy(gamma=2.0)([1], [0.9]), 6)  # 0.1^2 * -log(0.9)
    0.001054
    """,
)


def get(identifier):
    """Return the loss that a name, a class, a config or an object stands for.

    Parameters
    ----------
    identifier : str, Loss, class or dict
        A name, an object, its class, or `{"class_name": ..., "config": {...}}`.

    Raises
    ------
    ArgumentError
        For an unknown name, with the nearest known one, and for anything else.

    Examples
    --------
    >>> lm.losses.get("mse")
    MeanSquaredError()
    """
    return find(Loss, identifier)


__all__ = public(globals())
