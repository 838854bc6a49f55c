"""RowTask: a task with one number for each row, whose label can be missing and whose rows can have weights.

Targets are labels [B], NaN where there is none, or labels and weights [B, 2].
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mtbalance.tasks import Meter, Task


def labels_of(target: Tensor) -> Tensor:
    """The labels [B] of a target."""
    return target if target.ndim == 1 else target[:, 0]


def as_doubles(values: Tensor) -> NDArray[np.float64]:
    """The values in float64 on the host."""
    found: NDArray[np.float64] = values.detach().double().cpu().numpy()
    return found


class RowTask(Task):
    """Outputs [B] against targets. ``gaps`` says that labels may be missing."""

    def __init__(self, name: str, title: str, *, gaps: bool = False) -> None:
        super().__init__(name, title)
        self.gaps = gaps

    @abstractmethod
    def losses(self, output: Tensor, label: Tensor, reduction: str) -> Tensor:
        """The losses [B] of rows that all have a label (reduction ``none``), or their mean (``mean``)."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean loss over the rows that have a label, weighted by their weights; 0, with zero gradients, if no row
        counts.
        """
        label = labels_of(target)
        if not self.gaps and target.ndim == 1:
            return self.losses(output, label, "mean")
        counts = self._counts(target).to(output.dtype)
        total = counts.sum()
        losses = self.losses(output, label.nan_to_num(), "none")  # a gradient through a NaN would be one
        return (losses * counts).sum() / total.where(total > 0, 1)

    def size(self, target: Tensor) -> float:
        """The number of rows that have a label, or the sum of their weights."""
        return float(self._counts(target).sum()) if self.gaps or target.ndim == 2 else len(target)

    def _counts(self, target: Tensor) -> Tensor:
        """How much each row [B] counts."""
        given = ~labels_of(target).isnan()
        return given if target.ndim == 1 else target[:, 1].where(given, 0)

    def labels(self, target: Tensor) -> NDArray[Any]:
        """The labels [B] in their units; NaN where there is none."""
        return as_doubles(labels_of(target))

    @abstractmethod
    def predicted(self, output: Tensor) -> NDArray[Any]:
        """The predictions [B] in the units of the label."""


class RowMeter(Meter):
    """Keeps all outputs and labels (float64) of rows that have a label, each counted once whatever its weight."""

    def __init__(self) -> None:
        self.outputs: list[NDArray[np.float64]] = []
        self.labels: list[NDArray[np.float64]] = []

    def add(self, output: Tensor, target: Tensor) -> None:
        """Keep the outputs [B] of a batch, and its labels."""
        labels, outputs = as_doubles(labels_of(target)), as_doubles(output)
        given = ~np.isnan(labels)
        self.outputs.append(outputs[given])
        self.labels.append(labels[given])

    def all(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """All outputs and labels."""
        return np.concatenate(self.outputs), np.concatenate(self.labels)
