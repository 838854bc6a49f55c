"""AdaTask (Yang et al. 2023): every task has moments of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter

from mtbalance.manipulations import Manipulation
from mtbalance.optimizers import Moments, Optimizer


class Adatask(Manipulation):
    """Task k's update is the optimiser's from moments that have seen task k's gradients only.

    Source: Yang et al. 2023, algorithm 1 (AdaTask is this with equal weights). With PUB, whose text leaves it open, the
    moments see raw gradients unless ``moment_weights`` says otherwise, so that scaling a loss changes no update but for
    epsilon. Memory: K times the optimiser's.
    """

    moment_weights = "ones"

    def __init__(self, optimizer: Optimizer, *, preconditioner: str | None = None) -> None:
        super().__init__(optimizer, preconditioner=preconditioner)
        self.moments: dict[Parameter, Moments] = {}

    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """Updates [K, *shape], each from its task's own moments."""
        if parameter not in self.moments:
            self.moments[parameter] = self.optimizer.fresh(torch.zeros_like(gradients))
        return self.optimizer.propose(parameter, gradients, self.moments[parameter], delayed=self.delayed)

    def commit(self, parameter: Parameter, gradients: Tensor, weights: NDArray[np.float64]) -> None:
        """Each task's moments see its own gradient, times its weight."""
        if (weights != 1).any():
            vector = torch.as_tensor(weights, dtype=gradients.dtype, device=gradients.device)
            gradients = gradients * vector.view(-1, *[1] * parameter.dim())
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
