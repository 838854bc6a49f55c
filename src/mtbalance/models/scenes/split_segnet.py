"""Shared bottom on scenes: one SegNet (in ``_layers``), and a head for each task."""

from __future__ import annotations

from torch import Tensor

from mtbalance.models.backbone import Backbone, Tensors
from mtbalance.models.scenes._layers import SegNet, initialize, scene_heads
from mtbalance.models.scenes._options import SceneSizes


class SplitSegNet(Backbone):
    """One SegNet for all tasks; its last feature map is the representation [B, width, H, W].

    This is the one shared representation that methods at the representation level are defined for. MTAN has none.
    """

    def __init__(self, classes: int, model: SceneSizes) -> None:
        super().__init__(tasks=3)
        self.trunk = SegNet(model.width)
        self.heads = scene_heads(model.width, classes)
        initialize(self)

    def encode(self, inputs: Tensors) -> Tensors:
        """The last feature map [B, width, H, W]."""
        return (self.trunk(*inputs)[-1][1],)

    def decode(self, representation: Tensors, task: int) -> Tensor:
        """The task's output [B, ., H, W]."""
        output: Tensor = self.heads[task](*representation)
        return output
