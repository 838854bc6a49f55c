"""Batch: some rows of a data set, as a model and its losses take them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Some rows of a data set."""

    inputs: tuple[Tensor, ...]
    """The inputs of a model. Ranking: ids [B, F] int32 (model indices; 0 is unknown) and normalized numbers [B, N]
    float32. Scenes: images [B, 3, H, W] float32."""
    targets: tuple[Tensor, ...]
    """One tensor per task. Ranking: labels [B] float32 (NaN: none), or labels and weights [B, 2]. A binary label is 0
    or 1, that of a regression is scaled. Scenes: classes [B, H, W] int64 (-1: none), depth [B, 1, H, W] in meters (0:
    none) and normals [B, 3, H, W] (zero vector: none), float32."""

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(tuple(t.to(device) for t in self.inputs), tuple(t.to(device) for t in self.targets))

    def parts(self, count: int) -> list[Batch]:
        """The batch cut into ``count`` parts of about equal size; into single rows if there are fewer rows."""
        columns = [tensor.tensor_split(min(count, len(self.targets[0]))) for tensor in (*self.inputs, *self.targets)]
        return [Batch(part[: len(self.inputs)], part[len(self.inputs) :]) for part in zip(*columns, strict=True)]
