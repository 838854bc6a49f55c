"""Multi-gate mixture of experts (Ma et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mtbalance.backbones import Representation
from mtbalance.config import ModelConfig
from mtbalance.layers import Experts, Gate, Tower
from mtbalance.shared_backbone import Place, SharedBackbone


class Mmoe(SharedBackbone):
    """Experts shared by all tasks; each task's gate mixes them for its tower.

    Every task has a mixture of its own, so there is no single hidden layer before the towers: tasks fork at the
    experts' outputs [B, E, width] together with the gates' input [B, fields].
    """

    def __init__(
        self,
        cardinalities: Sequence[int],
        numbers: int,
        tasks: int,
        model: ModelConfig,
        *,
        experts: int,
        representation: Place = "fork",
    ) -> None:
        super().__init__(cardinalities, numbers, tasks, model, representation)
        self.experts = Experts(experts, self.fields.width, model.expert, model)
        self.gates = nn.ModuleList(Gate(self.fields.width, experts) for _ in range(tasks))
        self.towers = nn.ModuleList(Tower(self.experts.width, model) for _ in range(tasks))

    def trunk(self, fields: Tensor) -> Representation:
        """The experts' outputs [B, E, width] and the gates' input [B, fields]."""
        return self.experts(fields), fields

    def head(self, hidden: Representation, task: int) -> Tensor:
        """Logits [B] of the task's tower on its mixture."""
        experts, fields = hidden
        return self.towers[task](self.gates[task](fields, experts))
