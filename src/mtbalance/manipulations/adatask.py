"""AdaTask (Yang et al. 2023): every task has moments of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.manipulations import Manipulation
from mtbalance.optimizers import Moments, Optimizer


class Adatask(Manipulation):
    """Task k's update is the optimiser's from moments that have seen task k's gradients only.

    Source: Yang et al. 2023, algorithm 1 (AdaTask is this with equal weights); with PUB the moments see raw gradients,
    not weighted ones, so that scaling a loss changes no update but for epsilon. Memory: K times the optimiser's.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        super().__init__(optimizer)
        self.moments: dict[Parameter, Moments] = {}

    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """Updates [K, *shape], each from its task's own moments."""
        if parameter not in self.moments:
            self.moments[parameter] = self.optimizer.fresh(torch.zeros_like(gradients))
        return self.optimizer.propose(parameter, gradients, self.moments[parameter])

    def commit(self, parameter: Parameter, gradients: Tensor, joint: Tensor) -> None:
        """Each task's moments see its gradient."""
        self.optimizer.commit(parameter, gradients, self.moments[parameter])

    def state_dict(self) -> dict[str, Any]:
        """The moments, by the parameter's position in the optimiser."""
        order = {parameter: position for position, parameter in enumerate(self.optimizer.parameters)}
        return {order[parameter]: moments for parameter, moments in self.moments.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        self.moments = {
            self.optimizer.parameters[position]: {
                name: value.to(self.optimizer.parameters[position].device) for name, value in moments.items()
            }
            for position, moments in state.items()
        }
