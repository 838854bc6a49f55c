"""The layers that scene backbones are made of: SegNet (Badrinarayanan et al. 2017) as MTAN uses it.

All of them work under ``torch.use_deterministic_algorithms`` on any device. Two of torch's operations do not:
max-unpooling (refused everywhere) and the gradient of bilinear resizing (refused on CUDA). Here they are made of
operations that do.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

LEVELS = 5

Stage = tuple[Tensor, Tensor]
"""One level, on the way down or up: the features [B, ., H, W] that enter its last convolutions, and their output."""


def level_widths(width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Channels of the five levels (1, 2, 4, 8 and 8 times ``width``), and the channels that each hands up."""
    widths = (width, 2 * width, 4 * width, 8 * width, 8 * width)
    return widths, (width, *widths[:-1])


class ConvBlock(nn.Sequential):
    """A convolution 3x3, batch norm, ReLU: [B, inputs, H, W] -> [B, outputs, H, W]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU())


class SegNet(nn.Module):
    """Five levels down and five up, without a head; H and W are divisible by 32.

    Level i down: a block to its F_i channels, then one block more at the two outermost levels and two at the others,
    then 2x2 max-pooling. Up, mirrored: unpooling to where the maxima were, a block to the F_(i-1) channels of the level
    above (F_0 at the end), then as many blocks more.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        widths, above = level_widths(width)
        self.down = nn.ModuleList(map(ConvBlock, (3, *widths[:-1]), widths))
        self.down_rest = nn.ModuleList(_rest(size, level) for level, size in enumerate(widths))
        self.up = nn.ModuleList(map(ConvBlock, widths, above))
        self.up_rest = nn.ModuleList(_rest(size, level) for level, size in enumerate(above))

    def forward(self, images: Tensor) -> list[Stage]:
        """Ten stages from images [B, 3, H, W]; the second part of the last is the output [B, width, H, W].

        Down, levels 0 to 4: the first block's output and the last block's. Up, levels 4 to 0: the unpooled features
        and the last block's output.
        """
        stages, maxima, features = [], [], images
        for first, rest in zip(self.down, self.down_rest, strict=True):
            entered = first(features)
            left = rest(entered)
            stages.append((entered, left))
            features, places = functional.max_pool2d(left, 2, return_indices=True)
            maxima.append(places)
        for level in reversed(range(LEVELS)):
            entered = unpool(features, maxima[level])
            features = self.up_rest[level](self.up[level](entered))
            stages.append((entered, features))
        return stages


class Head(nn.Module):
    """Convolutions 3x3 and 1x1 with nothing between them, then the output's activation."""

    def __init__(self, width: int, outputs: int, activation: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, outputs, 1))
        self.activation = activation

    def forward(self, features: Tensor) -> Tensor:
        """[B, outputs, H, W] from features [B, width, H, W], in float32 at least."""
        found: Tensor = self.convolutions(features)
        return self.activation(found.to(torch.promote_types(found.dtype, torch.float32)))


def scene_heads(width: int, classes: int) -> nn.ModuleList:
    """Heads of the three tasks: log-probabilities of the classes, depth as it comes, normals of length 1."""
    log_probabilities = nn.LogSoftmax(dim=1)
    return nn.ModuleList(
        [Head(width, classes, log_probabilities), Head(width, 1, nn.Identity()), Head(width, 3, unit_vectors)]
    )


def unpool(pooled: Tensor, maxima: Tensor) -> Tensor:
    """Undo 2x2 max-pooling: each value back to where it came from, zeros elsewhere. [B, C, h, w] -> [B, C, 2h, 2w].

    The same as ``max_unpool2d``. That is refused because places could repeat; those of separate windows cannot.
    """
    height, width = (2 * side for side in pooled.shape[-2:])
    empty = pooled.new_zeros(*pooled.shape[:2], height * width)
    return torch.unflatten(empty.scatter(2, maxima.flatten(2), pooled.flatten(2)), 2, (height, width))


def upsample(features: Tensor) -> Tensor:
    """Bilinear resizing to twice the sides, corners aligned, as two matrix products. [B, C, h, w] -> [B, C, 2h, 2w]."""
    rows, columns = (_doubling(side, features) for side in features.shape[-2:])
    resized: Tensor = rows @ (features @ columns.T)
    return resized


def unit_vectors(vectors: Tensor) -> Tensor:
    """Vectors [B, C, H, W] over their lengths; a vector shorter than 1e-6 gives zeros, and its gradient is zero.

    Zero vectors are common: biases start at 0, so a fresh narrow network has one wherever all channels of a
    neighborhood are below zero. Division by a small constant would make its gradient huge there.
    """
    lengths: Tensor = torch.linalg.vector_norm(vectors, dim=1, keepdim=True)
    return vectors / lengths.where(lengths > 1e-6, torch.inf)


def initialize(model: nn.Module) -> None:
    """Xavier-normal weights and zero biases for all convolutions; batch norms start at 1 and 0 as they are."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _rest(size: int, level: int) -> nn.Sequential:
    return nn.Sequential(*(ConvBlock(size, size) for _ in range(1 if level < 2 else 2)))


def _doubling(side: int, like: Tensor) -> Tensor:
    """The matrix [2 side, side] that interpolates a line linearly, from its effect on unit vectors."""
    unit = torch.eye(side, dtype=like.dtype, device=like.device)
    doubled: Tensor = functional.interpolate(unit[None], size=2 * side, mode="linear", align_corners=True)
    return doubled[0].T
