"""Adam (Kingma and Ba 2015), and with decoupled decay AdamW (Loshchilov and Hutter 2019)."""

from __future__ import annotations

import torch
from torch import Tensor

from mtbalance.balancing.optimizers import Moments, Optimizer, divisor

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Adam(Optimizer):
    """Adam with betas (0.9, 0.999) and epsilon 1e-8 outside the square root, as in torch."""

    decays_itself = True

    def _torch_optimizer(self) -> torch.optim.Optimizer:
        kind = torch.optim.AdamW if self.decoupled else torch.optim.Adam
        return kind(
            self.parameters, lr=self.lr, betas=(BETA_1, BETA_2), eps=EPSILON, weight_decay=self.weight_decay, fused=True
        )

    def fresh(self, like: Tensor) -> Moments:
        """Step count and both moments at zero."""
        step = torch.zeros((), dtype=torch.float32, device=like.device)
        return {"step": step, "exp_avg": torch.zeros_like(like), "exp_avg_sq": torch.zeros_like(like)}

    def updates(self, moments: Moments, gradients: Tensor, delayed: bool = False) -> Tensor:
        """d = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps), m and v having seen the gradient (PUB, algorithm 1).

        Delayed: m has seen it, and v / (1 - b2^(t - 1)) has not.
        """
        step = float(moments["step"]) + 1
        first = torch.lerp(moments["exp_avg"], gradients, 1 - BETA_1)
        second = (BETA_2 * moments["exp_avg_sq"]).addcmul(gradients, gradients, value=1 - BETA_2)
        root = second.sqrt_().div_((1 - BETA_2**step) ** 0.5)
        if delayed:
            root = divisor(root, moments["exp_avg_sq"].sqrt() / (1 - BETA_2 ** (step - 1)) ** 0.5)
        return first.div_(root.add_(EPSILON)).div_(1 - BETA_1**step)

    def advance(self, moments: Moments, gradient: Tensor) -> None:
        """m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2."""
        moments["step"] += 1
        moments["exp_avg"].lerp_(gradient, 1 - BETA_1)
        moments["exp_avg_sq"].mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
