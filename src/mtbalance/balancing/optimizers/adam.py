"""Adam (Kingma and Ba 2015), and with decoupled decay AdamW (Loshchilov and Hutter 2019)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.optimizers import Group, MomentProposer, Moments, divisor
from mtbalance.balancing.options import OptimizerOptions


class Adam(MomentProposer):
    """Adam and AdamW, with epsilon outside the square root, as in torch."""

    @staticmethod
    def build(parameters: Iterable[Parameter], options: OptimizerOptions) -> torch.optim.Optimizer:
        """Adam or AdamW with betas (0.9, 0.999) and epsilon 1e-8."""
        kind = torch.optim.AdamW if options.decay == "decoupled" else torch.optim.Adam
        return kind(parameters, lr=options.lr, weight_decay=options.weight_decay, fused=True)

    @staticmethod
    def covers(optimizer: torch.optim.Optimizer) -> bool:
        """True for torch's Adam and AdamW without AMSGrad."""
        plain = type(optimizer) in (torch.optim.Adam, torch.optim.AdamW)
        return plain and not any(group["amsgrad"] or group["maximize"] for group in optimizer.param_groups)

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        super().__init__(optimizer)
        self.counts: dict[int, tuple[Tensor, int, float]] = {}

    def fresh(self, like: Tensor, group: Group) -> Moments:
        """Step count and both moments at zero."""
        device = like.device if group["fused"] or group["capturable"] else None
        step = torch.zeros((), dtype=torch.float32, device=device)
        return {"step": step, "exp_avg": torch.zeros_like(like), "exp_avg_sq": torch.zeros_like(like)}

    def updates(
        self, moments: Moments, gradients: Tensor, group: Group, *, delayed: bool = False, total: float = 1.0
    ) -> Tensor:
        """d = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps), m and v having seen the gradient (PUB, algorithm 1).

        Delayed: m has seen it, and v / (1 - b2^(t - 1)) has not.
        """
        beta_1, beta_2 = group["betas"]
        step = self._count(moments["step"]) + 1
        before = moments["exp_avg"] if total == 1.0 else total * moments["exp_avg"]
        first = torch.lerp(before, gradients, 1 - beta_1)

        def present() -> Tensor:
            second: Tensor = (beta_2 * moments["exp_avg_sq"]).addcmul(gradients, gradients, value=1 - beta_2)
            return second.sqrt_().div_((1 - beta_2**step) ** 0.5)

        if delayed:
            root = divisor(moments["exp_avg_sq"].sqrt() / (1 - beta_2 ** (step - 1)) ** 0.5, present)
        else:
            root = present()
        return first.div_(root.add_(group["eps"])).div_(1 - beta_1**step)

    def advance(self, moments: Moments, gradient: Tensor, group: Group) -> None:
        """m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2."""
        beta_1, beta_2 = group["betas"]
        count = self._count(moments["step"]) + 1
        moments["step"] += 1
        self.counts[id(moments["step"])] = moments["step"], moments["step"]._version, count
        moments["exp_avg"].lerp_(gradient, 1 - beta_1)
        moments["exp_avg_sq"].mul_(beta_2).addcmul_(gradient, gradient, value=1 - beta_2)

    def prepare(self, moments: Sequence[Moments]) -> None:
        """Read, in one transfer, the step counts that somebody else has written to, such as the optimizer itself."""
        steps = [state["step"] for state in moments if not self._knows(state["step"])]
        if steps:
            for step, count in zip(steps, torch.stack(steps).tolist(), strict=True):
                self.counts[id(step)] = step, step._version, count

    def _knows(self, step: Tensor) -> bool:
        known, version, _ = self.counts.get(id(step), (None, 0, 0.0))
        return known is step and version == step._version

    def _count(self, step: Tensor) -> float:
        if not self._knows(step):
            self.counts[id(step)] = step, step._version, float(step)
        return self.counts[id(step)][2]
