"""MTAN on SegNet (Liu et al. 2019): a shared network, and attention to its features for each task."""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtbalance.backbones import Backbone, Representation
from mtbalance.config import SceneModelConfig
from mtbalance.segnet_layers import LEVELS, ConvBlock, SegNet, initialise, level_widths, scene_heads, upsample


class Mtan(Backbone):
    """One SegNet for all tasks; task k's gates choose from every level's features what goes on to its head.

    There is no single shared representation: attention reads the trunk everywhere. The representation is the tuple of
    all that it reads, two tensors a stage. The convolutions between a task's gates (``common_down``, ``common_up``)
    lie behind that fork and yet serve all tasks. So they are shared parameters for methods at the gradient and update
    levels, while methods at the representation level leave them the sum of the tasks' own gradients, as heads get
    theirs. Their batch norms see each task's features in turn: a training batch moves their running statistics three
    times, as in the authors' code.

    The authors' model also holds three log-variances for uncertainty weighting; here that is a rule's business.
    """

    def __init__(self, classes: int, model: SceneModelConfig) -> None:
        super().__init__(tasks=3)
        widths, above = level_widths(model.width)
        self.trunk = SegNet(model.width)
        self.common_down = nn.ModuleList(map(ConvBlock, widths, (*widths[1:], widths[-1])))
        self.common_up = nn.ModuleList(map(ConvBlock, widths, above))
        self.gates_down = nn.ModuleList(_gates(model.width, down=True) for _ in range(self.tasks))
        self.gates_up = nn.ModuleList(_gates(model.width, down=False) for _ in range(self.tasks))
        self.heads = scene_heads(model.width, classes)
        initialise(self)

    def encode(self, inputs: tuple[Tensor]) -> Representation:
        """The 20 tensors of the trunk's ten stages (:meth:`SegNet.forward`), in their order."""
        return tuple(chain.from_iterable(self.trunk(*inputs)))

    def decode(self, representation: Representation, task: int) -> Tensor:
        """The task's output [B, ., H, W]: its gates down and up the levels, then its head."""
        stages = list(zip(representation[::2], representation[1::2], strict=True))
        read: tuple[Tensor, ...] = ()
        for level, (entered, left) in enumerate(stages[:LEVELS]):
            gate = self.gates_down[task][level](torch.cat([entered, *read], dim=1))
            features = functional.max_pool2d(self.common_down[level](gate * left), 2)
            read = (features,)
        for level, (entered, left) in zip(reversed(range(LEVELS)), stages[LEVELS:], strict=True):
            above = self.common_up[level](upsample(features))
            features = self.gates_up[task][level](torch.cat([entered, above], dim=1)) * left
        return self.heads[task](features)


class Gate(nn.Sequential):
    """Attention in (0, 1): [B, inputs, H, W] -> [B, outputs, H, W], by two convolutions 1x1 with batch norm."""

    def __init__(self, inputs: int, outputs: int) -> None:
        first, second = nn.Conv2d(inputs, outputs, 1), nn.Conv2d(outputs, outputs, 1)
        super().__init__(first, nn.BatchNorm2d(outputs), nn.ReLU(), second, nn.BatchNorm2d(outputs), nn.Sigmoid())


def _gates(width: int, down: bool) -> nn.ModuleList:
    """One task's gates of the five levels; what they read beside the trunk's features comes from the level before."""
    widths, above = level_widths(width)
    if down:
        return nn.ModuleList(map(Gate, (widths[0], *(2 * size for size in widths[1:])), widths))
    return nn.ModuleList(Gate(size + outputs, outputs) for size, outputs in zip(widths, above, strict=True))
