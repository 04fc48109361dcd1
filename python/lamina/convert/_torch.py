"""PyTorch: `torch.nn.Sequential` to a lamina model and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError
from ..model import Sequential
from ._chain import Chain, missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Activations without arguments, by the names of both sides.
_NAMES = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SELU": "selu",
    "GELU": "gelu",
    "SiLU": "silu",
    "Sigmoid": "sigmoid",
    "Hardsigmoid": "hard_sigmoid",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Mish": "mish",
}


def from_torch(module: Any, input_shape: Sequence[int] | None = None) -> Sequential:
    """Make a lamina model that computes what a PyTorch module computes in evaluation mode.

    Parameters
    ----------
    module : torch.nn.Module
        A `Sequential`, nested as you like, of `Linear`, `BatchNorm1d`, `LayerNorm`, `Dropout`, `Flatten`,
        `Unflatten`, `Identity` and activations; or one of these. `Linear` weights `(out, in)` become kernels
        `(in, out)`. Any floating type; the model holds float32. A module that is used twice becomes two
        layers of equal weights, which training does not keep equal.
    input_shape : tuple of int or None, default None
        The shape of one row. None takes it from the first `Linear`, `BatchNorm1d` or `LayerNorm`; a module
        that begins with `Flatten` and takes more than one dimension needs it.

    Returns
    -------
    Sequential
        A model of its own: it shares no memory with the module. Activations stand within `Dense` where they
        can.

    Raises
    ------
    ArgumentError
        For a module of another kind, for options that lamina does not have, for modules with forward hooks or
        a `forward` of their own, for weights without values (on the meta device), and for an `input_shape`
        that is no tuple.

    Notes
    -----
    Training goes on alike but for two things: PyTorch keeps the unbiased variance in `BatchNorm1d`, lamina
    and Keras the biased one; and `momentum` counts the other way round there, which is converted.

    Examples
    --------
    >>> import numpy as np, torch
    >>> import lamina as lm
    >>> module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    >>> model = lm.convert.from_torch(module)
    >>> model.layers
    [Dense(8, activation='relu'), Dense(2)]
    >>> x = np.ones((3, 4), np.float32)
    >>> np.allclose(model.predict(x), module(torch.from_numpy(x)).detach().numpy(), atol=1e-6)
    True
    """
    given: Any = input_shape
    if given is not None and (isinstance(given, str) or not np.iterable(given)):
        raise ArgumentError(
            f"from_torch: expected input_shape to be a tuple such as (28, 28), got {given!r}."
        )
    chain, shape = Chain(), input_shape
    for path, part in _parts(module, ""):
        convert = _FROM.get(_kind(part))
        if convert is None:
            raise ArgumentError(
                "from_torch: expected a torch.nn.Sequential of Linear, BatchNorm1d, LayerNorm, Dropout, "
                f"Flatten and activations, got {type(part).__name__}{f' at {path!r}' if path else ''}."
            )
        shape = _features(part) if shape is None else shape
        convert(chain, part, path)
    if shape is None:
        raise ArgumentError(
            "from_torch: expected input_shape for a module without Linear or normalization, got None."
        )
    return chain.model(shape)


def _kind(module: Any) -> str:
    """Return the name of a class of torch.nn; empty for any other, which may compute anything."""
    return type(module).__name__ if type(module).__module__.startswith("torch.nn.") else ""


def _parts(module: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Modules in order, with their paths; those used twice come twice."""
    if _kind(module):
        _check_forward(module, path)
    if _kind(module) == "Sequential":
        for name, child in module._modules.items():  # named_children() leaves out the second use of a module
            yield from _parts(child, f"{path}.{name}" if path else name)
    else:
        yield path, module


