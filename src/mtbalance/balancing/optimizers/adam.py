"""Adam (Kingma and Ba 2015), and with decoupled decay AdamW (Loshchilov and Hutter 2019)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.losses import together
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
        self.counts[id(step)] = step, step._version, 0.0
        return {"step": step, "exp_avg": torch.zeros_like(like), "exp_avg_sq": torch.zeros_like(like)}

    def updates(
        self, moments: Moments, gradients: Tensor, group: Group, *, delayed: bool = False, total: float = 1.0
    ) -> Tensor:
        """d = m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps), m and v having seen the gradient (PUB, algorithm 1).

        Delayed: m has seen it, and v / (1 - b2^(t - 1)) has not. Both are computed in the order that saves passes over
        memory (Kingma and Ba 2015, end of section 2): with c1 = 1 - b1^t and c2 = sqrt(1 - b2^t), d is
        c2 / c1 m / (sqrt(v) + c2 eps).
        """
        beta_1, beta_2 = group["betas"]
        step = self._count(moments["step"]) + 1
        delayed = delayed and step > 1
        correction_1, correction_2 = 1 - beta_1**step, (1 - beta_2 ** (step - delayed)) ** 0.5
        scale = correction_2 / correction_1
        first = torch.add(scale * total * beta_1 * moments["exp_avg"], gradients, alpha=scale * (1 - beta_1))

        def present() -> Tensor:
            second: Tensor = (beta_2 * moments["exp_avg_sq"]).addcmul(gradients, gradients, value=1 - beta_2)
            return second.sqrt_()

        def corrected() -> Tensor:
            return present().mul_(correction_2 / (1 - beta_2**step) ** 0.5)

        root = divisor(moments["exp_avg_sq"].sqrt(), corrected) if delayed else present()
        return first.div_(root.add_(correction_2 * group["eps"]))

    def advance(self, moments: Moments, gradient: Tensor, group: Group) -> None:
        """m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2."""
        beta_1, beta_2 = group["betas"]
        moments["exp_avg"].lerp_(gradient, 1 - beta_1)
        moments["exp_avg_sq"].mul_(beta_2).addcmul_(gradient, gradient, value=1 - beta_2)

    def count(self, moments: Moments) -> None:
        """t <- t + 1."""
        count = self._count(moments["step"]) + 1
        moments["step"] += 1
        self.counts[id(moments["step"])] = moments["step"], moments["step"]._version, count

    def prepare(self, moments: Sequence[Moments]) -> None:
        """Read, in one transfer, the step counts that somebody else has written to, such as the optimizer itself.

        If one must be read, those of all other parameters come along, which this step may ask for next.
        """
        if all(self._knows(state["step"]) for state in moments):
            return
        states = [*moments, *(state for state in self.optimizer.state.values() if "step" in state)]
        steps = list({id(state["step"]): state["step"] for state in states if not self._knows(state["step"])}.values())
        for step, count in zip(steps, together(steps).tolist(), strict=True):
            self.counts[id(step)] = step, step._version, count

    def _knows(self, step: Tensor) -> bool:
        known, version, _ = self.counts.get(id(step), (None, 0, 0.0))
        return known is step and version == step._version

    def _count(self, step: Tensor) -> float:
        if not self._knows(step):
            self.counts[id(step)] = step, step._version, float(step)
        return self.counts[id(step)][2]
