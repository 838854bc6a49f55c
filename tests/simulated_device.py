"""A simulated accelerator: tensors that say they are on a device, and keep their numbers on the CPU.

It tells what a CPU cannot: an operation that mixes devices raises, as it does with CUDA, and reads by the host are
counted. It knows nothing of a real device's kernels, streams, speed or memory. Importing it registers the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor
from torch.autograd.graph import increment_version
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

from mtbalance.balancing.losses import widest


class _Module(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.float16, torch.bfloat16]


_setup_privateuseone_for_python_backend("simulated", backend_module=_Module())
aten = torch.ops.aten
DEVICE = torch.device("simulated:0")
INDEXING = (aten.index.Tensor, aten.index_put_.default, aten.index_put.default, aten._index_put_impl_.default)
REFUSED = {
    *("_adaptive_avg_pool2d_backward", "adaptive_max_pool2d_backward", "max_unpool2d", "upsample_linear1d_backward"),
    *("upsample_bilinear2d_backward", "upsample_bicubic2d_backward", "reflection_pad2d_backward", "nll_loss2d_forward"),
    *("put_", "histc", "median", "grid_sampler_2d_backward", "cumsum"),
}
"""Operators of which CUDA has no deterministic form (``torch.use_deterministic_algorithms``)."""
WIDE = (torch.float64, torch.complex128)


class Traffic:
    """What went between the host and the device, and what the device refuses."""

    def __init__(self) -> None:
        self.reads = 0
        """Times the host waited for numbers of the device: items, copies to the CPU, shapes that depend on numbers."""
        self.sends = 0
        """Copies from the host to the device."""
        self.refuses_float64 = False


TRAFFIC = Traffic()


@contextmanager
def without_float64() -> Iterator[None]:
    """A device that has no float64, as Apple's MPS has none."""
    TRAFFIC.refuses_float64 = True
    widest.cache_clear()
    try:
        yield
    finally:
        TRAFFIC.refuses_float64 = False
        widest.cache_clear()


