"""Clippy (Tang et al. 2023): a tensor's update is scaled down until no coordinate moves too far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.manipulations import Manipulation, known_update
from mtbalance.balancing.optimizers import Proposer
from mtbalance.balancing.options import ManipulationOptions
from mtbalance.balancing.rows import flattened

EPSILON = 1e-7
"""Added to AdaGrad's accumulator under the root, as in the authors' code."""
ABSOLUTE_ADAGRAD = 1e-7
"""Default of the option ``absolute`` with AdaGrad, as in the authors' code."""


class Clippy(Manipulation):
    """Scale each task's update of a tensor by sigma = min(1, min_j allowed_j / |lr d_j|).

    Source: Tang et al. 2023, algorithm 1. A coordinate theta_j may move in one step by

        allowed_j = relative |theta_j| + accumulator / sqrt(v_j) + absolute

    With AdaGrad this is the original: v begins at ``initial_accumulator``, d = g / sqrt(v + 1e-7), and v is the sum
    *before* g^2 is added (``preconditioner: delayed``; ``present`` is the standard order). The defaults are those of
    the authors' code (TensorFlow Recommenders), which recommends lr 1 for the paper's form. The square of the raw
    gradient is added to v; the authors' code can add the clipped one instead, which is not offered here.

    With Adam and RMSProp it acts on their own updates, as PUB does for Adam, and without the term of v. The default of
    ``absolute`` is then the learning rate, at its present value: a coordinate may always move as far as it does for
    gradients that stay the same, so a tensor is scaled down where one of its coordinates moves farther. The released
    Adam form has ``relative`` 0.5 and ``absolute`` 0.01. A step of Adam at lr 1e-3 never exceeds 7.3e-3, so those
    values never clip. ``clip_rate`` in the diagnostics is the share of updates (one per task and tensor) that were
    scaled down.
    """

    def __init__(self, proposer: Proposer, options: ManipulationOptions) -> None:
        self.original = proposer.accumulator is not None
        super().__init__(proposer, options)
        self.clip = options.clip
        self.clipped: list[Tensor] = []
        self.proposed = 0

    @property
    def absolute(self) -> float:
        """The absolute limit of this step."""
        if self.clip.absolute is not None:
            return self.clip.absolute
        return ABSOLUTE_ADAGRAD if self.original else self.proposer.unit

    def default_preconditioner(self) -> str:
        """The authors' for AdaGrad; for others, the optimizer's own."""
        return "delayed" if self.original else "present"

    @torch.no_grad()
    def propose(self, parameters: Sequence[Parameter], gradients: Sequence[Tensor]) -> list[Tensor]:
        """The optimizer's updates [K, *shape], each times its own sigma."""
        updates = self._original(parameters, gradients) if self.original else super().propose(parameters, gradients)
        return [self._shortened(parameter, update) for parameter, update in zip(parameters, updates, strict=True)]

    def _shortened(self, parameter: Parameter, updates: Tensor) -> Tensor:
        factors = clip_factors(self.proposer.unit * updates, self._allowed(parameter), positive=self.absolute > 0)
        self.clipped.append((factors < 1).sum(dtype=torch.float32))
        self.proposed += len(factors)
        return updates.mul_(factors.view(-1, *[1] * parameter.dim()))

    def _original(self, parameters: Sequence[Parameter], gradients: Sequence[Tensor]) -> list[Tensor]:
        """Updates with an accumulator that begins above zero, as torch's need not."""
        known = known_update(self.proposer, "manipulation: clippy")
        return [
            known.propose_from(
                known.moments(parameter) | {str(known.accumulator): self._accumulated(parameter)},
                parameter,
                gradient,
                delayed=self.delayed,
            )
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]

    def _accumulated(self, parameter: Parameter) -> Tensor:
        """v. Torch's accumulator begins at zero, so Clippy's beginning and epsilon are added here."""
        moments = known_update(self.proposer, "manipulation: clippy").moments(parameter)
        total: Tensor = moments[str(self.proposer.accumulator)]
        return total + (self.clip.initial_accumulator + EPSILON)

    def _allowed(self, parameter: Parameter) -> Tensor:
        allowed = self.clip.relative * parameter.abs() + self.absolute
        if self.original and self.clip.accumulator:
            allowed = allowed + self.clip.accumulator * self._accumulated(parameter).rsqrt()
        return allowed

    def counts(self) -> list[Tensor]:
        """The number of clipped updates since the last call of :meth:`diagnostics`."""
        if len(self.clipped) > 1:
            device = self.clipped[-1].device
            self.clipped = [torch.stack([count.to(device) for count in self.clipped]).sum()]
        return self.clipped

    def diagnostics(self, counts: Vector) -> dict[str, float]:
        """The clip rate since the last call."""
        rate = float(counts.sum()) / max(self.proposed, 1)
        self.clipped, self.proposed = [], 0
        return {"clip_rate": rate}

    def state_dict(self) -> dict[str, Any]:
        """The two counts that the clip rate is computed from."""
        return {"clipped": sum(map(float, self.counts())), "proposed": self.proposed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.clipped, self.proposed = [torch.tensor(float(state["clipped"]))], state["proposed"]


def clip_factors(steps: Tensor, allowed: Tensor, *, positive: bool = False) -> Tensor:
    """Factors sigma [K] for steps [K, *shape]: 1, or the largest one with |sigma step_j| <= allowed_j for all j.

    A coordinate that does not move sets no limit. ``positive`` promises that no limit is zero, which saves a pass.
    """
    if not allowed.numel():
        return steps.new_ones(len(steps))
    ratios = steps.abs()
    torch.div(allowed, ratios, out=ratios)  # infinite where nothing moves, but 0/0 where nothing may move either
    if not positive:
        ratios.nan_to_num_(nan=1.0)
    return flattened(ratios).amin(dim=1).clamp(max=1.0)
