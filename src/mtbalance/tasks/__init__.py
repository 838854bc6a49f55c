"""Task: the loss and the metrics of one output. One kind of task per file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor


class Meter(ABC):
    """Computes the metrics of a task over all rows of a split, batch by batch."""

    @abstractmethod
    def add(self, output: Tensor, target: Tensor) -> None:
        """Count a batch of the task's outputs and targets."""

    @abstractmethod
    def result(self) -> dict[str, float]:
        """Every metric of the task. Raises ``UserError`` if one is undefined on these rows."""


class Task(ABC):
    """One output of a model: how it is trained and judged."""

    metrics: ClassVar[dict[str, int]]
    """The metrics by name, in the order of tables: +1 if higher is better, -1 if lower is."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The scalar loss of a batch."""

    def size(self, target: Tensor) -> float:
        """How much the loss of these targets counts beside that of others: here, the number of rows."""
        return len(target)

    def terms(self, target: Tensor) -> float:
        """The number of terms that the loss is a mean over, or the sum of their weights: here, :meth:`size`."""
        return self.size(target)

    @abstractmethod
    def meter(self) -> Meter:
        """A new meter of the task's metrics."""