def _check_forward(module: Any, path: str) -> None:
    """Refuse a module that computes more than its class does."""
    extra = [
        f"the {kind} {getattr(hook, '__qualname__', type(hook).__qualname__)!r}"
        for kind, hooks in (
            ("forward pre-hook", module._forward_pre_hooks),
            ("forward hook", module._forward_hooks),
        )
        for hook in hooks.values()
    ]
    if "forward" in vars(module):
        extra.append("a forward of its own")
    if extra:
        at = f" at '{path}'" if path else ""
        raise ArgumentError(
            "from_torch: expected modules without forward hooks, "
            f"got {type(module).__name__}{at} with {' and '.join(extra)}."
        )


def _features(module: Any) -> tuple[int, ...] | None:
    """Return the shape of a row that a module takes, where it says so."""
    kind = _kind(module)
    if kind == "LayerNorm":
        return tuple(module.normalized_shape)
    size = {"Linear": "in_features", "BatchNorm1d": "num_features"}.get(kind)
    return None if size is None else (getattr(module, size),)


def _array(tensor: Any, path: str) -> NDArray[np.float32]:
    found = ""
    if tensor.is_meta:
        found = "one on the meta device, which has none"
    elif not tensor.is_floating_point() or str(tensor.layout) != "torch.strided":
        found = f"one of {tensor.dtype} and {tensor.layout}"
    if found:
        at = f" at '{path}'" if path else ""
        raise ArgumentError(f"from_torch: expected weights of dense floating values{at}, got {found}.")
    array: NDArray[np.float32] = tensor.detach().float().cpu().numpy()
    return array


def _linear(chain: Chain, module: Any, path: str) -> None:
    bias = () if module.bias is None else (_array(module.bias, path),)
    chain.add("Dense", _array(module.weight, path).T, *bias, units=module.out_features, use_bias=bool(bias))


def _batch_norm(chain: Chain, module: Any, path: str) -> None:
    if module.running_mean is None or module.momentum is None:
        raise ArgumentError(
            f"from_torch: expected BatchNorm1d with a momentum and running statistics at '{path}'."
        )
    scale = (_array(module.weight, path), _array(module.bias, path)) if module.affine else ()
    chain.add(
        "BatchNormalization",
        *scale,
        _array(module.running_mean, path),
        _array(module.running_var, path),
        momentum=1.0 - module.momentum,
        epsilon=module.eps,
        center=module.affine,
        scale=module.affine,
    )
    chain.expect_flat()  # over channels first, PyTorch's axis is another


def _layer_norm(chain: Chain, module: Any, path: str) -> None:
    weights = [_array(weight, path) for weight in (module.weight, module.bias) if weight is not None]
    chain.add(
        "LayerNormalization",
        *weights,
        axis=list(range(-len(module.normalized_shape), 0)),
        epsilon=module.eps,
        center=module.bias is not None,
        scale=module.weight is not None,
    )


def _flatten(chain: Chain, module: Any, path: str) -> None:
    if (module.start_dim, module.end_dim) != (1, -1):
        raise ArgumentError(
            f"from_torch: expected Flatten of all dimensions but the batch at '{path}', got {module}."
        )
    chain.add("Flatten")


def _unflatten(chain: Chain, module: Any, path: str) -> None:
    if module.dim != 1 or not all(isinstance(extent, int) for extent in module.unflattened_size):
        raise ArgumentError(f"from_torch: expected Unflatten(1, sizes) at '{path}', got {module}.")
    chain.add("Reshape", target_shape=tuple(module.unflattened_size))


def _softmax(chain: Chain, module: Any, path: str) -> None:
    if module.dim not in (-1, 1):
        raise ArgumentError(f"from_torch: expected dim=-1 or dim=1 of {type(module).__name__} at '{path}', "
                            f"got {module.dim}.")  # fmt: skip
    chain.activate({"Softmax": "softmax", "LogSoftmax": "log_softmax"}[type(module).__name__])
    if module.dim == 1:
        chain.expect_flat()


def _activation(chain: Chain, module: Any, path: str) -> None:
    exact = {"approximate": "none", "beta": 1, "threshold": 20}  # of GELU and Softplus
    for option, value in exact.items():
        if (own := getattr(module, option, value)) != value:
            raise ArgumentError(
                f"from_torch: expected the exact {type(module).__name__}() at '{path}', "
                f"with {option}={value!r}, got {option}={own!r}."
            )
    chain.activate(_NAMES[type(module).__name__])


