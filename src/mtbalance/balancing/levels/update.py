"""The update level: combine the optimizer's updates for each task (PUB), and set the weights' scale (``rescale``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.levels.gradient import GradientLevel
from mtbalance.balancing.manipulations import build_manipulation
from mtbalance.balancing.optimizers import Optimizer
from mtbalance.balancing.options import UpdateOptions
from mtbalance.balancing.rows import Parts, gram_matrix, stacked
from mtbalance.balancing.rules import GramRule, RowRule, has_positive_sum

SMALLEST = 1e-10
"""A squared norm below this part of its largest possible value is taken for zero."""


class UpdateLevel(GradientLevel):
    """Rows are d_k, the update of the shared parameters that the optimizer would make for task k's gradient alone.

    Source: PUB (arXiv 2410.05806), algorithm 1. One step has four parts:

    1. K backward passes give the K task gradients g_k.
    2. The optimizer proposes d_k for each g_k, from its present moments, which stay as they are. A manipulation then
       acts on each d_k (PUB+Clippy, PUB+AdaTask).
    3. At a search the rule finds the weights a from D'D, where D holds the d_k; ``rescale`` sets their scale.
    4. theta <- theta - lr sum_k a_k d_k. The moments see sum_k a_k g_k, with the same a, only now.

    A task's own parameters take an ordinary step on the gradient of their own task.

    The text leaves several choices open; the options of
    :class:`~mtbalance.balancing.options.UpdateOptions` name them. Four are decided here and have no option:

    - d_k does not include the learning rate, so a search does not depend on it. (Clippy compares lr d_k.)
    - Decoupled weight decay acts once per step. Coupled decay, which is part of a gradient, is in every d_k.
    - Shared parameters are those that two losses reach.
    - Gradients are dense.

    A rule that combines rows itself gives the joint update; it is taken as it is. What happens at a search without a
    solution is the rule's to decide (``without_solution`` of ``nash``).
    """

    options: UpdateOptions

    def __init__(
        self, parameters: Iterable[Parameter], rule: GramRule | RowRule, optimizer: Optimizer, options: UpdateOptions
    ) -> None:
        super().__init__(parameters, rule, optimizer, options)
        self.manipulation = build_manipulation(optimizer, options)
        self.moment_weights = options.moment_weights or self.manipulation.moment_weights
        if options.rescale == "sum_to_1":
            self.weights = self.weights / self.tasks
        self.solved, self.unscaled = self.weights, False

    def searches(self) -> bool:
        """True if this step searches weights."""
        since = self.steps + 1 - self.options.first_search
        return since >= 0 and since % self.options.every == 0

    def _task_gradients(self, losses: list[Tensor]) -> Sequence[Tensor]:
        return [stacked(parts) for parts in super()._task_gradients(losses)]

    def _rows(self, gradients: Sequence[Parts]) -> Sequence[Tensor]:
        return [self.manipulation.propose(p, stacked(g)) for p, g in zip(self.sharing.shared, gradients, strict=True)]

    def gram(self, rows: Sequence[Parts]) -> Matrix:
        """D'D [K, K], over the parameters that ``gram_over`` names."""
        gram = gram_matrix(rows)
        if self.options.gram_over == "all":
            gram += np.diag(np.array([self._squared_update(own) for own in self.sharing.own]))
        return gram

    def _squared_update(self, own: list[Parameter]) -> float:
        """|d|^2 of the ordinary step that a task's own parameters are about to take."""
        moved = [(parameter, parameter.grad) for parameter in own if parameter.grad is not None]
        updates = (self.optimizer.propose(parameter, gradient.unsqueeze(0)) for parameter, gradient in moved)
        return sum(float(update.square().sum()) for update in updates)

    def rescaled(self, weights: Vector, gram: Matrix) -> Vector:
        """The weights [K] on the scale that ``rescale`` names; as solved if there is no such scale."""
        self.solved = weights
        self.unscaled = not self._has_scale(weights, gram)
        if self.unscaled or self.options.rescale == "none":
            return weights
        if self.options.rescale == "match_norm":
            ones = np.ones(self.tasks)
            plain, solved = float(ones @ gram @ ones), float(weights @ gram @ weights)
            return weights * sqrt(max(plain, 0.0) / solved)
        total = float(weights.sum())
        return weights * (self.tasks / total) if self.options.rescale == "sum_to_K" else weights / total

    def _has_scale(self, weights: Vector, gram: Matrix) -> bool:
        if self.options.rescale == "match_norm":
            longest = np.abs(weights) @ np.sqrt(gram.diagonal())
            return bool(weights @ gram @ weights > SMALLEST * longest**2)
        return self.options.rescale == "none" or has_positive_sum(weights)

    def _write(self, gradients: Sequence[Parts], joint: Iterable[Tensor]) -> None:
        """Let the moments see the task gradients, and apply the joint update."""
        seen = {"rescaled": self.weights, "solved": self.solved, "ones": np.ones(self.tasks)}[self.moment_weights]
        for parameter, gradient, update in zip(self.sharing.shared, gradients, joint, strict=True):
            self.manipulation.commit(parameter, stacked(gradient), seen)
            self.optimizer.apply(parameter, update)
        self._weigh_heads()

    def balance(self, rows: Sequence[Parts], values: Vector) -> tuple[Iterable[Tensor], Vector, dict[str, float]]:
        """As at every level with rows; the scale and the manipulation add their diagnostics."""
        joint, weights, diagnostics = super().balance(rows, values)
        return joint, weights, diagnostics | {"unscaled": float(self.unscaled)} | self.manipulation.diagnostics()

    def state_dict(self) -> dict[str, Any]:
        """As the gradient level's, the weights as solved, and the manipulation's memory."""
        own = {"solved": self.solved.tolist(), "manipulation": self.manipulation.state_dict()}
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self.solved = np.array(state["solved"])
        self.manipulation.load_state_dict(state["manipulation"])
