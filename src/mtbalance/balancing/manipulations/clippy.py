"""Clippy (Tang et al. 2023): a tensor's update is scaled down until no coordinate moves too far."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.manipulations import Manipulation
from mtbalance.balancing.optimizers import Moments, Optimizer
from mtbalance.balancing.options import ManipulationOptions
from mtbalance.balancing.rows import flattened

EPSILON = 1e-7
"""Added to AdaGrad's accumulator under the root, as in the authors' code."""
ABSOLUTE, ABSOLUTE_ADAGRAD = 1e-4, 1e-7
"""Defaults of the option ``absolute``."""


class Clippy(Manipulation):
    """Scale each task's update of a tensor by sigma = min(1, min_j allowed_j / |lr d_j|).

    Source: Tang et al. 2023, algorithm 1. A coordinate theta_j may move in one step by

        allowed_j = relative |theta_j| + accumulator / sqrt(v_j) + absolute

    With AdaGrad this is the original: v begins at ``initial_accumulator``, d = g / sqrt(v + 1e-7), and v is the sum
    *before* g^2 is added (``preconditioner: delayed``; ``present`` is the standard order). The defaults are those of
    the authors' code (TensorFlow Recommenders), which recommends lr 1 for the paper's form. The square of the raw
    gradient is added to v; the authors' code can add the clipped one instead, which is not offered here.

    With Adam and RMSProp it acts on their own updates, as PUB does for Adam, and without the term of v. The released
    Adam form has ``relative`` 0.5 and ``absolute`` 0.01. A step of Adam at lr 1e-3 never exceeds 7.3e-3, so those
    values never clip; the defaults here can. ``clip_rate`` in the diagnostics is the share of updates (one per task and
    tensor) that were scaled down.
    """

    def __init__(self, optimizer: Optimizer, options: ManipulationOptions) -> None:
        self.original = optimizer.accumulator is not None
        super().__init__(optimizer, options)
        self.clip = options.clip
        default = ABSOLUTE_ADAGRAD if self.original else ABSOLUTE
        self.absolute = default if self.clip.absolute is None else self.clip.absolute
        self.clipped, self.proposed = 0, 0

    def default_preconditioner(self) -> str:
        """The authors' for AdaGrad; for others, the optimizer's own."""
        return "delayed" if self.original else "present"

    @torch.no_grad()
    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """The optimizer's updates [K, *shape], each times its own sigma."""
        moments = self._moments(parameter)
        updates = self.optimizer.propose(parameter, gradients, moments, delayed=self.delayed)
        factors = clip_factors(self.optimizer.lr * updates, self._allowed(parameter, moments))
        clipped = int((factors < 1).sum())
        self.clipped += clipped
        self.proposed += len(factors)
        return updates.mul_(factors.view(-1, *[1] * parameter.dim())) if clipped else updates

    def _moments(self, parameter: Parameter) -> Moments:
        """The optimizer's moments. Torch's accumulator begins at zero, so its beginning and epsilon are added here."""
        moments = self.optimizer.moments(parameter)
        name = self.optimizer.accumulator
        return moments if name is None else moments | {name: moments[name] + (self.clip.initial_accumulator + EPSILON)}

    def _allowed(self, parameter: Parameter, moments: Moments) -> Tensor:
        allowed = self.clip.relative * parameter.abs() + self.absolute
        if self.optimizer.accumulator is not None and self.clip.accumulator:
            allowed = allowed + self.clip.accumulator * moments[self.optimizer.accumulator].rsqrt()
        return allowed

    def diagnostics(self) -> dict[str, float]:
        """The clip rate since the last call."""
        rate = self.clipped / max(self.proposed, 1)
        self.clipped, self.proposed = 0, 0
        return {"clip_rate": rate}

    def state_dict(self) -> dict[str, Any]:
        """The two counts that the clip rate is computed from."""
        return {"clipped": self.clipped, "proposed": self.proposed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.clipped, self.proposed = state["clipped"], state["proposed"]


def clip_factors(steps: Tensor, allowed: Tensor) -> Tensor:
    """Factors sigma [K] for steps [K, *shape]: 1, or the largest one with |sigma step_j| <= allowed_j for all j.

    A coordinate that does not move sets no limit.
    """
    if not allowed.numel():
        return steps.new_ones(len(steps))
    ratios = steps.abs()
    torch.div(allowed, ratios, out=ratios)  # infinite where nothing moves, but 0/0 where nothing may move either
    if not allowed.all():
        ratios.nan_to_num_(nan=1.0)
    return flattened(ratios).amin(dim=1).clamp(max=1.0)
