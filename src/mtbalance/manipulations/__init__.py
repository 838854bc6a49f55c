"""Update manipulations: what is done to each task's update before updates are combined (PUB's UMM). One a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.nn import Parameter

from mtbalance.optimizers import Optimizer
from mtbalance.registry import load


class Manipulation:
    """No manipulation: updates are the optimiser's, from the moments that all tasks share."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer

    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """Updates [K, *shape] for the tasks' gradients [K, *shape]; the moments stay as they are."""
        return self.optimizer.propose(parameter, gradients)

    def commit(self, parameter: Parameter, gradients: Tensor, joint: Tensor) -> None:
        """Let the moments see this step: the tasks' gradients [K, *shape] or their joint gradient [*shape]."""
        self.optimizer.commit(parameter, joint)

    def diagnostics(self) -> dict[str, float]:
        """Numbers about the updates proposed since the last call."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Memory that is not the optimiser's."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""


def build_manipulation(name: str, optimizer: Optimizer, clip: Mapping[str, float] | None = None) -> Manipulation:
    """The manipulation ``name``; ``none`` is none, and ``clip`` are Clippy's options."""
    if name == "none":
        return Manipulation(optimizer)
    options = clip if name == "clippy" and clip else {}
    return load("mtbalance.manipulations", name)(optimizer, **options)
