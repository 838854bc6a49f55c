"""AdaGrad (Duchi et al. 2011)."""

from __future__ import annotations

import torch
from torch import Tensor

from mtbalance.balancing.optimizers import Moments, Optimizer, divisor

EPSILON = 1e-10


class AdaGrad(Optimizer):
    """AdaGrad without learning rate decay, its accumulator begun at zero, as in torch."""

    accumulator = "sum"

    def _torch_optimizer(self) -> torch.optim.Optimizer:
        decay = 0.0 if self.decoupled else self.weight_decay
        return torch.optim.Adagrad(self.parameters, lr=self.lr, eps=EPSILON, weight_decay=decay)

    def fresh(self, like: Tensor) -> Moments:
        """Step count and accumulator at zero."""
        return {"step": torch.zeros((), dtype=torch.float32), "sum": torch.zeros_like(like)}

    def updates(self, moments: Moments, gradients: Tensor, delayed: bool = False) -> Tensor:
        """d = g / (sqrt(v + g^2) + eps) (PUB, algorithm 1); delayed: g / (sqrt(v) + eps)."""
        root = torch.addcmul(moments["sum"], gradients, gradients).sqrt_()
        if delayed:
            root = divisor(root, moments["sum"].sqrt())
        return gradients / root.add_(EPSILON)

    def advance(self, moments: Moments, gradient: Tensor) -> None:
        """v <- v + g^2."""
        moments["step"] += 1
        moments["sum"].addcmul_(gradient, gradient)
