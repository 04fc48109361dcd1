"""Arrays of other libraries, by the DLPack protocol: their memory is read, not copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import ArgumentError, DTypeError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of DLPack's kinds of memory, those that a CPU reads: its own, and what CUDA and ROCm pin or share.
_READABLE = {1, 3, 11, 13}
_DEVICES = {2: "CUDA", 4: "OpenCL", 7: "Vulkan", 8: "Metal", 10: "ROCm", 14: "oneAPI"}


def from_dlpack(x: Any) -> NDArray[Any]:
    """Return a NumPy array over the memory of x, another library's array, such as a PyTorch or JAX tensor.

    Nothing is copied, so writing to one shows in the other; the array is read-only where the library says so.
    `fit`, `predict` and their like do this by themselves, and copy where an array has no memory to share. The
    other way round, `torch.from_dlpack` and `jax.dlpack.from_dlpack` take predictions, which are NumPy
    arrays, without a copy.

    Raises
    ------
    ArgumentError
        For what is no such array, for one on a GPU, for one that takes part in automatic differentiation, for
        a tracer within `jax.jit`, for a sparse one, and for one without values in memory, such as `x.conj()`.
    DTypeError
        For types that NumPy lacks, such as bfloat16 and float8.

    Examples
    --------
    >>> x = np.zeros(3)  # as well as torch.zeros(3)
    >>> view = lm.from_dlpack(x)
    >>> x[1] = 7
    >>> view
    array([0., 7., 0.])
    """
    return read_dlpack(x, "from_dlpack", copies=False)


def has_dlpack(value: Any) -> bool:
    """Whether it is another library's array; NumPy's numbers are not."""
    return hasattr(value, "__dlpack__") and not isinstance(value, (np.generic, np.ndarray))


def read_dlpack(value: Any, what: str, copies: bool = True) -> NDArray[Any]:
    """`from_dlpack`, or a copy where there is nothing to share; `what` names the array in errors."""
    if not hasattr(value, "__dlpack__"):
        raise ArgumentError(f"{what}: expected an array with __dlpack__, got a {type(value).__name__}.")
    title = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
    if not hasattr(value, "__dlpack_device__"):
        raise ArgumentError(
            f"{what}: expected an array with values, got a {title}, which has no __dlpack_device__; "
            "JAX has none while it traces a function, as jit, grad and vmap do."
        )
    try:
        device = int(value.__dlpack_device__()[0])
        name = _DEVICES.get(device, f"device type {device}")
    except (ValueError, RuntimeError) as error:  # PyTorch has devices that DLPack has no number for
        device, name = 0, f"{getattr(value, 'device', 'another device')} ({error})"
    if device not in _READABLE:
        raise ArgumentError(
            f"{what}: expected an array in the memory of the CPU, got a {title} on {name}; "
            "copy it there first, as x.cpu() of PyTorch and x.get() of CuPy do."
        )
    if getattr(value, "requires_grad", False):
        raise ArgumentError(
            f"{what}: expected an array without automatic differentiation, got a {title} that requires grad; "
            "pass x.detach()."
        )
    layout = str(getattr(value, "layout", ""))
    if layout.startswith("torch.") and layout != "torch.strided":
        raise ArgumentError(
            f"{what}: expected a dense array, got a {title} of layout {layout}; pass x.to_dense()."
        )
    for bit in ("conj", "neg"):  # PyTorch computes these values when they are read
        if getattr(value, f"is_{bit}", bool)():
            if not copies:
                raise ArgumentError(
                    f"{what}: expected an array whose values are in memory, "
                    f"got a {title} with its {bit} bit set; pass x.resolve_{bit}()."
                )
            value = getattr(value, f"resolve_{bit}")()  # NumPy would read a negated view without its sign
    try:
        return np.from_dlpack(value)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        return _without_dlpack(value, what, title, copies, error)


def _without_dlpack(value: Any, what: str, title: str, copies: bool, error: Exception) -> NDArray[Any]:
    """Read an array that NumPy could not: an older DLPack may lack bool and read-only arrays."""
    dtype, shared, reason = str(getattr(value, "dtype", "another type")), False, error
    array: NDArray[Any] | None = None
    if hasattr(value, "__array__"):
        try:
            array = np.asarray(value)
            shared = array.size == 0 or np.may_share_memory(array, np.asarray(value))
        except (BufferError, RuntimeError, TypeError, ValueError) as other:
            reason = other
    if array is None or array.dtype.kind == "O" or array.dtype.isbuiltin != 1:  # 2: of another package
        raise DTypeError(
            f"{what}: expected an array of a type that NumPy has, got {dtype} "
            f"of a {title} ({reason}); convert it first, as x.float() and x.astype('float32') do."
        ) from error
    if not (copies or shared):
        raise ArgumentError(
            f"{what}: expected an array whose memory can be shared, got a {title} ({error}); copy it first."
        ) from error
    return array
