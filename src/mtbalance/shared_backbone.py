"""What ranking backbones with a shared trunk have in common, and where their tasks are balanced."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from mtbalance.backbones import Backbone, Representation
from mtbalance.config import ModelConfig
from mtbalance.layers import Fields

Place = Literal["fork", "fields"]


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
        super().__init__(tasks)
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
