"""Depth: how far is this pixel's surface?"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from mtbalance.pixels import PixelMeans, masked_mean
from mtbalance.tasks import Meter, Task


class Depth(Task):
    """Depth [B, 1, H, W] in metres against the same; pixels of depth 0 do not count."""

    metrics: ClassVar = {"abs_error": -1, "rel_error": -1}

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean absolute error in metres; 0, with zero gradients, where no pixel has a depth."""
        return masked_mean((output - target).abs(), target != 0)

    def meter(self) -> DepthMeter:
        """A meter of the absolute and the relative error."""
        return DepthMeter()


class DepthMeter(Meter):
    """Adds up errors."""

    def __init__(self) -> None:
        self.means = PixelMeans()

    def add(self, output: Tensor, target: Tensor) -> None:
        """Take depths [B, 1, H, W]."""
        valid = target != 0
        truth = target[valid].double()
        error = (output[valid].double() - truth).abs()
        self.means.add({"abs_error": error, "rel_error": error / truth})

    def result(self) -> dict[str, float]:
        """``abs_error`` (metres) and ``rel_error`` (share of the true depth), means over all pixels that have a depth.

        With ``_batch_mean``: the means of batch means (:class:`PixelMeans`). Raises ``UserError`` where no pixel has
        a depth.
        """
        return self.means.result()
