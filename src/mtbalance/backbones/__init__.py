"""Backbones: models that fork. One a file.

``encode`` computes the representation that all tasks read, a tuple of tensors; ``decode`` computes one task's output
from it. Between the two is where balancers at level representation act.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

from torch import Tensor, nn

from mtbalance.config import ModelConfig
from mtbalance.layers import Fields
from mtbalance.registry import load

Representation = tuple[Tensor, ...]
Place = Literal["fork", "fields"]


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
        """Logits [B] of one task. Its parameters are the task's own, unless the backbone says otherwise."""

    def decode_all(self, forks: Sequence[Representation]) -> list[Tensor]:
        """Logits [B] of every task, each from its fork of the representation."""
        return [self.decode(fork, task) for task, fork in enumerate(forks)]

    def forward(self, inputs: tuple[Tensor, Tensor]) -> list[Tensor]:
        """Logits [B] of every task."""
        return self.decode_all([self.encode(inputs)] * self.tasks)


class SharedBackbone(Backbone):
    """Fields, a shared trunk on them, and a head a task. ``representation`` says where the tasks are balanced.

    ``fork``: behind the trunk, where the tasks part. No parameter of ``decode`` serves two tasks, and ``encode`` has no
    other parameters than shared ones. ``fields``: at the fields, the one tensor that every task reads whole. The trunk
    then belongs to ``decode`` and serves all tasks: from separate forks it is computed once for each, so that K tasks
    cost K forward and backward passes through it (as at the gradient level, and K - 1 forward passes more), its batch
    norms' running statistics move K times a step, and dropout draws K times. From one and the same fork, as at the
    other levels, it is computed once.
    """

    def __init__(
        self, cardinalities: Sequence[int], numbers: int, tasks: int, model: ModelConfig, representation: Place = "fork"
    ) -> None:
        super().__init__(cardinalities, numbers, tasks, model)
        self.representation = representation
        self.fields = Fields(cardinalities, numbers, model.embedding)

    @abstractmethod
    def trunk(self, fields: Tensor) -> Representation:
        """Fields [B, width] -> what the heads read."""

    @abstractmethod
    def head(self, hidden: Representation, task: int) -> Tensor:
        """Logits [B] of one task from the trunk's output, with parameters that are that task's alone."""

    def encode(self, inputs: tuple[Tensor, Tensor]) -> Representation:
        """(ids, numbers) -> the trunk's output, or the fields [B, width] alone."""
        fields = self.fields(*inputs)
        return (fields,) if self.representation == "fields" else self.trunk(fields)

    def decode(self, representation: Representation, task: int) -> Tensor:
        """Logits [B] of one task."""
        return self.head(self._hidden(representation), task)

    def decode_all(self, forks: Sequence[Representation]) -> list[Tensor]:
        """Logits [B] of every task; what forks have in common is computed once."""
        distinct = {id(fork): fork for fork in forks}
        hidden = {key: self._hidden(fork) for key, fork in distinct.items()}
        return [self.head(hidden[id(fork)], task) for task, fork in enumerate(forks)]

    def _hidden(self, representation: Representation) -> Representation:
        return self.trunk(*representation) if self.representation == "fields" else representation


def build_backbone(
    kind: str, cardinalities: Sequence[int], numbers: int, tasks: int, model: ModelConfig, **options: Any
) -> Backbone:
    """The backbone ``kind`` with its options, for columns of these cardinalities (unknown id included)."""
    return load("mtbalance.backbones", kind)(cardinalities, numbers, tasks, model, **options)