_FROM: dict[str, Callable[[Chain, Any, str], None]] = {
    "Linear": _linear,
    "BatchNorm1d": _batch_norm,
    "LayerNorm": _layer_norm,
    "Dropout": lambda chain, module, path: chain.add("Dropout", rate=module.p),
    "Flatten": _flatten,
    "Unflatten": _unflatten,
    "Identity": lambda chain, module, path: None,
    "LeakyReLU": lambda chain, module, path: chain.add("LeakyReLU", negative_slope=module.negative_slope),
    "ELU": lambda chain, module, path: chain.add("ELU", alpha=module.alpha),
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    **dict.fromkeys(_NAMES, _activation),
}


# ---- to PyTorch


def to_torch(model: Sequential) -> Any:
    """Make a `torch.nn.Sequential` that computes what a lamina model computes.

    Parameters
    ----------
    model : Sequential
        A built model. `Rescaling` is folded into the `Dense` behind it, as PyTorch has no such module.

    Returns
    -------
    torch.nn.Sequential
        In evaluation mode, float32, on the CPU; it shares no memory with the model. Regularizers, constraints
        and `trainable` stay behind.

    Raises
    ------
    ImportError
        Without PyTorch.
    StateError
        Before the model is built.
    ArgumentError
        For a layer that PyTorch has no module for.

    Examples
    --------
    >>> import numpy as np, torch
    >>> import lamina as lm
    >>> model = lm.Sequential([lm.Input((4,)), lm.Dense(8, "tanh"), lm.Dense(2)], seed=0)
    >>> module = lm.convert.to_torch(model)
    >>> [type(part).__name__ for part in module]
    ['Linear', 'Tanh', 'Linear']
    >>> x = np.ones((3, 4), np.float32)
    >>> np.allclose(module(torch.from_numpy(x)).detach().numpy(), model.predict(x), atol=1e-6)
    True
    """
    try:
        import torch
    except ImportError as error:
        raise missing("to_torch", "PyTorch", "torch") from error
    model._used("be converted")
    target = _Target(torch)
    shape: tuple[int | None, ...] = model.input_shape
    for layer in model.layers:
        convert = _TO.get(type(layer).__name__)
        if convert is None:
            raise ArgumentError(f"to_torch: expected layers that PyTorch has modules for, got {layer!r}.")
        if target.scale is not None and type(layer).__name__ not in _AFTER_RESCALING:
            raise ArgumentError(f"to_torch: expected a Dense behind Rescaling, got {layer!r}.")
        convert(target, layer, shape)
        shape = layer.output_shape
    if target.scale is not None:
        raise ArgumentError("to_torch: expected a Dense behind Rescaling, got none.")
    return torch.nn.Sequential(*target.modules).eval()


class _Target:
    """The modules so far, and a rescaling that waits for its Dense."""

    def __init__(self, torch: Any) -> None:
        self.torch, self.nn = torch, torch.nn
        self.modules: list[Any] = []
        self.scale: tuple[float, float] | None = None

    def add(self, module: Any, **weights: NDArray[np.float32] | None) -> None:
        """Append a module with its weights."""
        with self.torch.no_grad():
            for name, array in weights.items():
                if array is not None:
                    getattr(module, name).copy_(self.torch.from_numpy(np.array(array, dtype=np.float32)))
        self.modules.append(module)

    def activate(self, name: str, title: str) -> None:
        """Append an activation."""
        if name == "linear":
            return
        rows = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}
        if name in rows:
            self.modules.append(getattr(self.nn, rows[name])(dim=-1))
        elif name == "leaky_relu":
            self.modules.append(self.nn.LeakyReLU(0.2))
        elif name == "elu":
            self.modules.append(self.nn.ELU())
        elif name in _NAMES.values():
            kind = next(torch_name for torch_name, own in _NAMES.items() if own == name)
            self.modules.append(getattr(self.nn, kind)())
        else:
            raise ArgumentError(
                f"{title}: expected an activation that PyTorch has a module for, got '{name}'."
            )


