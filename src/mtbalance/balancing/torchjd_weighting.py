"""Rules as weightings of the library TorchJD, for its aggregators and its engine. Needs the extra ``torchjd``."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torchjd.aggregation import Weighting

from mtbalance.balancing.rules import GramRule


class RuleWeighting(Weighting[Tensor]):
    """A rule that TorchJD calls with a Gram matrix [K, K]; see :func:`as_weighting`."""

    def __init__(self, rule: GramRule) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, stat: Tensor, /) -> Tensor:
        """The rule's weights [K], of the type and on the device of the Gram matrix ``stat``; without a graph."""
        gram = stat.detach().cpu().double().numpy()
        if gram.shape != (self.rule.tasks, self.rule.tasks):
            raise ValueError(f"a Gram matrix of shape {gram.shape} for a rule of {self.rule.tasks} tasks")
        weights = self.rule.weights(gram, np.ones(self.rule.tasks))
        return torch.as_tensor(weights, dtype=stat.dtype, device=stat.device)

    def get_extra_state(self) -> dict[str, object]:
        """The rule's memory, as a part of the module's ``state_dict``."""
        return self.rule.state_dict()

    def set_extra_state(self, state: dict[str, object]) -> None:
        """Take back the rule's memory."""
        self.rule.load_state_dict(state)


def as_weighting(rule: GramRule) -> RuleWeighting:
    """A weighting of TorchJD that gives the weights of ``rule``, on the scale of a sum of losses.

    ``GramianWeightedAggregator(as_weighting(rule))`` is an aggregator for ``torchjd.autojac``; the weighting itself is
    for ``torchjd.autogram``. The rule's memory is in the module's ``state_dict``. TorchJD tells a weighting nothing of
    the losses, so the rule sees ones: GradNorm cannot follow training rates, and min_norm cannot normalize by losses.
    The Gram matrix is of all that TorchJD differentiates by, also for rules that see the last shared layer only.
    Raises ``TypeError`` for a rule that does not work on a Gram matrix.
    """
    if not isinstance(rule, GramRule):
        raise TypeError(
            f"{type(rule).__name__} needs something else than a Gram matrix: TorchJD's weightings are for GramRules"
        )
    return RuleWeighting(rule)
