"""Update manipulations: what is done to each task's update before updates are combined (PUB's UMM). One a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import Parameter

from mtbalance.gram import combine
from mtbalance.optimizers import Optimizer
from mtbalance.registry import load


class Manipulation:
    """No manipulation: updates are the optimiser's, from the moments that all tasks share.

    ``preconditioner``: whether the divisor of an update has seen its own gradient (``present``) or not (``delayed``).
    """

    moment_weights: ClassVar[str] = "rescaled"
    """Which weights the gradients have that the moments see, where nothing is said (``moment_weights``)."""

    def __init__(self, optimizer: Optimizer, *, preconditioner: str | None = None) -> None:
        self.optimizer = optimizer
        self.delayed = (preconditioner or self.default_preconditioner()) == "delayed"

    def default_preconditioner(self) -> str:
        """The preconditioner where nothing is said."""
        return "present"

    def propose(self, parameter: Parameter, gradients: Tensor) -> Tensor:
        """Updates [K, *shape] for the tasks' gradients [K, *shape]; the moments stay as they are."""
        return self.optimizer.propose(parameter, gradients, delayed=self.delayed)

    def commit(self, parameter: Parameter, gradients: Tensor, weights: NDArray[np.float64]) -> None:
        """Let the moments see this step: the tasks' gradients [K, *shape], weighed by ``weights`` [K]."""
        self.optimizer.commit(parameter, combine(gradients, weights))

    def diagnostics(self) -> dict[str, float]:
        """Numbers about the updates proposed since the last call."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Memory that is not the optimiser's."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""


def build_manipulation(
    name: str, optimizer: Optimizer, clip: Mapping[str, float | None] | None = None, preconditioner: str | None = None
) -> Manipulation:
    """The manipulation ``name``; ``none`` is none, and ``clip`` are Clippy's options."""
    if name == "none":
        return Manipulation(optimizer, preconditioner=preconditioner)
    options = clip if name == "clippy" and clip else {}
    return load("mtbalance.manipulations", name)(optimizer, preconditioner=preconditioner, **options)
