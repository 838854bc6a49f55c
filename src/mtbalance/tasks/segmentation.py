"""Semantic segmentation: the class of each pixel."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from mtbalance.errors import UserError
from mtbalance.tasks import Meter, Task
from mtbalance.tasks._pixels import masked_mean


class Segmentation(Task):
    """Log-probabilities [B, C, H, W] against classes [B, H, W] in 0..C-1; pixels of class -1 do not count."""

    metrics: ClassVar = {"miou": 1, "pixel_accuracy": 1}

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Mean negative log-probability of the pixels' classes; 0, with zero gradients, if no pixel has one.

        The log-probabilities are gathered, since ``nll_loss`` has no deterministic form on CUDA.
        """
        chosen = output.gather(1, target.clamp(min=0).unsqueeze(1)).squeeze(1)
        return masked_mean(-chosen, target != -1)

    def terms(self, target: Tensor) -> float:
        """The number of pixels that have a class."""
        return float((target != -1).sum())

    def meter(self) -> SegmentationMeter:
        """A meter of mean intersection over union and pixel accuracy."""
        return SegmentationMeter()


class SegmentationMeter(Meter):
    """Counts pixels by true and predicted class; of equally probable classes the first is predicted."""

    def __init__(self) -> None:
        self.counts: Tensor | None = None

    def add(self, output: Tensor, target: Tensor) -> None:
        """Count log-probabilities (or logits) [B, C, H, W] and classes [B, H, W]."""
        classes, valid = output.shape[1], target != -1
        pairs = classes * target[valid] + output.argmax(dim=1)[valid]
        counts = torch.bincount(pairs, minlength=classes**2).reshape(classes, classes).cpu()
        self.counts = counts if self.counts is None else self.counts + counts

    def result(self) -> dict[str, float]:
        """Over all pixels that have a class, as shares: ``miou`` and ``pixel_accuracy``.

        ``miou`` is the mean over classes of hits / (hits + misses + false alarms). A class that occurs neither in
        targets nor in predictions is left out, as in torchmetrics; MTAN's code gives NaN then. All 13 classes occur in
        NYUv2's test split. Raises ``UserError`` if no pixel has a class.
        """
        if self.counts is None or not self.counts.any():
            raise UserError("no pixel has a class: segmentation has no metrics")
        hits = self.counts.diagonal().double()
        union = self.counts.sum(0) + self.counts.sum(1) - self.counts.diagonal()
        return {
            "miou": float((hits / union)[union > 0].mean()),
            "pixel_accuracy": float(hits.sum() / self.counts.sum()),
        }
