"""AdaTask (Yang et al. 2023): every task has moments of its own."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.manipulations import Manipulation
from mtbalance.balancing.optimizers import Moments, Optimizer
from mtbalance.balancing.options import ManipulationOptions


class AdaTask(Manipulation):
    """Task k's update is the optimizer's, from moments that have seen task k's gradients only.

    Source: Yang et al. 2023, algorithm 1 (AdaTask is this with equal weights). PUB's text leaves open which gradients
    the moments see; here they see raw gradients unless ``moment_weights`` says otherwise, so scaling a loss changes
    updates by no more than the optimizer's epsilon does. Memory: K times the optimizer's.
    """

    moment_weights = "ones"

    def __init__(self, optimizer: Optimizer, options: ManipulationOptions) -> None:
        super().__init__(optimizer, options)
        self.moments: dict[Parameter, Moments] = {}

    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """Updates [K, *shape], each from its task's own moments."""
        if parameter not in self.moments:
            self.moments[parameter] = self.optimizer.fresh(torch.zeros_like(gradients))
        return self.optimizer.propose(parameter, gradients, self.moments[parameter], delayed=self.delayed)

    def commit(self, parameter: Parameter, gradients: Tensor, weights: Vector) -> None:
        """Let each task's moments see its own gradient, times its weight."""
        if (weights != 1).any():
            vector = torch.as_tensor(weights, dtype=gradients.dtype, device=gradients.device)
            gradients = gradients * vector.view(-1, *[1] * parameter.dim())
        self.optimizer.commit(parameter, gradients, self.moments[parameter])

    def state_dict(self) -> dict[str, Any]:
        """The moments, by the parameter's position in the optimizer."""
        order = {parameter: position for position, parameter in enumerate(self.optimizer.parameters)}
        return {"moments": {order[parameter]: moments for parameter, moments in self.moments.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        self.moments = {}
        for position, moments in state["moments"].items():
            parameter = self.optimizer.parameters[position]
            self.moments[parameter] = {name: value.to(parameter.device) for name, value in moments.items()}
