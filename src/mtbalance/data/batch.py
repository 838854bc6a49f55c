"""A training batch: some rows, as a model and its losses take them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Some rows of a data set."""

    inputs: tuple[Tensor, ...]
    """What a model encodes. Ranking: ids [B, F] int32 (model indices; 0 is unknown) and normalised numbers [B, N]
    float32. Scenes: images [B, 3, H, W] float32."""
    targets: tuple[Tensor, ...]
    """One tensor a task. Ranking: labels [B] float32 of 0 and 1. Scenes: classes [B, H, W] int64 (-1: none), depth
    [B, 1, H, W] in metres (0: none) and normals [B, 3, H, W] (zero vector: none), float32."""

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(tuple(t.to(device) for t in self.inputs), tuple(t.to(device) for t in self.targets))

    def split(self, parts: int) -> list[Batch]:
        """The batch in so many parts of about equal size, or a part a row where there are fewer rows."""
        columns = [tensor.tensor_split(min(parts, len(self.targets[0]))) for tensor in (*self.inputs, *self.targets)]
        return [Batch(part[: len(self.inputs)], part[len(self.inputs) :]) for part in zip(*columns, strict=True)]
