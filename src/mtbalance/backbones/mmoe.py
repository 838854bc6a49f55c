"""Multi-gate mixture of experts (Ma et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mtbalance.backbones import Backbone, Representation
from mtbalance.config import ModelConfig
from mtbalance.layers import Experts, Fields, Gate, Tower


class Mmoe(Backbone):
    """Experts shared by all tasks; each task's gate mixes them for its tower.

    Every task has a mixture of its own, so there is no single hidden layer before the towers: the representation is
    the experts' outputs [B, E, width] together with the gates' input [B, fields].
    """

    def __init__(
        self, cardinalities: Sequence[int], numbers: int, tasks: int, model: ModelConfig, *, experts: int
    ) -> None:
        super().__init__(tasks)
        self.fields = Fields(cardinalities, numbers, model.embedding)
        self.experts = Experts(experts, self.fields.width, model.expert, model)
        self.gates = nn.ModuleList(Gate(self.fields.width, experts) for _ in range(tasks))
        self.towers = nn.ModuleList(Tower(self.experts.width, model) for _ in range(tasks))

    def encode(self, inputs: tuple[Tensor, Tensor]) -> Representation:
        """The experts' outputs [B, E, width] and the gates' input [B, fields]."""
        fields = self.fields(*inputs)
        return self.experts(fields), fields

    def decode(self, representation: Representation, task: int) -> Tensor:
        """Logits [B] of the task's tower on its mixture."""
        experts, fields = representation
        return self.towers[task](self.gates[task](fields, experts))
