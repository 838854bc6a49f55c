"""AdaTask (Yang et al. 2023): every task has moments of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.manipulations import Manipulation, known_update
from mtbalance.balancing.optimizers import MomentProposer, Moments, Proposer
from mtbalance.balancing.options import ManipulationOptions

ADATASK = "manipulation: adatask"


class AdaTask(Manipulation):
    """Task k's update is the optimizer's, from moments that have seen task k's gradients only.

    Source: Yang et al. 2023, algorithm 1 (AdaTask is this with equal weights). PUB's text leaves open which gradients
    the moments see; here they see raw gradients unless ``moment_weights`` says otherwise, so scaling a loss changes
    updates by no more than the optimizer's epsilon does. Memory: K times the optimizer's. Raises ``ValueError`` for an
    optimizer whose update is not known element by element.
    """

    moment_weights = "ones"

    def __init__(self, proposer: Proposer, options: ManipulationOptions) -> None:
        super().__init__(proposer, options)
        known_update(proposer, ADATASK)
        self.moments: dict[Parameter, Moments] = {}

    @property
    def known(self) -> MomentProposer:
        """The proposer of the optimizer's present options, whose formula must be known."""
        return known_update(self.proposer, ADATASK)

    @torch.no_grad()
    def propose(self, parameters: Sequence[Parameter], gradients: Sequence[Tensor]) -> list[Tensor]:
        """Updates [K, *shape], each from its task's own moments."""
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if parameter not in self.moments:
                group = self.proposer.groups[parameter]
                self.moments[parameter] = self.known.fresh(torch.zeros_like(gradient), group)
        self.known.prepare([self.moments[parameter] for parameter in parameters])
        return [
            self.known.propose_from(self.moments[parameter], parameter, gradient, delayed=self.delayed)
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]

    def commit(self, parameter: Parameter, gradients: Tensor, weights: Vector) -> None:
        """Let each task's moments see its own gradient, times its weight."""
        if (weights != 1).any():
            vector = torch.as_tensor(weights, dtype=gradients.dtype, device=gradients.device)
            gradients = gradients * vector.view(-1, *[1] * parameter.dim())
        self.known.commit(self.moments[parameter], parameter, gradients)

    def state_dict(self) -> dict[str, Any]:
        """The moments, by the parameter's position in the optimizer."""
        order = {parameter: position for position, parameter in enumerate(self.proposer.groups)}
        return {"moments": {order[parameter]: moments for parameter, moments in self.moments.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        order = list(self.proposer.groups)
        self.moments = {
            order[position]: {name: _on(value, order[position]) for name, value in moments.items()}
            for position, moments in state["moments"].items()
        }


def _on(value: Any, parameter: Parameter) -> Any:
    return value.to(parameter.device) if isinstance(value, Tensor) else value
