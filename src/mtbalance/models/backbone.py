"""Backbone: the interface of models that compute one representation and then fork into tasks.

``encode`` computes the representation that all tasks read; ``decode`` computes one task's output from it. Balancers at
the representation level act between the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

Tensors = tuple[Tensor, ...]


class Backbone(nn.Module, ABC):
    """A model of K tasks.

    The inputs of a batch are a tuple of tensors: (ids [B, F], numbers [B, N]) for ranking, (images [B, 3, H, W],)
    for scenes.
    """

    def __init__(self, tasks: int) -> None:
        super().__init__()
        self.tasks = tasks

    @abstractmethod
    def encode(self, inputs: Tensors) -> Tensors:
        """The representation of a batch's inputs. All parameters used to compute it are shared."""

    @abstractmethod
    def decode(self, representation: Tensors, task: int) -> Tensor:
        """The output of one task, with parameters of the task's own unless the backbone says otherwise.

        Ranking: logits [B]. Scenes, in this order of tasks: log-probabilities of C classes [B, C, H, W], depth
        [B, 1, H, W], normals of length 1 [B, 3, H, W].
        """

    def own(self, task: int) -> nn.Module | None:
        """All modules of one task, where nothing is shared: each task then has a best epoch of its own, as if it was
        trained alone. None: one epoch is chosen for all tasks."""
        return None

    def decode_all(self, forks: Sequence[Tensors]) -> list[Tensor]:
        """The output of every task, each from its fork of the representation."""
        return [self.decode(fork, task) for task, fork in enumerate(forks)]

    def forward(self, inputs: Tensors) -> list[Tensor]:
        """The output of every task."""
        return self.decode_all([self.encode(inputs)] * self.tasks)
