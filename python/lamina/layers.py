"""Layers: the steps of a model.

Shapes are batch first, channels last. `trainable` and `name` are keywords of every layer.
"""

from ._configurable import declare, public
from ._layer import Layer

Input = declare(
    Layer,
    "Input",
    notes="""
    Takes no input and has no weights; it must be the first layer of a model, and is not listed in
    `model.layers`.
    """,
    example="""
    >>> lm.Sequential([lm.Input((28, 28)), lm.Flatten(), lm.Dense(10)]).output_shape
    (None, 10)
    """,
)
Dense = declare(
    Layer,
    "Dense",
    notes="""
    `y = activation(x @ kernel + bias)`: x is `(batch, ..., inputs)`, kernel `(inputs, units)`, bias
    `(units,)` and y `(batch, ..., units)`. Penalties on kernel and bias are added to the loss of every
    step.
    """,
    example="""
    >>> model = lm.Sequential([lm.Input((3,)), lm.Dense(2, activation="relu", kernel_initializer="ones")])
    >>> model.layers[0].kernel.shape, model.layers[0].bias.shape
    ((3, 2), (2,))
    >>> model.predict([[1, 2, 3], [-1, -2, -3]])
    array([[6., 6.],
           [0., 0.]], dtype=float32)
    """,
)
Activation = declare(
    Layer,
    "Activation",
    notes="""
    Works on inputs of any shape and keeps it; `softmax` and `log_softmax` go along the last axis.
    """,
    example="""
    >>> lm.Sequential([lm.Input((3,)), lm.Activation("relu")]).predict([[-1, 0, 2]])
    array([[0., 0., 2.]], dtype=float32)
    """,
)
Dropout = declare(
    Layer,
    "Dropout",
    notes="""
    Keeps the shape. What stays is multiplied by `1 / (1 - rate)`, so that the mean stays as it is;
    predictions drop nothing (Srivastava et al., 2014). Which inputs are dropped depends on the seed, the
    layer and the step alone.
    """,
    example="""
    >>> model = lm.Sequential([lm.Input((4,)), lm.Dropout(0.5)])
    >>> model.predict([[1, 2, 3, 4]])
    array([[1., 2., 3., 4.]], dtype=float32)
    """,
)
BatchNormalization = declare(
    Layer,
    "BatchNormalization",
    notes="""
    `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, channel by channel (the last axis). Mean
    and variance are those of the batch while training, else the moving ones: `moving = momentum * moving
    + (1 - momentum) * batch` (Ioffe and Szegedy, 2015). Keeps the shape; gamma, beta and both statistics
    are `(channels,)`.
    """,
    example="""
    >>> model = lm.Sequential([lm.Input((2,)), lm.BatchNormalization(momentum=0.5, epsilon=1e-5)])
    >>> trainer = lm.Trainer(model, loss="mse")
    >>> _ = trainer.train_on_batch([[0, 10], [2, 30]], [[0, 0], [0, 0]])
    >>> model.layers[0].moving_mean  # half way from 0 to the batch's
    array([ 0.5, 10. ], dtype=float32)
    """,
)
LayerNormalization = declare(
    Layer,
    "LayerNormalization",
    notes="""
    `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, with mean and variance of each row over
    `axis` (Ba et al., 2016). Keeps the shape, and does the same in training and prediction.
    """,
    example="""
    >>> model = lm.Sequential([lm.Input((4,)), lm.LayerNormalization(epsilon=1e-6)])
    >>> model.predict([[1, 2, 3, 4]]).round(3)
    array([[-1.342, -0.447,  0.447,  1.342]], dtype=float32)
    """,
)
Flatten = declare(
    Layer,
    "Flatten",
    notes="`(batch, ...)` becomes `(batch, n)`, in C order.",
    example="""
    >>> lm.Sequential([lm.Input((2, 3)), lm.Flatten()]).predict(np.zeros((5, 2, 3))).shape
    (5, 6)
    """,
)
Reshape = declare(
    Layer,
    "Reshape",
    notes="The number of elements stays; one extent may be -1, which stands for what is left.",
    example="""
    >>> lm.Sequential([lm.Input((6,)), lm.Reshape((2, 3))]).output_shape
    (None, 2, 3)
    """,
)
Rescaling = declare(
    Layer,
    "Rescaling",
    notes="""
    `y = scale * x + offset`; keeps the shape. Put first, it lets pixels stay `uint8` in memory.
    """,
    example="""
    >>> model = lm.Sequential([lm.Input((3,)), lm.Rescaling(1 / 255)])
    >>> model.predict(np.array([[0, 51, 255]], np.uint8)).round(4)
    array([[0. , 0.2, 1. ]], dtype=float32)
    """,
)
ActivityRegularization = declare(
    Layer,
    "ActivityRegularization",
    notes="Adds `(l1 * sum|x| + l2 * sum(x^2)) / batch` to the loss; keeps inputs and shape.",
    example="""
    >>> model = lm.Sequential([lm.Input((2,)), lm.ActivityRegularization(l1=0.5)])
    >>> lm.Trainer(model, loss="mse").evaluate([[3, -1]], [[3, -1]])["loss"]
    2.0
    """,
)
GaussianNoise = declare(
    Layer,
    "GaussianNoise",
    notes="""
    Keeps the shape; predictions get no noise. The noise depends on the seed, the layer and the step
    alone.
    """,
    example="""
    >>> model = lm.Sequential([lm.Input((2,)), lm.GaussianNoise(0.1)])
    >>> model.predict([[1, 2]])
    array([[1., 2.]], dtype=float32)
    """,
)
LeakyReLU = declare(
    Layer,
    "LeakyReLU",
    notes="`x` above 0, `negative_slope * x` below; keeps the shape (Maas et al., 2013).",
    example="""
    >>> lm.Sequential([lm.Input((3,)), lm.LeakyReLU(0.25)]).predict([[-4, 0, 2]])
    array([[-1.,  0.,  2.]], dtype=float32)
    """,
)
ELU = declare(
    Layer,
    "ELU",
    notes="`x` above 0, `alpha * (exp(x) - 1)` below; keeps the shape (Clevert et al., 2015).",
    example="""
    >>> lm.Sequential([lm.Input((2,)), lm.ELU(alpha=2.0)]).predict([[-1, 2]]).round(4)
    array([[-1.2642,  2.    ]], dtype=float32)
    """,
)
Softmax = declare(
    Layer,
    "Softmax",
    notes="`exp(x) / sum(exp(x))` along the last axis; keeps the shape.",
    example="""
    >>> lm.Sequential([lm.Input((2,)), lm.Softmax()]).predict([[0, 0], [0, 3]]).round(4)
    array([[0.5   , 0.5   ],
           [0.0474, 0.9526]], dtype=float32)
    """,
)

__all__ = public(globals())
