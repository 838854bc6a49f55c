"""Single-task learning on scenes: a SegNet a task."""

from __future__ import annotations

from torch import Tensor, nn

from mtbalance.backbones import Backbone, Representation
from mtbalance.config import SceneModelConfig
from mtbalance.segnet_layers import SegNet, initialise, scene_heads


class Segnet(Backbone):
    """A SegNet (Badrinarayanan et al. 2017) and a head for each task; nothing is shared.

    Trained jointly it gives what separate trainings give, except that they stop together (STL of the PUB paper).
    """

    def __init__(self, classes: int, model: SceneModelConfig) -> None:
        super().__init__(tasks=3)
        self.trunks = nn.ModuleList(SegNet(model.width) for _ in range(self.tasks))
        self.heads = scene_heads(model.width, classes)
        initialise(self)

    def encode(self, inputs: tuple[Tensor]) -> Representation:
        """The inputs as they are."""
        return inputs

    def decode(self, representation: Representation, task: int) -> Tensor:
        """The task's output [B, ., H, W] from a network of its own."""
        stages = self.trunks[task](*representation)
        return self.heads[task](stages[-1][1])
