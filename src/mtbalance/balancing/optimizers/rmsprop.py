"""RMSProp (Hinton 2012)."""

from __future__ import annotations

import torch
from torch import Tensor

from mtbalance.balancing.optimizers import Moments, Optimizer, divisor

ALPHA, EPSILON = 0.99, 1e-8


class RMSProp(Optimizer):
    """RMSProp with smoothing 0.99, without momentum, not centered, as in torch."""

    def _torch_optimizer(self) -> torch.optim.Optimizer:
        decay = 0.0 if self.decoupled else self.weight_decay
        return torch.optim.RMSprop(self.parameters, lr=self.lr, alpha=ALPHA, eps=EPSILON, weight_decay=decay)

    def fresh(self, like: Tensor) -> Moments:
        """Step count and mean square at zero."""
        return {"step": torch.zeros((), dtype=torch.float32), "square_avg": torch.zeros_like(like)}

    def updates(self, moments: Moments, gradients: Tensor, delayed: bool = False) -> Tensor:
        """d = g / (sqrt(b v + (1 - b) g^2) + eps) (PUB, algorithm 1); delayed: g / (sqrt(v) + eps)."""
        root = (ALPHA * moments["square_avg"]).addcmul(gradients, gradients, value=1 - ALPHA).sqrt_()
        if delayed:
            root = divisor(root, moments["square_avg"].sqrt())
        return gradients / root.add_(EPSILON)

    def advance(self, moments: Moments, gradient: Tensor) -> None:
        """v <- b v + (1 - b) g^2."""
        moments["step"] += 1
        moments["square_avg"].mul_(ALPHA).addcmul_(gradient, gradient, value=1 - ALPHA)
