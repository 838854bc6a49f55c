"""Means over the pixels of images that have a target."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from torch import Tensor

from mtbalance.errors import UserError


def masked_mean(values: Tensor, valid: Tensor) -> Tensor:
    """Mean of ``values`` over the pixels that are ``valid`` (same shape); 0, without gradient, if no pixel is."""
    return values.where(valid, 0).sum() / valid.sum().clamp(min=1)


class PixelMeans:
    """Means of named values over pixels, taken batch by batch in float64, under both conventions of the literature.

    ``<name>`` is the mean over all pixels. ``<name>_batch_mean`` is the mean of the batches' means, as the code of
    MTAN, CAGrad, NashMTL and FAMO computes depth and normals. There a smaller last batch counts like a whole one, and
    the number depends on the batch size. Batches without a valid pixel count in neither.
    """

    def __init__(self) -> None:
        self.pixels = self.batches = 0
        self.sums: dict[str, float] = defaultdict(float)
        self.batch_means: dict[str, float] = defaultdict(float)

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Count a batch: under each name, the values [N] of its N valid pixels."""
        pixels = len(next(iter(values.values())))
        if not pixels:
            return
        self.pixels += pixels
        self.batches += 1
        for name, value in values.items():
            total = float(value.double().sum())
            self.sums[name] += total
            self.batch_means[name] += total / pixels

    def result(self) -> dict[str, float]:
        """Both means of every name. Raises ``UserError`` if there was no pixel."""
        if not self.pixels:
            raise UserError("no pixel has a target: its metrics are undefined")
        exact = {name: total / self.pixels for name, total in self.sums.items()}
        return exact | {f"{name}_batch_mean": total / self.batches for name, total in self.batch_means.items()}
