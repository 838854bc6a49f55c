"""Shared bottom (Caruana 1997)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mtbalance.backbones import Backbone, Representation
from mtbalance.config import ModelConfig
from mtbalance.layers import Fields, Perceptron, Tower


class SharedBottom(Backbone):
    """One perceptron for all tasks, then a tower each. The representation is the bottom's output [B, width]."""

    def __init__(self, cardinalities: Sequence[int], numbers: int, tasks: int, model: ModelConfig) -> None:
        super().__init__(tasks)
        self.fields = Fields(cardinalities, numbers, model.embedding)
        self.bottom = Perceptron(self.fields.width, model.expert, model)
        self.towers = nn.ModuleList(Tower(self.bottom.width, model) for _ in range(tasks))

    def encode(self, inputs: tuple[Tensor, Tensor]) -> Representation:
        """The bottom's output [B, width]."""
        return (self.bottom(self.fields(*inputs)),)

    def decode(self, representation: Representation, task: int) -> Tensor:
        """Logits [B] of the task's tower."""
        return self.towers[task](*representation)
