"""Depth: the distance of each pixel's surface."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from mtbalance.tasks import Meter, Task
from mtbalance.tasks._pixels import PixelMeans, masked_mean


class Depth(Task):
    """Predicted depths [B, 1, H, W] in meters against true ones; pixels of true depth 0 do not count."""

    metrics: ClassVar = {"abs_error": -1, "rel_error": -1}

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean absolute error in meters; 0, with zero gradients, if no pixel has a depth."""
        return masked_mean((output - target).abs(), target != 0)

    def terms(self, target: Tensor) -> float:
        """The number of pixels that have a depth."""
        return float((target != 0).sum())

    def meter(self) -> DepthMeter:
        """A meter of the absolute and the relative error."""
        return DepthMeter()


class DepthMeter(Meter):
    """Sums errors over pixels."""

    def __init__(self) -> None:
        self.means = PixelMeans()

    def add(self, output: Tensor, target: Tensor) -> None:
        """Count predicted and true depths [B, 1, H, W]."""
        valid = target != 0
        truth = target[valid].double()
        error = (output[valid].double() - truth).abs()
        self.means.add({"abs_error": error, "rel_error": error / truth})

    def result(self) -> dict[str, float]:
        """``abs_error`` (meters) and ``rel_error`` (share of the true depth), means over all pixels that have a depth.

        With ``_batch_mean``: the means of batch means (:class:`PixelMeans`). Raises ``UserError`` if no pixel has a
        depth.
        """
        return self.means.result()
