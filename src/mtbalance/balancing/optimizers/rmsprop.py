"""RMSProp (Hinton 2012)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.optimizers import Group, MomentProposer, Moments, divisor
from mtbalance.balancing.options import OptimizerOptions


class RMSProp(MomentProposer):
    """RMSProp without momentum, not centered, as in torch."""

    @staticmethod
    def build(parameters: Iterable[Parameter], options: OptimizerOptions) -> torch.optim.Optimizer:
        """RMSProp with smoothing 0.99 and epsilon 1e-8."""
        return torch.optim.RMSprop(parameters, lr=options.lr, alpha=0.99, eps=1e-8, weight_decay=options.weight_decay)

    @staticmethod
    def covers(optimizer: torch.optim.Optimizer) -> bool:
        """True for torch's RMSProp without momentum that is not centered."""
        plain = type(optimizer) is torch.optim.RMSprop
        other = (group["momentum"] or group["centered"] or group["maximize"] for group in optimizer.param_groups)
        return plain and not any(other)

    def fresh(self, like: Tensor, group: Group) -> Moments:
        """Step count and mean square at zero."""
        return {"step": torch.zeros((), dtype=torch.float32), "square_avg": torch.zeros_like(like)}

    def updates(
        self, moments: Moments, gradients: Tensor, group: Group, *, delayed: bool = False, total: float = 1.0
    ) -> Tensor:
        """d = g / (sqrt(b v + (1 - b) g^2) + eps) (PUB, algorithm 1); delayed: g / (sqrt(v) + eps)."""
        smoothing: float = group["alpha"]

        def present() -> Tensor:
            square: Tensor = (smoothing * moments["square_avg"]).addcmul(gradients, gradients, value=1 - smoothing)
            return square.sqrt_()

        root = divisor(moments["square_avg"].sqrt(), present) if delayed else present()
        update: Tensor = gradients / root.add_(group["eps"])
        return update

    def advance(self, moments: Moments, gradient: Tensor, group: Group) -> None:
        """v <- b v + (1 - b) g^2."""
        moments["square_avg"].mul_(group["alpha"]).addcmul_(gradient, gradient, value=1 - group["alpha"])

    def count(self, moments: Moments) -> None:
        """t <- t + 1."""
        moments["step"] += 1
