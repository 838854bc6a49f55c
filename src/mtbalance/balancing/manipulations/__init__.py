"""Manipulation: a change of each task's update before the updates are combined (UMM in PUB). One per file."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.optimizers import Optimizer
from mtbalance.balancing.options import MANIPULATIONS, ManipulationOptions
from mtbalance.balancing.rows import combine
from mtbalance.registry import entry


class Manipulation:
    """No manipulation: updates are the optimizer's, from moments that all tasks share. The base of the others."""

    moment_weights: ClassVar[str] = "rescaled"
    """Default of the option ``moment_weights``."""

    def __init__(self, optimizer: Optimizer, options: ManipulationOptions) -> None:
        self.optimizer = optimizer
        self.delayed = (options.preconditioner or self.default_preconditioner()) == "delayed"

    def default_preconditioner(self) -> str:
        """Default of the option ``preconditioner``."""
        return "present"

    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """Updates [K, *shape] for the tasks' gradients [K, *shape]; the moments stay as they are."""
        return self.optimizer.propose(parameter, gradients, delayed=self.delayed)

    def commit(self, parameter: Parameter, gradients: Tensor, weights: Vector) -> None:
        """Let the moments see this step: the tasks' gradients [K, *shape], weighted by ``weights`` [K]."""
        self.optimizer.commit(parameter, combine(gradients, weights))

    def diagnostics(self) -> dict[str, float]:
        """Numbers about the updates proposed since the last call."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Memory beside the optimizer's."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""


def build_manipulation(optimizer: Optimizer, options: ManipulationOptions) -> Manipulation:
    """The manipulation that a level's options name, on the updates of ``optimizer``."""
    if options.manipulation == "none":
        return Manipulation(optimizer, options)
    return entry(MANIPULATIONS, options.manipulation, Manipulation)(optimizer, options)
