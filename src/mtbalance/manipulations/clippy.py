"""Clippy (Tang et al. 2023): a tensor's update is scaled down until no coordinate moves too far."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.gram import flattened
from mtbalance.manipulations import Manipulation
from mtbalance.optimizers import Moments, Optimizer

EPSILON = 1e-7
"""Inside the root of AdaGrad's accumulator, as in the authors' code."""
ABSOLUTE, ABSOLUTE_ADAGRAD = 1e-4, 1e-7


class Clippy(Manipulation):
    """Scale each task's update of a tensor by sigma = min(1, min_j allowed_j / |lr d_j|).

    Source: Tang et al. 2023, algorithm 1. What a coordinate theta_j may move in a step is

        allowed_j = relative |theta_j| + accumulator / sqrt(v_j) + absolute

    With AdaGrad this is the original: v begins at ``initial_accumulator``, d = g / sqrt(v + 1e-7), and v is the sum
    *before* g^2 is added (``preconditioner: delayed``; ``present`` is the standard order); defaults are those of the
    authors' code (TensorFlow Recommenders), which recommends lr 1 for the paper's form. What v adds is the raw
    gradient's square; that code can clip it too, which is not offered here.

    With Adam and RMSProp it acts on their own updates, as PUB does for Adam, and without the term of v. The released
    Adam form has ``relative`` 0.5 and ``absolute`` 0.01; a step of Adam at lr 1e-3 never exceeds 7.3e-3, so those never
    clip. These defaults can; ``clip_rate`` in the diagnostics is the share of task updates of tensors that were scaled
    down.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        preconditioner: str | None = None,
        relative: float = 0.1,
        absolute: float | None = None,
        accumulator: float = 0.0,
        initial_accumulator: float = 0.1,
    ) -> None:
        self.original = optimizer.accumulator is not None
        super().__init__(optimizer, preconditioner=preconditioner)
        self.relative, self.accumulator, self.initial_accumulator = relative, accumulator, initial_accumulator
        self.absolute = absolute if absolute is not None else ABSOLUTE_ADAGRAD if self.original else ABSOLUTE
        self.clipped, self.proposed = 0, 0

    def default_preconditioner(self) -> str:
        """The authors' for AdaGrad; the optimiser's own for others."""
        return "delayed" if self.original else "present"

    @torch.no_grad()
    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """The optimiser's updates [K, *shape], each times its own sigma."""
        moments = self._moments(parameter)
        updates = self.optimizer.propose(parameter, gradients, moments, delayed=self.delayed)
        factors = clip_factors(self.optimizer.lr * updates, self._allowed(parameter, moments))
        clipped = int((factors < 1).sum())
        self.clipped += clipped
        self.proposed += len(factors)
        return updates.mul_(factors.view(-1, *[1] * parameter.dim())) if clipped else updates

    def _moments(self, parameter: Parameter) -> Moments:
        """The optimiser's; an accumulator that began at 0.1, with epsilon, is one that began at zero and these two."""
        moments = self.optimizer.moments(parameter)
        if not self.original:
            return moments
        name = self.optimizer.accumulator
        return moments | {name: moments[name] + (self.initial_accumulator + EPSILON)}

    def _allowed(self, parameter: Parameter, moments: Moments) -> Tensor:
        allowed = self.relative * parameter.abs() + self.absolute
        if self.original and self.accumulator:
            allowed = allowed + self.accumulator * moments[self.optimizer.accumulator].rsqrt()
        return allowed

    def diagnostics(self) -> dict[str, float]:
        """The clip rate."""
        rate = self.clipped / max(self.proposed, 1)
        self.clipped, self.proposed = 0, 0
        return {"clip_rate": rate}

    def state_dict(self) -> dict[str, Any]:
        """The counts of the clip rate."""
        return {"clipped": self.clipped, "proposed": self.proposed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.clipped, self.proposed = state["clipped"], state["proposed"]


def clip_factors(steps: Tensor, allowed: Tensor) -> Tensor:
    """sigma [K] of steps [K, *shape]: 1, or the largest factor with |sigma step_j| <= allowed_j.

    A coordinate that does not move does not limit.
    """
    if not allowed.numel():
        return steps.new_ones(len(steps))
    ratios = steps.abs()
    torch.div(allowed, ratios, out=ratios)  # infinite for what does not move, but 0/0 where it may not move either
    if not allowed.all():
        ratios.nan_to_num_(nan=1.0)
    return flattened(ratios).amin(dim=1).clamp(max=1.0)
