"""Replicas of a model: processes that train together must hold the same parameters, in one order."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.processes import Processes

ROUNDING = 1e-9
"""Difference of two sums, as a part of the sum of absolute values, that the order of additions may make."""


def refuse_sharded(parameters: Iterable[Parameter]) -> None:
    """Raise ``ValueError`` for parameters that are sharded over processes."""
    for parameter in parameters:
        if type(parameter.data).__name__ == "DTensor" or hasattr(parameter, "_fsdp_flattened"):
            raise ValueError(
                "parameters are sharded (FSDP, or DTensor): norms and inner products of rows would be those of one "
                "shard. Replicated data parallelism (DistributedDataParallel) is supported"
            )


@torch.no_grad()
def alike(parameters: Sequence[Parameter], processes: Processes, device: torch.device, what: str) -> list[Parameter]:
    """The parameters in the order that all processes have.

    Raises ``ValueError``, in all processes, if these hold other parameters than one another: in number, shapes or
    values. ``what`` says which parameters they are; ``device`` is that of messages.
    """
    sums = dict(zip(parameters, _sums(parameters, device).tolist(), strict=True))
    ordered = sorted(parameters, key=lambda parameter: (tuple(parameter.shape), sums[parameter][0]))
    shapes = repr([(tuple(parameter.shape), parameter.dtype) for parameter in ordered])
    found = torch.tensor([float(zlib.crc32(shapes.encode()))], dtype=torch.float64, device=device)
    same = not bool(_spread(found, processes).any())
    if same and ordered:
        values = torch.tensor([sums[parameter] for parameter in ordered], dtype=torch.float64, device=device)
        values = values.nan_to_num()
        dist.all_reduce(size := values[:, 1].clone(), op=dist.ReduceOp.MAX, group=processes.group)
        same = bool((_spread(values[:, 0], processes) <= ROUNDING * size).all())
    if not same:
        raise ValueError(
            f"the processes differ in the parameters {what}: all must begin with the same ones, as in a model that "
            "DistributedDataParallel wraps, and reach the same ones of another optimizer. Parts of tables that are "
            "split over processes cannot be balanced"
        )
    return ordered


def _sums(parameters: Sequence[Parameter], device: torch.device) -> Tensor:
    """The sum of each parameter's numbers, and that of their absolute values [parameters, 2]."""
    found = torch.zeros(len(parameters), 2, dtype=torch.float64, device=device)
    for sums, parameter in zip(found, parameters, strict=True):
        numbers = torch.view_as_real(parameter.detach()) if parameter.is_complex() else parameter.detach()
        sums[0] = numbers.sum(dtype=torch.float64)
        sums[1] = torch.linalg.vector_norm(numbers, 1, dtype=torch.float64)
    return found


def _spread(numbers: Tensor, processes: Processes) -> Tensor:
    """The difference between the largest and the smallest that a process has, for each number."""
    ends = torch.cat([numbers, -numbers])
    dist.all_reduce(ends, op=dist.ReduceOp.MAX, group=processes.group)
    largest, smallest = ends.chunk(2)
    return largest + smallest