class OnDevice(Tensor):
    """A tensor on the device; ``held`` has its numbers on the CPU."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> OnDevice:
        if TRAFFIC.refuses_float64 and held.dtype in WIDE:
            raise TypeError(f"the simulated device has no {held.dtype}")
        layout = {"strides": held.stride(), "storage_offset": held.storage_offset(), "dtype": held.dtype}
        made: OnDevice = Tensor._make_wrapper_subclass(cls, held.shape, device=DEVICE, **layout)
        made.held = held
        return made

    def __init__(self, held: Tensor) -> None:
        super().__init__()

    def __repr__(self) -> str:
        return f"on {DEVICE}: {self.held}"

    def tolist(self) -> Any:
        return self.cpu().tolist()

    def __reduce_ex__(self, protocol: int) -> Any:
        """Saved as any other tensor; ``map_location`` says where a loaded one goes, and here it is the CPU."""
        return self.held.__reduce_ex__(protocol)

    @classmethod
    def __torch_dispatch__(cls, operator, types, args=(), kwargs=None):
        return _run(operator, args, dict(kwargs or {}))


HostGenerator = torch.Generator  # a test may put the class below in its place
GENERATORS: WeakValueDictionary[int, HostGenerator] = WeakValueDictionary()
"""Those on the device, by address: torch hands an operator another object for the same generator."""


class Generator(HostGenerator):
    """A generator on the device, if it is made there."""

    def __new__(cls, device: torch.device | str = "cpu") -> HostGenerator:
        if torch.device(device).type != DEVICE.type:
            return HostGenerator(device)
        made = super().__new__(cls)
        GENERATORS[made._cdata] = made
        return made

    device = DEVICE


def _run(operator: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    given = tree_leaves((args, kwargs))
    _refuse_mixed(operator, args, given)
    whole = operator._schema.name == "aten::cumsum" and not args[0].is_floating_point()
    if torch.are_deterministic_algorithms_enabled() and operator._schema.name[6:] in REFUSED and not whole:
        raise RuntimeError(f"CUDA has no deterministic form of {operator}")
    target = kwargs.get("device")
    away = target is not None and torch.device(target).type == "cpu"
    if target is not None:
        kwargs["device"] = "cpu"
    args_held, kwargs_held = tree_map_only(OnDevice, lambda tensor: tensor.held, (args, kwargs))
    result = operator(*args_held, **kwargs_held)
    if operator.name().startswith("aten::_foreach") and operator.name().split(".")[0].endswith("_"):
        increment_version(args[0])  # as CUDA's kernels do; other operators in place have it done
    _count(operator, args, given, away)
    if away:
        return result
    known = {id(tensor.held): tensor for tensor in given if isinstance(tensor, OnDevice)}
    known |= {id(tensor): tensor for tensor in given if isinstance(tensor, Tensor)}  # a copy to the CPU
    return tree_map_only(Tensor, lambda one: known[id(one)] if id(one) in known else OnDevice(one), result)


def _refuse_mixed(operator: Any, args: Any, given: list[Any]) -> None:
    """Raise if tensors of two devices meet, as they may not with CUDA; numbers without a dimension may."""
    if any(isinstance(one, HostGenerator) and one._cdata not in GENERATORS for one in given):
        raise RuntimeError(f"{operator}: a generator of the CPU for tensors on {DEVICE}")
    foreign = [one for one in given if isinstance(one, Tensor) and not isinstance(one, OnDevice)]
    if operator in INDEXING:  # indices may be on the CPU
        foreign = [one for one in foreign if one is args[0] or one.is_floating_point()]
    if not foreign or operator is aten.copy_.default:
        return
    takes_numbers = torch.Tag.pointwise in operator.tags or operator.name().startswith("aten::_fused")
    numbers = takes_numbers and not any(one.dim() for one in foreign)
    writes = operator._schema.arguments[0].alias_info is not None and operator._schema.arguments[0].alias_info.is_write
    if not numbers or (writes and args[0] is foreign[0]):
        shapes = [f"{one.device} {tuple(one.shape)}" for one in given if isinstance(one, Tensor)]
        raise RuntimeError(f"{operator} mixes devices: {', '.join(shapes)}")


def _count(operator: Any, args: Any, given: list[Any], away: bool) -> None:
    depends = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape} & set(operator.tags)
    if operator in INDEXING:
        indices = [one for one in tree_leaves(args[1]) if isinstance(one, Tensor)]
        depends = any(one.dtype in (torch.bool, torch.uint8) for one in indices)
        TRAFFIC.sends += sum(not isinstance(one, OnDevice) for one in indices)
    elif operator is aten.copy_.default and isinstance(args[0], OnDevice) != isinstance(args[1], OnDevice):
        TRAFFIC.sends += isinstance(args[0], OnDevice)
        depends = isinstance(args[1], OnDevice)
    TRAFFIC.reads += bool(depends) or (away and any(isinstance(one, OnDevice) for one in given))


def _empty(size: Any, *, dtype: Any = None, memory_format: Any = None, **_: Any) -> OnDevice:
    return OnDevice(torch.empty(size, dtype=dtype, memory_format=memory_format or torch.contiguous_format))


def _empty_strided(size: Any, stride: Any, *, dtype: Any = None, **_: Any) -> OnDevice:
    return OnDevice(torch.empty_strided(size, stride, dtype=dtype))


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    return _run(aten.copy_.default, (target, source), {})


def _lowered(operator: Any, *args: Any) -> Tensor:
    """A product under autocast."""
    kind = torch.get_autocast_dtype(DEVICE.type)
    with torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastPrivateUse1)):
        return operator(*(one.to(kind) if isinstance(one, Tensor) else one for one in args))


_LIBRARY = torch.library.Library("aten", "IMPL")
_LIBRARY.impl("empty.memory_format", _empty, "PrivateUse1")
_LIBRARY.impl("empty_strided", _empty_strided, "PrivateUse1")
_LIBRARY.impl("_copy_from", _copy_from, "PrivateUse1")
for _operator in (aten.mm, aten.addmm, aten.dot, aten.conv2d):
    _LIBRARY.impl(_operator.__name__, partial(_lowered, _operator), "AutocastPrivateUse1")
_FALLBACK = torch.library.Library("_", "IMPL")
_FALLBACK.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
