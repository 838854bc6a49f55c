"""STL on rows: one model per task, and nothing shared."""

from __future__ import annotations

from torch import Tensor, nn

from mtbalance.models.backbone import Backbone, Tensors
from mtbalance.models.ranking._fields import Fields
from mtbalance.models.ranking._layers import Perceptron, Tower
from mtbalance.models.ranking._options import RankingShape, RankingSizes


class SingleTask(Backbone):
    """Embeddings, a perceptron of the experts' shape and a tower for each task. Nothing is shared.

    This is STL of the PUB paper. Joint training gives the same models as separate trainings would.
    """

    shares = False

    def __init__(self, shape: RankingShape, sizes: RankingSizes) -> None:
        super().__init__(shape.tasks)
        self.models = nn.ModuleList(_Model(shape, sizes) for _ in range(shape.tasks))

    def encode(self, inputs: Tensors) -> Tensors:
        """The inputs as they are."""
        return inputs

    def decode(self, representation: Tensors, task: int) -> Tensor:
        """Logits [B] of the task's own model."""
        logits: Tensor = self.models[task](*representation)
        return logits

    def own(self, task: int) -> nn.Module:
        """The task's own model."""
        return self.models[task]


class _Model(nn.Module):
    """The model of one task: (ids, numbers) -> logits [B]."""

    def __init__(self, shape: RankingShape, sizes: RankingSizes) -> None:
        super().__init__()
        self.fields = Fields(shape, sizes)
        self.bottom = Perceptron(self.fields.width, sizes.expert, sizes)
        self.tower = Tower(self.bottom.width, sizes)

    def forward(self, ids: Tensor, numbers: Tensor) -> Tensor:
        logits: Tensor = self.tower(self.bottom(self.fields(ids, numbers)))
        return logits
