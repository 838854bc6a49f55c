"""Shared bottom (Caruana 1997)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mtbalance.backbones import Representation
from mtbalance.config import ModelConfig
from mtbalance.layers import Perceptron, Tower
from mtbalance.shared_backbone import Place, SharedBackbone


class SharedBottom(SharedBackbone):
    """One perceptron for all tasks, then a tower each. Tasks fork at the bottom's output [B, width]."""

    def __init__(
        self,
        cardinalities: Sequence[int],
        numbers: int,
        tasks: int,
        model: ModelConfig,
        *,
        representation: Place = "fork",
    ) -> None:
        super().__init__(cardinalities, numbers, tasks, model, representation)
        self.bottom = Perceptron(self.fields.width, model.expert, model)
        self.towers = nn.ModuleList(Tower(self.bottom.width, model) for _ in range(tasks))

    def trunk(self, fields: Tensor) -> Representation:
        """The bottom's output [B, width]."""
        return (self.bottom(fields),)

    def head(self, hidden: Representation, task: int) -> Tensor:
        """Logits [B] of the task's tower."""
        return self.towers[task](*hidden)
