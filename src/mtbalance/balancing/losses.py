"""The K losses of a step, as a user gives them: checked, and read from the device once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from numbers import Real

import numpy as np
import torch
from torch import Tensor

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.processes import Processes

Losses = Tensor | Sequence[Tensor]
"""K losses: scalars, or one tensor [K]."""


def scalar_losses(losses: Losses, tasks: int) -> list[Tensor]:
    """The K losses as separate scalars, all where the first one is; a Python number is a loss without a graph.

    Raises ``TypeError`` for what is no list of losses, and ``ValueError`` for another number of losses than ``tasks``
    and for a loss that is not one number.
    """
    if not isinstance(losses, Tensor | list | tuple):
        raise TypeError(
            f"losses must be a list of {tasks} scalar tensors or a tensor [{tasks}], not {type(losses).__name__}"
        )
    if isinstance(losses, Tensor) and losses.dim() != 1:
        raise ValueError(f"losses of shape {tuple(losses.shape)}: give a list of {tasks} scalars or a tensor [{tasks}]")
    separate = list(losses.unbind()) if isinstance(losses, Tensor) else [_as_tensor(loss, losses) for loss in losses]
    if len(separate) != tasks:
        raise ValueError(f"{len(separate)} losses for a rule of {tasks} tasks")
    for task, loss in enumerate(separate):
        if loss.numel() != 1:
            raise ValueError(f"loss {task} has shape {tuple(loss.shape)}: reduce it to one number, such as its mean")
    return [loss.to(separate[0].device) for loss in separate]


def _as_tensor(loss: Tensor | float, losses: Sequence[Tensor | float]) -> Tensor:
    if isinstance(loss, Tensor):
        return loss
    if not isinstance(loss, Real):
        raise TypeError(f"a loss must be a tensor with one number, not {type(loss).__name__}")
    device = next((other.device for other in losses if isinstance(other, Tensor)), None)
    return torch.tensor(float(loss), device=device)


def is_nonzero(tensor: Tensor) -> Tensor:
    """True, on the device, if an entry is not zero."""
    return (tensor.coalesce().values() if tensor.is_sparse else tensor).any()


def together(numbers: Sequence[Tensor]) -> Tensor:
    """Numbers in tensors of one shape, stacked where the first one is: a model may be spread over devices."""
    return torch.stack([number.to(numbers[0].device) for number in numbers])


@torch.no_grad()
def values_of(losses: Sequence[Tensor], processes: Processes) -> Tensor:
    """The K losses [K] of the whole batch; they stay on the device."""
    values = torch.stack([loss.detach().reshape(()) for loss in losses])
    return processes.sum(values.double() / processes.size) if processes.size > 1 else values


def without_zeros(values: Vector, before: Vector | None) -> Vector:
    """The losses [K], where one of 0 has become that of the step ``before``, or the mean of the others without one.

    A task that has no label in a batch has a loss of 0. A rule would take it for solved, or could not take a logarithm.
    """
    if values.all():
        return values
    usual = values.sum() / max(np.count_nonzero(values), 1) or 1.0
    return np.where(values == 0, usual if before is None else before, values)


def read(tensors: Sequence[Tensor]) -> Vector:
    """Numbers that lie on a device, brought to the host in one transfer; floats and truth values of any types."""
    if len(tensors) == 1:
        return np.array(tensors[0].reshape(-1).tolist(), dtype=float)
    device = tensors[0].device
    return np.array(torch.cat([tensor.reshape(-1).to(device, widest(device)) for tensor in tensors]).tolist())


@cache
def widest(device: torch.device) -> torch.dtype:
    """float64; float32 on a device that has none, such as Apple's MPS."""
    try:
        torch.empty(0, dtype=torch.float64, device=device)
    except TypeError:
        return torch.float32
    return torch.float64
