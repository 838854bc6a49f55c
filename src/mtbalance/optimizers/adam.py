"""Adam (Kingma and Ba 2015), and with decoupled decay AdamW (Loshchilov and Hutter 2019)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.optimizers import Optimizer

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Adam(Optimizer):
    """Adam with betas (0.9, 0.999) and epsilon 1e-8 outside the square root, as in torch."""

    def _torch_optimizer(self) -> torch.optim.Optimizer:
        kind = torch.optim.AdamW if self.decoupled else torch.optim.Adam
        return kind(
            self.parameters,
            lr=self.lr,
            betas=(BETA_1, BETA_2),
            eps=EPSILON,
            weight_decay=self.weight_decay,
            fused=True,
        )

    @torch.no_grad()
    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """d_k = m_k / (1 - b1^t) / (sqrt(v_k / (1 - b2^t)) + eps), m_k and v_k having seen gradient k (PUB, alg. 1)."""
        state = self._state(parameter)
        step = float(state["step"]) + 1
        if not self.decoupled:
            gradients = gradients.add(parameter, alpha=self.weight_decay)
        first = torch.lerp(state["exp_avg"], gradients, 1 - BETA_1)
        second = (BETA_2 * state["exp_avg_sq"]).addcmul(gradients, gradients, value=1 - BETA_2)
        root = second.sqrt_().div_((1 - BETA_2**step) ** 0.5).add_(EPSILON)
        return first.div_(root).div_(1 - BETA_1**step)

    def _commit(self, parameter: Parameter, gradient: Tensor) -> None:
        state = self._state(parameter)
        state["step"] += 1
        state["exp_avg"].lerp_(gradient, 1 - BETA_1)
        state["exp_avg_sq"].mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)

    def _state(self, parameter: Parameter) -> dict[str, Tensor]:
        """The torch optimiser's state of ``parameter``, begun as it would begin it."""
        state = self.torch_optimizer.state[parameter]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        return state
