"""The update level: combine what the optimiser would do for each task (PUB)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import Parameter

from mtbalance.gram import Parts, combine, stacked
from mtbalance.levels import Weights
from mtbalance.levels.gradient import Gradient
from mtbalance.manipulations import build_manipulation
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
    The rescaled weights feed the moments too. ``manipulation`` acts on each d_k (PUB+Clippy, PUB+AdaTask).
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        rule: Rule,
        optimizer: Optimizer,
        *,
        between: str = "task_updates",
        rescale: str = "sum_to_K",
        manipulation: str = "none",
        heads: str | None = None,
        every: int = 1,
        clip: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(parameters, rule, optimizer, heads=heads, every=every, between=between)
        self.rescale = rescale
        self.manipulation = build_manipulation(manipulation, optimizer, clip)

    def default_heads(self) -> str:
        """PUB: the ordinary optimiser on each task's own gradient."""
        return "own"

    def _task_gradients(self, losses: list[Tensor]) -> list[Parts]:
        return [stacked(parts) for parts in super()._task_gradients(losses)]

    def _rows(self, gradients: list[Parts]) -> list[Parts]:
        return [self.manipulation.propose(p, g) for p, g in zip(self.sharing.shared, gradients, strict=True)]

    def rescaled(self, weights: Weights, gram: Weights) -> Weights:
        """The weights on the chosen scale (``rescale``)."""
        if self.rescale == "sum_to_K":
            return weights * (self.tasks / weights.sum())
        if self.rescale == "sum_to_1":
            return weights / weights.sum()
        if self.rescale == "match_norm":
            ones = np.ones(self.tasks)
            return weights * np.sqrt((ones @ gram @ ones) / (weights @ gram @ weights))
        return weights

    def _write(self, gradients: list[Parts], joint: Iterable[Tensor]) -> None:
        for parameter, gradient, update in zip(self.sharing.shared, gradients, joint, strict=True):
            self.manipulation.commit(parameter, gradient, combine(gradient, self.weights))
            self.optimizer.apply(parameter, update)
        self._weigh_heads()

    def balance(self, rows: list[Parts], values: Weights) -> tuple[Iterable[Tensor], Weights, dict[str, float]]:
        """As at every level; the manipulation adds its diagnostics."""
        joint, weights, diagnostics = super().balance(rows, values)
        return joint, weights, diagnostics | self.manipulation.diagnostics()

    def state_dict(self) -> dict[str, Any]:
        """As the gradient level's, and the manipulation's memory."""
        return super().state_dict() | {"manipulation": self.manipulation.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self.manipulation.load_state_dict(state["manipulation"])
