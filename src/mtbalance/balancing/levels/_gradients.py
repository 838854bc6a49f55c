"""Gradients written to parameters, by one process or by many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.layout import laid_out
from mtbalance.balancing.processes import Processes
from mtbalance.balancing.rules import Rule


def accumulate(
    total: Tensor, parameters: Sequence[Parameter], processes: Processes, *, only: bool = False, keep: bool = False
) -> None:
    """One backward pass of ``total`` into the parameters' ``.grad``; over many processes, of the mean of their totals.

    Over many processes the gradients are summed here, not by hooks, so a model that DistributedDataParallel wraps and
    one that it does not are trained alike. ``only`` leaves leaves that are not in ``parameters`` alone, which costs
    time with one process; ``keep`` keeps the graph.
    """
    if processes.size == 1:
        torch.autograd.backward(total, inputs=list(parameters) if only else None, retain_graph=keep)
        return
    found = torch.autograd.grad(total / processes.size, parameters, allow_unused=True, retain_graph=keep)
    add_gradients(parameters, processes.sum_present(found, parameters))


def add_gradients(parameters: Sequence[Parameter], gradients: Sequence[Tensor | None]) -> None:
    """Add gradients to ``.grad``, as a backward pass does."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        if gradient is not None:
            before = parameter.grad
            parameter.grad = laid_out(gradient, parameter) if before is None else before + gradient


def refuse_other_weights(used: Vector | None, weights: Vector, rule: Rule) -> None:
    """Raise ``ValueError`` if an earlier part of the batch was weighed with other weights than the whole batch has."""
    if used is not None and not np.allclose(used, weights, rtol=1e-9, atol=0):
        raise ValueError(
            f"rule {type(rule).__name__} weighs the tasks by the whole batch, so gradients of its parts cannot be "
            "accumulated at this level: give the whole batch to one backward call, or balance at level gradient or "
            "update, which keep the tasks' gradients until the step"
        )
