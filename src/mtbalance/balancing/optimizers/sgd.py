"""SGD, with heavy-ball momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013)."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.optimizers import Group, MomentProposer, Moments
from mtbalance.balancing.options import OptimizerOptions

BUFFER = "momentum_buffer"


class SGD(MomentProposer):
    """SGD with momentum, dampening and Nesterov's form as its groups have them, as in torch.

    There is no divisor, so ``delayed`` changes nothing.
    """

    @staticmethod
    def build(parameters: Iterable[Parameter], options: OptimizerOptions) -> torch.optim.Optimizer:
        """SGD with momentum 0.9."""
        return torch.optim.SGD(parameters, lr=options.lr, momentum=0.9, weight_decay=options.weight_decay)

    @staticmethod
    def covers(optimizer: torch.optim.Optimizer) -> bool:
        """True for torch's SGD."""
        return type(optimizer) is torch.optim.SGD and not any(group["maximize"] for group in optimizer.param_groups)

    def fresh(self, like: Tensor, group: Group) -> Moments:
        """No momentum yet; the first gradient becomes it."""
        return {BUFFER: None}

    def updates(
        self, moments: Moments, gradients: Tensor, group: Group, *, delayed: bool = False, total: float = 1.0
    ) -> Tensor:
        """d = b with b <- mu b + (1 - dampening) g, or d = g + mu b (Nesterov); the first b is g."""
        momentum, buffer = group["momentum"], moments.get(BUFFER)
        if not momentum:
            return gradients.clone()
        fresh = (1 - group["dampening"]) * gradients
        moved = gradients if buffer is None else total * momentum * buffer + fresh
        return gradients + momentum * moved if group["nesterov"] else moved.clone()

    def advance(self, moments: Moments, gradient: Tensor, group: Group) -> None:
        """b <- mu b + (1 - dampening) g."""
        if not group["momentum"]:
            return
        if moments.get(BUFFER) is None:
            moments[BUFFER] = gradient.clone()
        else:
            moments[BUFFER].mul_(group["momentum"]).add_(gradient, alpha=1 - group["dampening"])

    def count(self, moments: Moments) -> None:
        """Nothing depends on the number of steps."""
