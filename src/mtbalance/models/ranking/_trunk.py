"""Ranking backbones with a shared trunk, and the two places where their tasks can be balanced."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from mtbalance.models.backbone import Backbone, Tensors
from mtbalance.models.ranking._fields import Fields
from mtbalance.models.ranking._options import Place, RankingShape, RankingSizes


class TrunkBackbone(Backbone):
    """Fields, a shared trunk on them, and a head for each task. ``representation`` is where the tasks are balanced.

    ``fork``: after the trunk, where the tasks fork. No parameter of ``decode`` serves two tasks, and all parameters of
    ``encode`` are shared.

    ``fields``: at the fields, the one tensor that every task reads whole. The trunk then belongs to ``decode`` and
    serves all tasks. From one and the same fork it is computed once, as at the other levels. From separate forks it is
    computed once for each: K tasks cost K forward and backward passes through it (as at the gradient level, and K - 1
    forward passes more), the running statistics of its batch norms move K times per step, and dropout draws K times.
    """

    def __init__(self, shape: RankingShape, sizes: RankingSizes, representation: Place) -> None:
        super().__init__(shape.tasks)
        self.representation = representation
        self.fields = Fields(shape, sizes)

    @abstractmethod
    def trunk(self, fields: Tensor) -> Tensors:
        """The tensors that the heads read, from fields [B, width]."""

    @abstractmethod
    def head(self, hidden: Tensors, task: int) -> Tensor:
        """Logits [B] of one task from the trunk's output, with parameters that are that task's alone."""

    def encode(self, inputs: Tensors) -> Tensors:
        """(ids, numbers) -> the trunk's output, or the fields [B, width] alone."""
        fields = self.fields(*inputs)
        return (fields,) if self.representation == "fields" else self.trunk(fields)

    def decode(self, representation: Tensors, task: int) -> Tensor:
        """Logits [B] of one task."""
        return self.head(self._hidden(representation), task)

    def decode_all(self, forks: Sequence[Tensors]) -> list[Tensor]:
        """Logits [B] of every task; the trunk is computed once for tasks that have one and the same fork."""
        distinct = {id(fork): fork for fork in forks}
        hidden = {key: self._hidden(fork) for key, fork in distinct.items()}
        return [self.head(hidden[id(fork)], task) for task, fork in enumerate(forks)]

    def _hidden(self, representation: Tensors) -> Tensors:
        return self.trunk(*representation) if self.representation == "fields" else representation
