"""Clippy (Tang et al. 2023): a tensor's update is scaled down until no coordinate moves too far."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.manipulations import Manipulation
from mtbalance.optimizers import Optimizer


class Clippy(Manipulation):
    """Scale each task's update of a tensor by sigma = min(1, min_j (relative |theta_j| + absolute) / |lr d_j|).

    Source: Tang et al. 2023, algorithm 1, for the optimiser at hand, as PUB does for Adam. The released Adam form has
    ``relative`` 0.5 and ``absolute`` 0.01; a step of Adam at lr 1e-3 never exceeds 7.3e-3, so those never clip. These
    defaults can; ``clip_rate`` in the diagnostics is the share of task updates of tensors that were scaled down.
    """

    def __init__(self, optimizer: Optimizer, *, relative: float = 0.1, absolute: float = 1e-4) -> None:
        super().__init__(optimizer)
        self.relative, self.absolute = relative, absolute
        self.clipped, self.proposed = 0, 0

    @torch.no_grad()
    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """The optimiser's updates [K, *shape], each times its own sigma."""
        updates = super().propose(parameter, gradients)
        factors = clip_factors(self.optimizer.lr * updates, parameter, self.relative, self.absolute)
        self.clipped += int((factors < 1).sum())
        self.proposed += len(factors)
        return updates.mul_(factors.view(-1, *[1] * parameter.dim()))

    def diagnostics(self) -> dict[str, float]:
        """The clip rate."""
        rate = self.clipped / max(self.proposed, 1)
        self.clipped, self.proposed = 0, 0
        return {"clip_rate": rate}


def clip_factors(steps: Tensor, parameter: Tensor, relative: float, absolute: float) -> Tensor:
    """sigma [K] of steps [K, *shape]: 1, or the largest factor with |sigma step_j| <= relative |theta_j| + absolute.

    A coordinate that does not move does not limit.
    """
    allowed = relative * parameter.abs() + absolute
    ratios = torch.where(steps == 0, 1.0, allowed / steps.abs())
    return ratios.flatten(1).amin(dim=1).clamp(max=1.0) if parameter.numel() else ratios.new_ones(len(steps))
