"""The representation level: combine the tasks' gradients where they meet, at the shared representation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.levels import Tensors
from mtbalance.balancing.levels._rows import RowLevel, weigh_gradients
from mtbalance.balancing.optimizers import Optimizer
from mtbalance.balancing.options import RepresentationOptions
from mtbalance.balancing.rows import Parts, combine
from mtbalance.balancing.rules import GramRule, RowRule
from mtbalance.balancing.sharing import find_sharing


class RepresentationLevel(RowLevel):
    """Rows are dL_k/dz at the representation z; the trunk gets sum_k w_k dL_k/dz in one backward pass.

    Source: MultiBalance (arXiv 2411.11871); with the min-norm rule, MGDA-UB (Sener and Koltun 2018, section 3.3). The
    heads read K detached copies of z (:meth:`fork`). A step is then one forward pass, one backward pass through each
    head, which yields the K rows, and one backward pass through the trunk. z is a tuple of tensors, and rows are
    flattened over all of it, batch included. Parameters that are applied after z and serve several tasks get the sum
    of the gradients of their losses, whatever ``heads`` says.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        rule: GramRule | RowRule,
        optimizer: Optimizer,
        options: RepresentationOptions,
    ) -> None:
        super().__init__(parameters, rule, optimizer, options)
        self.trunk: Tensors = ()
        """The representation of the last :meth:`fork`, until the step is taken."""
        self.copies: list[Tensors] = []
        """Its K detached copies, one for each task's head."""
        self.own: list[list[Parameter]] = []
        """Each task's own parameters, if heads are weighted; found at the first step."""
        self.joint: list[Tensor] = []
        """The last joint row."""

    def fork(self, representation: Tensors) -> list[Tensors]:
        """K copies of the representation without its graph: task k's loss must be computed from copy k alone.

        Raises ``ValueError`` for a representation without a graph, which means that tasks share nothing.
        """
        if not any(tensor.requires_grad for tensor in representation):
            raise ValueError("the representation depends on no parameter: there is nothing shared to balance")
        self.trunk = representation
        self.copies = [
            tuple(tensor.detach().requires_grad_(tensor.requires_grad) for tensor in representation)
            for _ in range(self.tasks)
        ]
        return list(self.copies)

    def _step(self, losses: list[Tensor], values: Vector) -> tuple[Vector, dict[str, float]]:
        if not self.copies:
            raise ValueError("level representation needs a fork of the representation before every step")
        if self.heads == "weighted" and not self.own:
            self.own = find_sharing(losses, self.parameters).own
        torch.autograd.backward(losses)
        trunk, rows = self._rows()
        joint, weights, diagnostics = self.balance(rows, values)
        if self.heads == "weighted":
            for weight, parameters in zip(weights, self.own, strict=True):
                weigh_gradients(parameters, weight)
        torch.autograd.backward(trunk, list(joint))
        self.trunk, self.copies = (), []  # their memory is for the next forward pass
        norm = self.shorten()
        self.optimizer.step()
        return weights, diagnostics | norm

    def combined(self, rows: Sequence[Parts], weights: Vector) -> list[Tensor]:
        """The weighted sum of K rows, in the memory of the last one: to allocate it anew costs more than the sum."""
        like = [next(part for part in parts if part is not None) for parts in rows]
        if list(map(_kind, like)) != list(map(_kind, self.joint)):
            self.joint = [torch.empty_like(part) for part in like]
        return [combine(parts, weights, out) for parts, out in zip(rows, self.joint, strict=True)]

    def _rows(self) -> tuple[list[Tensor], list[Parts]]:
        """The tensors of z that depend on parameters and that some task reads, and the K gradients of each."""
        parts = zip(*([tensor.grad for tensor in copy] for copy in self.copies), strict=True)
        read = [(z, part) for z, part in zip(self.trunk, parts, strict=True) if any(one is not None for one in part)]
        return [z for z, _ in read], [part for _, part in read]


def _kind(tensor: Tensor) -> tuple[torch.Size, torch.dtype, torch.device]:
    return tensor.shape, tensor.dtype, tensor.device
