"""The update level: combine what the optimiser would do for each task (PUB)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import Parameter

from mtbalance.levels.gradient import Gradient, Weights, combine
from mtbalance.optimizers import Optimizer
from mtbalance.rules import Rule


class Update(Gradient):
    """Rows are d_k, the update of the shared parameters that the optimiser would make for task k's gradient alone.

    Source: PUB, algorithm 1. At step t: the K gradients g_k; d_k from the present moments, which stay as they are;
    weights a from D'D at a search; theta <- theta - lr sum_k a_k d_k; only then the moments, with sum_k a_k g_k and the
    same a. Own parameters take an ordinary step on their own task's gradient.

    What the text leaves open, and is decided here: d_k sees g_k in both moments; it is before the learning rate; the
    first search is at step 1; weight decay acts once. ``rescale``: as solved (``none``) the joint update has norm
    sqrt(K) however many parameters there are, so a network hardly moves; ``sum_to_K`` gives weights that sum to K;
    ``match_norm`` gives the joint update the norm of sum_k d_k. Each d_k is a whole step of the optimiser, so with
    both a step is up to K times as long as the optimiser's on the summed loss; ``sum_to_1`` compares at equal length.
    The rescaled weights feed the moments too.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        rule: Rule,
        optimizer: Optimizer,
        *,
        between: str = "task_updates",
        rescale: str = "sum_to_K",
        **options: Any,
    ) -> None:
        super().__init__(parameters, rule, optimizer, between=between, **options)
        self.rescale = rescale

    def default_heads(self) -> str:
        """PUB: the ordinary optimiser on each task's own gradient."""
        return "own"

    def _rows(self, gradients: list[Tensor]) -> list[Tensor]:
        return [self.optimizer.propose(p, g) for p, g in zip(self.sharing.shared, gradients, strict=True)]

    def _rescale(self, weights: Weights, gram: Weights) -> Weights:
        if self.rescale == "sum_to_K":
            return weights * (self.tasks / weights.sum())
        if self.rescale == "sum_to_1":
            return weights / weights.sum()
        if self.rescale == "match_norm":
            ones = np.ones(self.tasks)
            return weights * np.sqrt((ones @ gram @ ones) / (weights @ gram @ weights))
        return weights

    def _combine(self, gradients: list[Tensor], rows: list[Tensor]) -> None:
        for parameter, gradient, row in zip(self.sharing.shared, gradients, rows, strict=True):
            self.optimizer.apply(parameter, combine(row, self.weights))
            self.optimizer.commit(parameter, combine(gradient, self.weights))
        self._weigh_heads()
