"""STL on scenes: one SegNet per task, and nothing shared. The network itself is in ``_layers``."""

from __future__ import annotations

from torch import Tensor, nn

from mtbalance.models.backbone import Backbone, Tensors
from mtbalance.models.scenes._layers import SegNet, initialize, scene_heads
from mtbalance.models.scenes._options import SceneSizes


class SingleTaskSegNet(Backbone):
    """A SegNet (Badrinarayanan et al. 2017) and a head for each task. Nothing is shared.

    This is STL of the PUB paper. Joint training gives the same models as separate trainings would.
    """

    shares = False

    def __init__(self, classes: int, model: SceneSizes) -> None:
        super().__init__(tasks=3)
        self.trunks = nn.ModuleList(SegNet(model.width) for _ in range(self.tasks))
        self.heads = scene_heads(model.width, classes)
        initialize(self)

    def encode(self, inputs: Tensors) -> Tensors:
        """The inputs as they are."""
        return inputs

    def decode(self, representation: Tensors, task: int) -> Tensor:
        """The task's output [B, ., H, W] from a network of its own."""
        stages = self.trunks[task](*representation)
        output: Tensor = self.heads[task](stages[-1][1])
        return output

    def own(self, task: int) -> nn.Module:
        """The task's own network and head."""
        return nn.ModuleList([self.trunks[task], self.heads[task]])
