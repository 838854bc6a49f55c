"""Multi-gate mixture of experts (Ma et al. 2018)."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn

from mtbalance.blocks import Count
from mtbalance.models.backbone import Tensors
from mtbalance.models.ranking._layers import Experts, Gate, Tower
from mtbalance.models.ranking._options import Place, RankingShape, RankingSizes
from mtbalance.models.ranking._trunk import TrunkBackbone


class MMoE(TrunkBackbone):
    """Experts shared by all tasks; each task's gate mixes them for its tower.

    Every task has a mixture of its own, so no single hidden layer lies before the towers. Tasks fork at the experts'
    outputs [E, width, B] together with the gates' input [B, fields].
    """

    def __init__(
        self,
        shape: RankingShape,
        sizes: RankingSizes,
        *,
        experts: Annotated[Count, "Experts, shared by all tasks."] = 8,
        representation: Place = "fork",
    ) -> None:
        super().__init__(shape, sizes, representation)
        self.experts = Experts(experts, self.fields.width, sizes.expert, sizes)
        self.gates = nn.ModuleList(Gate(self.fields.width, experts) for _ in range(self.tasks))
        self.towers = nn.ModuleList(Tower(self.experts.width, sizes) for _ in range(self.tasks))

    def trunk(self, fields: Tensor) -> Tensors:
        """The experts' outputs [E, width, B] and the gates' input [B, fields]."""
        return self.experts(fields), fields

    def head(self, hidden: Tensors, task: int) -> Tensor:
        """Logits [B] of the task's tower on its mixture."""
        experts, fields = hidden
        logits: Tensor = self.towers[task](self.gates[task](fields, experts))
        return logits
