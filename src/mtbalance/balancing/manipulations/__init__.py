"""Manipulation: a change of each task's update before the updates are combined (UMM in PUB). One per file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.optimizers import MomentProposer, Proposer
from mtbalance.balancing.options import MANIPULATIONS, ManipulationOptions
from mtbalance.balancing.proposals import refreshed
from mtbalance.balancing.rows import combine
from mtbalance.registry import entry


class Manipulation:
    """No manipulation: updates are the optimizer's, from moments that all tasks share. The base of the others."""

    moment_weights: ClassVar[str] = "rescaled"
    """Default of the option ``moment_weights``."""

    def __init__(self, proposer: Proposer, options: ManipulationOptions) -> None:
        self.proposer = proposer
        self.delayed = (options.preconditioner or self.default_preconditioner()) == "delayed"
        if self.delayed:
            known_update(proposer, "preconditioner: delayed")

    def default_preconditioner(self) -> str:
        """Default of the option ``preconditioner``."""
        return "present"

    def refresh(self) -> Proposer:
        """The proposer of the optimizer as its groups and options are by now; call it before the updates of a step."""
        self.proposer = refreshed(self.proposer)
        if self.delayed:
            known_update(self.proposer, "preconditioner: delayed")
        return self.proposer

    def propose(self, parameters: Sequence[Parameter], gradients: Sequence[Tensor]) -> list[Tensor]:
        """Updates [K, *shape] for the tasks' gradients [K, *shape] of each parameter; the moments stay as they are."""
        return self.proposer.propose(parameters, gradients, delayed=self.delayed)

    def commit(self, parameter: Parameter, gradients: Tensor, weights: Vector) -> Tensor | None:
        """The gradient that the optimizer's moments see: the tasks' [K, *shape], weighted by ``weights`` [K].

        A manipulation with moments of its own sees to them here, and returns None.
        """
        return combine(gradients, weights)

    def counts(self) -> list[Tensor]:
        """Numbers about the updates proposed since the last :meth:`diagnostics`; they stay on the device."""
        return []

    def diagnostics(self, counts: Vector) -> dict[str, float]:
        """What :meth:`counts` mean, now that they have been read."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Memory beside the optimizer's."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""


def known_update(proposer: Proposer, option: str) -> MomentProposer:
    """The proposer, if the formula of its update is known. Raises ``ValueError`` that names the option otherwise."""
    if isinstance(proposer, MomentProposer):
        return proposer
    kind = type(proposer.optimizer).__name__
    raise ValueError(
        f"{option} needs the formula of the update, which is known for Adam, AdamW, AdaGrad, RMSProp and "
        f"SGD without rare options, but not for this {kind}"
    )


def build_manipulation(proposer: Proposer, options: ManipulationOptions) -> Manipulation:
    """The manipulation that a level's options name, on the updates of ``proposer``."""
    if options.manipulation == "none":
        return Manipulation(proposer, options)
    return entry(MANIPULATIONS, options.manipulation, Manipulation)(proposer, options)