def _to_dense(target: _Target, layer: Any, shape: tuple[int | None, ...]) -> None:
    kernel, bias = layer.kernel.astype(np.float64), layer.bias if layer.use_bias else None
    if target.scale is not None:  # (s x + o) W + b = x (s W) + (o * sum of W's rows + b)
        scale, offset = target.scale
        bias = offset * kernel.sum(axis=0) + (0.0 if bias is None else bias)
        kernel, target.scale = scale * kernel, None
    module = target.nn.Linear(kernel.shape[0], kernel.shape[1], bias=bias is not None)
    target.add(module, weight=kernel.T, bias=bias)
    target.activate(layer.activation.__name__, f"to_torch: '{layer.name}'")


def _to_batch_norm(target: _Target, layer: Any, shape: tuple[int | None, ...]) -> None:
    if len(shape) != 2:
        raise ArgumentError(
            f"to_torch: expected '{layer.name}' to normalize rows of one dimension, got {shape}."
        )
    affine = layer.center or layer.scale
    module = target.nn.BatchNorm1d(shape[1], eps=layer.epsilon, momentum=1.0 - layer.momentum, affine=affine)
    own = {"weight": layer.gamma if layer.scale else None, "bias": layer.beta if layer.center else None}
    target.add(module, **own, running_mean=layer.moving_mean, running_var=layer.moving_variance)


def _to_layer_norm(target: _Target, layer: Any, shape: tuple[int | None, ...]) -> None:
    axes = layer.axis if isinstance(layer.axis, list) else [layer.axis]
    extents = [shape[axis] for axis in axes]
    affine = layer.center or layer.scale
    module = target.nn.LayerNorm(extents, eps=layer.epsilon, elementwise_affine=affine, bias=layer.center)
    own = {"weight": layer.gamma if layer.scale else None, "bias": layer.beta if layer.center else None}
    target.add(module, **own)


def _to_rescaling(target: _Target, layer: Any, shape: tuple[int | None, ...]) -> None:
    scale, offset = target.scale or (1.0, 0.0)
    target.scale = (scale * layer.scale, offset * layer.scale + layer.offset)


def _to_reshape(target: _Target, layer: Any, shape: tuple[int | None, ...]) -> None:
    if len(shape) > 2:
        target.modules.append(target.nn.Flatten())
    target.modules.append(target.nn.Unflatten(1, tuple(layer.output_shape[1:])))


def _plain(make: Callable[[Any, Any], Any]) -> Callable[[_Target, Any, tuple[int | None, ...]], None]:
    """Convert a layer that becomes one module."""

    def convert(target: _Target, layer: Any, shape: tuple[int | None, ...]) -> None:
        target.modules.append(make(target.nn, layer))

    return convert


_AFTER_RESCALING = ("Rescaling", "Flatten", "Reshape", "Dropout", "Dense")  # a rescaling passes through these
_TO: dict[str, Callable[[_Target, Any, tuple[int | None, ...]], None]] = {
    "Dense": _to_dense,
    "Activation": lambda target, layer, shape: target.activate(
        layer.activation.__name__, f"to_torch: '{layer.name}'"
    ),
    "BatchNormalization": _to_batch_norm,
    "LayerNormalization": _to_layer_norm,
    "Rescaling": _to_rescaling,
    "Reshape": _to_reshape,
    "Flatten": _plain(lambda nn, layer: nn.Flatten()),
    "Dropout": _plain(lambda nn, layer: nn.Dropout(layer.rate)),
    "LeakyReLU": _plain(lambda nn, layer: nn.LeakyReLU(layer.negative_slope)),
    "ELU": _plain(lambda nn, layer: nn.ELU(layer.alpha)),
    "Softmax": _plain(lambda nn, layer: nn.Softmax(dim=-1)),
}
