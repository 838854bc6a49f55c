"""Shared bottom (Caruana 1997)."""

from __future__ import annotations

from torch import Tensor, nn

from mtbalance.models.backbone import Tensors
from mtbalance.models.ranking._layers import Perceptron, Tower
from mtbalance.models.ranking._options import Place, RankingShape, RankingSizes
from mtbalance.models.ranking._trunk import TrunkBackbone


class SharedBottom(TrunkBackbone):
    """One perceptron for all tasks, then a tower each. Tasks fork at the bottom's output [B, width]."""

    def __init__(
        self,
        shape: RankingShape,
        sizes: RankingSizes,
        *,
        representation: Place = "fork",
    ) -> None:
        super().__init__(shape, sizes, representation)
        self.bottom = Perceptron(self.fields.width, sizes.expert, sizes)
        self.towers = nn.ModuleList(Tower(self.bottom.width, sizes) for _ in range(self.tasks))

    def trunk(self, fields: Tensor) -> Tensors:
        """The bottom's output [B, width]."""
        return (self.bottom(fields),)

    def head(self, hidden: Tensors, task: int) -> Tensor:
        """Logits [B] of the task's tower."""
        logits: Tensor = self.towers[task](*hidden)
        return logits
