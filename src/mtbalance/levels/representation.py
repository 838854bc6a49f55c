"""The representation level: combine the tasks' gradients where they meet, at the shared representation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.gram import Parts, combine
from mtbalance.levels import Level, Weights
from mtbalance.levels import Representation as Tensors
from mtbalance.levels.gradient import weigh_gradients
from mtbalance.sharing import sharing


class Representation(Level):
    """Rows are dL_k/dz at the representation z; the trunk gets sum_k w_k dL_k/dz in one backward pass.

    Source: MultiBalance (arXiv 2411.11871); MGDA-UB (Sener and Koltun 2018, section 3.3) with the min-norm rule. The
    heads see K detached copies of z (:meth:`fork`), so a step is one forward pass, one backward pass through each
    head, which yields the K rows, and one backward pass through the trunk. z is a tuple of tensors; rows are flattened
    over all of it, batch included. Parameters behind z that serve several tasks get the sum of their losses' own
    gradients, whatever ``heads`` says.
    """

    own: list[list[Parameter]] | None = None
    """Each task's own parameters, where heads are weighted; found at the first step."""
    joint: Sequence[Tensor] = ()
    """The last joint row."""

    def fork(self, representation: Tensors) -> list[Tensors]:
        """K copies of the representation without its graph: task k's loss must be computed from copy k, and no other.

        Raises ``ValueError`` where the representation has no graph, as when tasks share nothing.
        """
        if not any(tensor.requires_grad for tensor in representation):
            raise ValueError("the representation depends on no parameter: there is nothing shared to balance")
        self.trunk = representation
        self.copies = [
            [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in representation]
            for _ in range(self.tasks)
        ]
        return [tuple(copy) for copy in self.copies]

    def _step(self, losses: list[Tensor], values: Weights) -> tuple[Weights, dict[str, float]]:
        if self.own is None:
            self.own = sharing(losses, self.parameters).own if self.heads == "weighted" else []
        torch.autograd.backward(losses)
        trunk, rows = self._rows()
        joint, weights, diagnostics = self.balance(rows, values)
        for weight, parameters in zip(weights, self.own, strict=bool(self.own)):
            weigh_gradients(parameters, weight)
        torch.autograd.backward(trunk, list(joint))
        self.trunk, self.copies = (), []  # their memory is for the next forward pass
        norm = self.shorten()
        self.optimizer.step()
        return weights, diagnostics | norm

    def combined(self, rows: list[Parts], weights: Weights) -> Sequence[Tensor]:
        """The weighted sum of K rows, in the place of the last one: new memory of that size costs more than the sum."""
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
