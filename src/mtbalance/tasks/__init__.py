"""Tasks: the loss and the metrics of one output. One kind a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor


class Meter(ABC):
    """Metrics over all rows of a split, fed batch by batch."""

    @abstractmethod
    def add(self, output: Tensor, target: Tensor) -> None:
        """Take a batch of the task's outputs and targets."""

    @abstractmethod
    def result(self) -> dict[str, float]:
        """Every metric of the task. Raises ``UserError`` where one is undefined on these rows."""


class Task(ABC):
    """One output of a model."""

    metrics: ClassVar[dict[str, int]]
    """The metrics by name, in the order of tables: +1 where higher is better, -1 where lower is."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The scalar loss of a batch."""

    @abstractmethod
    def meter(self) -> Meter:
        """A fresh meter of the task's metrics."""
