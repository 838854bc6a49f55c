"""The representation level: combine the tasks' gradients where they meet, at the shared representation."""

from __future__ import annotations

import torch
from torch import Tensor

from mtbalance.levels import Level, Weights
from mtbalance.levels import Representation as Tensors
from mtbalance.levels.gradient import weigh_gradients
from mtbalance.sharing import sharing


class Representation(Level):
    """Rows are dL_k/dz at the representation z; the trunk gets sum_k w_k dL_k/dz in one backward pass.

    Source: MultiBalance (arXiv 2411.11871); MGDA-UB (Sener and Koltun 2018, section 3.3) with the min-norm rule. The
    heads see K detached copies of z (:meth:`fork`), so a step is one forward pass, one backward pass through each
    head, which yields the K rows, and one backward pass through the trunk. z is a tuple of tensors; rows are flattened
    over all of it, batch included.
    """

    def fork(self, representation: Tensors) -> list[Tensors]:
        """K copies of the representation without its graph; what is decoded from copy k must be task k's alone.

        Raises ``ValueError`` where the representation has no graph, as when tasks share nothing.
        """
        if not any(tensor.requires_grad for tensor in representation):
            raise ValueError("the representation depends on no parameter: there is nothing shared to balance")
        self.trunk = [tensor for tensor in representation if tensor.requires_grad]
        self.copies = [
            [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in representation]
            for _ in range(self.tasks)
        ]
        return [tuple(copy) for copy in self.copies]

    def _step(self, losses: list[Tensor], values: Weights) -> tuple[Weights, dict[str, float]]:
        own = sharing(losses, self.parameters).own if self.heads == "weighted" else []
        for loss in losses:
            loss.backward()
        joint, weights, diagnostics = self.balance(self._rows(), values)
        for weight, parameters in zip(weights, own, strict=bool(own)):
            weigh_gradients(parameters, weight)
        torch.autograd.backward(self.trunk, list(joint))
        self.optimizer.step()
        return weights, diagnostics

    def _rows(self) -> list[Tensor]:
        """dL_k/dz of each tensor of z, [K, *shape]."""
        shared = [[tensor for tensor in copy if tensor.requires_grad] for copy in self.copies]
        return [
            torch.stack([torch.zeros_like(tensor) if tensor.grad is None else tensor.grad for tensor in tensors])
            for tensors in zip(*shared, strict=True)
        ]
