"""Shared bottom on scenes: one SegNet, a head a task."""

from __future__ import annotations

from torch import Tensor

from mtbalance.backbones import Backbone, Representation
from mtbalance.config import SceneModelConfig
from mtbalance.segnet_layers import SegNet, initialise, scene_heads


class SplitSegnet(Backbone):
    """One SegNet for all tasks; its last feature map is the representation [B, width, H, W].

    Methods at the representation level have here the one shared representation that they are defined for, which MTAN
    has not.
    """

    def __init__(self, classes: int, model: SceneModelConfig) -> None:
        super().__init__(tasks=3)
        self.trunk = SegNet(model.width)
        self.heads = scene_heads(model.width, classes)
        initialise(self)

    def encode(self, inputs: tuple[Tensor]) -> Representation:
        """The last feature map [B, width, H, W]."""
        return (self.trunk(*inputs)[-1][1],)

    def decode(self, representation: Representation, task: int) -> Tensor:
        """The task's output [B, ., H, W]."""
        return self.heads[task](*representation)
