"""Backbones: models that fork. One a file.

``encode`` computes everything shared and returns the representation where the tasks fork, a tuple of tensors;
``decode`` computes one task's output from it with parameters that are that task's alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mtbalance.config import ModelConfig
from mtbalance.registry import load

Representation = tuple[Tensor, ...]


class Backbone(nn.Module, ABC):
    """A model of K tasks on rows of categorical ids [B, F] and numbers [B, N]."""

    def __init__(self, cardinalities: Sequence[int], numbers: int, tasks: int, model: ModelConfig) -> None:
        super().__init__()
        self.tasks = tasks

    @abstractmethod
    def encode(self, inputs: tuple[Tensor, Tensor]) -> Representation:
        """(ids, numbers) -> the representation; all of its parameters are shared."""

    @abstractmethod
    def decode(self, representation: Representation, task: int) -> Tensor:
        """Logits [B] of one task; no parameter of it serves another task."""

    def forward(self, inputs: tuple[Tensor, Tensor]) -> list[Tensor]:
        """Logits [B] of every task."""
        representation = self.encode(inputs)
        return [self.decode(representation, task) for task in range(self.tasks)]


def build_backbone(
    kind: str, cardinalities: Sequence[int], numbers: int, tasks: int, model: ModelConfig, **options: Any
) -> Backbone:
    """The backbone ``kind`` with its options, for columns of these cardinalities (unknown id included)."""
    return load("mtbalance.backbones", kind)(cardinalities, numbers, tasks, model, **options)
