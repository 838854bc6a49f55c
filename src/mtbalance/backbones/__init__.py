"""Backbones: models that fork. One a file.

``encode`` computes the representation that all tasks read, a tuple of tensors; ``decode`` computes one task's output
from it, with parameters that are that task's alone unless the backbone says otherwise. Between the two is where
balancers at level representation act.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from mtbalance.registry import load

Representation = tuple[Tensor, ...]


class Backbone(nn.Module, ABC):
    """A model of K tasks.

    A batch's inputs are a tuple of tensors: (ids [B, F], numbers [B, N]) for ranking, (images [B, 3, H, W],)
    for scenes.
    """

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.tasks = tasks

    @abstractmethod
    def encode(self, inputs: tuple[Tensor, ...]) -> Representation:
        """The representation of a batch's inputs; all of its parameters are shared."""

    @abstractmethod
    def decode(self, representation: Representation, task: int) -> Tensor:
        """The output of one task. Its parameters are the task's own, unless the backbone says otherwise.

        Ranking: logits [B]. Scenes, in this order: log-probabilities of C classes [B, C, H, W], depth [B, 1, H, W],
        normals of length 1 [B, 3, H, W].
        """

    def decode_all(self, forks: Sequence[Representation]) -> list[Tensor]:
        """The output of every task, each from its fork of the representation."""
        return [self.decode(fork, task) for task, fork in enumerate(forks)]

    def forward(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        """The output of every task."""
        return self.decode_all([self.encode(inputs)] * self.tasks)


def build_backbone(kind: str, *arguments: Any, **options: Any) -> Backbone:
    """The backbone ``kind`` with the arguments of its constructor."""
    return load("mtbalance.backbones", kind)(*arguments, **options)
