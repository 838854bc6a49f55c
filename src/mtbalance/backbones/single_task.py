"""Single-task learning: K models side by side."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from mtbalance.backbones import Backbone, Representation
from mtbalance.config import ModelConfig
from mtbalance.layers import Fields, Perceptron, Tower


class SingleTask(Backbone):
    """Embeddings, a perceptron of the experts' shape and a tower for each task; nothing is shared.

    Trained jointly it gives what separate trainings give, except that they stop together (STL of the PUB paper).
    """

    def __init__(self, cardinalities: Sequence[int], numbers: int, tasks: int, model: ModelConfig) -> None:
        super().__init__(tasks)
        self.columns = nn.ModuleList(_Column(cardinalities, numbers, model) for _ in range(tasks))

    def encode(self, inputs: tuple[Tensor, Tensor]) -> Representation:
        """The inputs as they are."""
        return inputs

    def decode(self, representation: Representation, task: int) -> Tensor:
        """Logits [B] of the task's own model."""
        return self.columns[task](representation)


class _Column(nn.Module):
    def __init__(self, cardinalities: Sequence[int], numbers: int, model: ModelConfig) -> None:
        super().__init__()
        self.fields = Fields(cardinalities, numbers, model.embedding)
        self.bottom = Perceptron(self.fields.width, model.expert, model)
        self.tower = Tower(self.bottom.width, model)

    def forward(self, inputs: Representation) -> Tensor:
        return self.tower(self.bottom(self.fields(*inputs)))
