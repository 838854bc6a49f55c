"""AdaGrad (Duchi et al. 2011)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.optimizers import Group, MomentProposer, Moments, divisor
from mtbalance.balancing.options import OptimizerOptions


class AdaGrad(MomentProposer):
    """AdaGrad without learning rate decay, as in torch."""

    accumulator = "sum"

    @staticmethod
    def build(parameters: Iterable[Parameter], options: OptimizerOptions) -> torch.optim.Optimizer:
        """AdaGrad with epsilon 1e-10 and an accumulator that begins at zero."""
        return torch.optim.Adagrad(parameters, lr=options.lr, eps=1e-10, weight_decay=options.weight_decay)

    @staticmethod
    def covers(optimizer: torch.optim.Optimizer) -> bool:
        """True for torch's AdaGrad without decay of the learning rate."""
        plain = type(optimizer) is torch.optim.Adagrad
        return plain and not any(group["lr_decay"] or group["maximize"] for group in optimizer.param_groups)

    def fresh(self, like: Tensor, group: Group) -> Moments:
        """Step count and accumulator at their first values."""
        start = torch.full_like(like, group["initial_accumulator_value"])
        return {"step": torch.zeros((), dtype=torch.float32), "sum": start}

    def updates(
        self, moments: Moments, gradients: Tensor, group: Group, *, delayed: bool = False, total: float = 1.0
    ) -> Tensor:
        """d = g / (sqrt(v + g^2) + eps) (PUB, algorithm 1); delayed: g / (sqrt(v) + eps)."""

        def present() -> Tensor:
            return torch.addcmul(moments["sum"], gradients, gradients).sqrt_()

        root = divisor(moments["sum"].sqrt(), present) if delayed else present()
        return gradients / root.add_(group["eps"])

    def advance(self, moments: Moments, gradient: Tensor, group: Group) -> None:
        """v <- v + g^2."""
        moments["sum"].addcmul_(gradient, gradient)

    def count(self, moments: Moments) -> None:
        """t <- t + 1."""
        moments["step"] += 1
