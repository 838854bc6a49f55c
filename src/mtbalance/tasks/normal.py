"""Surface normals: the direction that each pixel's surface faces."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from mtbalance.tasks import Meter, Task
from mtbalance.tasks._pixels import PixelMeans, masked_mean

BINS = 180_000
"""Number of bins of the histogram of angles, 0.001 degrees each."""


class Normal(Task):
    """Predicted unit vectors [B, 3, H, W] against true ones; pixels whose true vector is zero do not count.

    Targets are taken as they are: resized images hold shorter vectors too, which MTAN does not lengthen either. A
    departure: MTAN's code leaves out a normal whose components add up to 0, such as that of a wall at 45 degrees.
    """

    metrics: ClassVar = {"mean_angle": -1, "median_angle": -1, "within_11_25": 1, "within_22_5": 1, "within_30": 1}

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """1 minus the mean inner product; 0, with zero gradients, if no pixel has a normal."""
        return masked_mean(1 - (output * target).sum(dim=1), has_normal(target))

    def terms(self, target: Tensor) -> float:
        """The number of pixels that have a normal."""
        return float(has_normal(target).sum())

    def meter(self) -> NormalMeter:
        """A meter of the angle between prediction and truth."""
        return NormalMeter()


class NormalMeter(Meter):
    """Sums angles over pixels, and counts them in a histogram for the median."""

    def __init__(self) -> None:
        self.means = PixelMeans()
        self.histogram = torch.zeros(BINS, dtype=torch.int64)
        self.batch_medians = 0.0

    def add(self, output: Tensor, target: Tensor) -> None:
        """Count predicted and true normals [B, 3, H, W]."""
        valid = has_normal(target)
        predicted, truth = (vectors.movedim(1, -1)[valid].double() for vectors in (output, target))
        angle = torch.rad2deg(torch.acos((predicted * truth).sum(dim=1).clamp(-1, 1)))
        limits = {"within_11_25": 11.25, "within_22_5": 22.5, "within_30": 30.0}
        self.means.add({"mean_angle": angle} | {name: angle < limit for name, limit in limits.items()})
        if len(angle):
            histogram = torch.bincount((angle * (BINS / 180)).long().clamp(max=BINS - 1), minlength=BINS).cpu()
            self.histogram += histogram
            self.batch_medians += _median(histogram)

    def result(self) -> dict[str, float]:
        """Over all pixels that have a normal: mean and median angle in degrees, and shares within three limits.

        An angle is within a limit if it is below it. The median is taken from a histogram and lies within 0.0005
        degrees of the exact one. With ``_batch_mean``: the means over batches of each batch's own value
        (:class:`PixelMeans`), the median's included. Raises ``UserError`` if no pixel has a normal.
        """
        found = self.means.result()
        found |= {
            "median_angle": _median(self.histogram),
            "median_angle_batch_mean": self.batch_medians / self.means.batches,
        }
        return {name: found[name] for name in Normal.metrics} | found


def has_normal(target: Tensor) -> Tensor:
    """A mask [B, H, W] of the pixels whose vector is not zero."""
    return (target != 0).any(dim=1)


def _median(histogram: Tensor) -> float:
    """Mean of the two middle angles, or the middle one of an odd number; each is taken to lie in its bin's middle."""
    up_to = histogram.cumsum(0)
    total = int(up_to[-1])
    bins = torch.searchsorted(up_to, torch.tensor([(total - 1) // 2, total // 2]), right=True)
    return (float(bins.double().mean()) + 0.5) * 180 / BINS
