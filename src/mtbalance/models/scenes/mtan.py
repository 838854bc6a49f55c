"""MTAN on SegNet (Liu et al. 2019): a shared network, and attention to its features for each task."""

from __future__ import annotations

from itertools import chain
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtbalance.models.backbone import Backbone, Tensors
from mtbalance.models.scenes._layers import LEVELS, ConvBlock, SegNet, initialize, level_widths, scene_heads, upsample
from mtbalance.models.scenes._options import SceneSizes


class Attention(nn.Sequential):
    """Attention in (0, 1): [B, inputs, H, W] -> [B, outputs, H, W], by two convolutions 1x1 with batch norm."""

    def __init__(self, inputs: int, outputs: int) -> None:
        first, second = nn.Conv2d(inputs, outputs, 1), nn.Conv2d(outputs, outputs, 1)
        super().__init__(first, nn.BatchNorm2d(outputs), nn.ReLU(), second, nn.BatchNorm2d(outputs), nn.Sigmoid())


class MTAN(Backbone):
    """One SegNet for all tasks. At every level, the attention of task k chooses the features that go on to its head.

    There is no single shared representation, since attention reads the trunk everywhere. The representation is the
    tuple of all tensors that it reads, two for each stage.

    The convolutions between the attentions of a task (``common_down``, ``common_up``) are applied after that fork, and
    yet serve all tasks. For methods at the gradient and update levels they are shared parameters. Methods at the
    representation level leave them the sum of the tasks' own gradients, just as they leave heads theirs. Their batch
    norms see the features of each task in turn: a training batch moves their running statistics three times, as in the
    authors' code.

    A departure: the authors' model also holds three log-variances for uncertainty weighting; here a rule has them.
    """

    def __init__(self, classes: int, model: SceneSizes) -> None:
        super().__init__(tasks=3)
        widths, above = level_widths(model.width)
        self.trunk = SegNet(model.width)
        self.common_down = nn.ModuleList(map(ConvBlock, widths, (*widths[1:], widths[-1])))
        self.common_up = nn.ModuleList(map(ConvBlock, widths, above))
        self.attention_down = nn.ModuleList(_attention(model.width, down=True) for _ in range(self.tasks))
        self.attention_up = nn.ModuleList(_attention(model.width, down=False) for _ in range(self.tasks))
        self.heads = scene_heads(model.width, classes)
        initialize(self)

    def encode(self, inputs: Tensors) -> Tensors:
        """The 20 tensors of the trunk's ten stages (:meth:`SegNet.forward`), in their order."""
        return tuple(chain.from_iterable(self.trunk(*inputs)))

    def decode(self, representation: Tensors, task: int) -> Tensor:
        """The task's output [B, ., H, W]: its attention down and up the levels, then its head."""
        attention_down, attention_up = (
            cast("nn.ModuleList", attention[task]) for attention in (self.attention_down, self.attention_up)
        )
        stages = list(zip(representation[::2], representation[1::2], strict=True))
        read: tuple[Tensor, ...] = ()
        for level, (entered, left) in enumerate(stages[:LEVELS]):
            mask = attention_down[level](torch.cat([entered, *read], dim=1))
            features = functional.max_pool2d(self.common_down[level](mask * left), 2)
            read = (features,)
        for level, (entered, left) in zip(reversed(range(LEVELS)), stages[LEVELS:], strict=True):
            above = self.common_up[level](upsample(features))
            features = attention_up[level](torch.cat([entered, above], dim=1)) * left
        output: Tensor = self.heads[task](features)
        return output


def _attention(width: int, down: bool) -> nn.ModuleList:
    """One task's attention on the five levels. Beside the trunk's features it reads those of the level before."""
    widths, above = level_widths(width)
    if down:
        return nn.ModuleList(map(Attention, (widths[0], *(2 * size for size in widths[1:])), widths))
    return nn.ModuleList(Attention(size + outputs, outputs) for size, outputs in zip(widths, above, strict=True))
