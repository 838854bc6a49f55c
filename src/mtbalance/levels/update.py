"""The update level: combine what the optimiser would do for each task (PUB)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import Parameter

from mtbalance.gram import Parts, gram_matrix, stacked
from mtbalance.levels import Weights
from mtbalance.levels.gradient import Gradient
from mtbalance.manipulations import build_manipulation
from mtbalance.optimizers import Optimizer
from mtbalance.rules import Rule, has_positive_sum

SMALLEST = 1e-10
"""A squared norm below this part of what it could be is taken for zero."""


class Update(Gradient):
    """Rows are d_k, the update of the shared parameters that the optimiser would make for task k's gradient alone.

    Source: PUB, algorithm 1. At step t: the K gradients g_k; d_k from the present moments, which stay as they are;
    weights a from D'D at a search; theta <- theta - lr sum_k a_k d_k; only then the moments, with sum_k a_k g_k and the
    same a. Own parameters take an ordinary step on their own task's gradient. ``manipulation`` acts on each d_k
    (PUB+Clippy, PUB+AdaTask); without one, d_k is the optimiser's.

    ``rescale``: as solved (``none``) the joint update has norm sqrt(K) however many parameters there are, so a network
    hardly moves; ``sum_to_K`` gives weights that sum to K; ``match_norm`` gives the joint update the norm of sum_k d_k.
    Each d_k is a whole step of the optimiser, so with both a step is up to K times as long as the optimiser's on the
    summed loss; ``sum_to_1`` compares at equal length. Where there is no such scale (signed weights, as Aligned-MTL's,
    may have no positive sum, and a joint update may vanish) weights stay as solved; ``unscaled`` in the diagnostics is
    1 for such a search. The joint row of a rule that combines rows itself is taken as it is.

    What the text leaves open beside the scale, each with its default:

    ``preconditioner: present``: the divisor of d_k has seen g_k, as in the release. ``delayed``: not yet, the order of
    Clippy, to which the paper appeals for moments that move last; for Clippy with AdaGrad it is the default. That the
    numerator has not seen it either would make all d_k one vector, and is not offered.

    ``moment_weights: rescaled``: the moments see sum_k a_k g_k with the a of the step, "the same weights" of section
    V-A, so that momentum and fresh gradient are on one scale. ``solved``: with a before ``rescale``. ``ones``: sum_k
    g_k. AdaTask's moments of task k see a_k g_k likewise; ``ones``, raw gradients, is their default.

    ``gram_over: shared``: D holds the updates of the shared parameters, as in the paper. ``all``: the tasks' own as
    well, as in the release; a task's update of what it does not reach is zero, so that |d_k|^2 grows and no inner
    product does. ``joint_norm`` and ``match_norm`` then include them.

    ``first_search: 1``: searches are at steps 1, n+1, ... In the release they are at 2, n+2, ...; until the first one,
    tasks weigh the same.

    What a search without a solution does is the rule's to say (``without_solution`` of ``nash``).

    Decided here: d_k is before the learning rate, of which a search is independent (Clippy compares lr d_k); decoupled
    weight decay acts once, and coupled decay, which is part of a gradient, is in every d_k; shared is what two losses
    reach; gradients are dense.
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
        first_search: int = 1,
        clip: Mapping[str, float | None] | None = None,
        preconditioner: str | None = None,
        moment_weights: str | None = None,
        gram_over: str = "shared",
    ) -> None:
        super().__init__(parameters, rule, optimizer, heads=heads, every=every, between=between)
        self.manipulation = build_manipulation(manipulation, optimizer, clip, preconditioner)
        self.moment_weights = moment_weights or self.manipulation.moment_weights
        self.rescale, self.first_search, self.gram_over = rescale, first_search, gram_over
        if rescale == "sum_to_1":
            self.weights = self.weights / self.tasks
        self.solved, self.unscaled = self.weights, False

    def default_heads(self) -> str:
        """PUB: the ordinary optimiser on each task's own gradient."""
        return "own"

    def searches(self) -> bool:
        """Whether this step searches weights."""
        since = self.steps + 1 - self.first_search
        return since >= 0 and since % self.every == 0

    def _task_gradients(self, losses: list[Tensor]) -> list[Parts]:
        return [stacked(parts) for parts in super()._task_gradients(losses)]

    def _rows(self, gradients: list[Parts]) -> list[Parts]:
        return [self.manipulation.propose(p, g) for p, g in zip(self.sharing.shared, gradients, strict=True)]

    def gram(self, rows: list[Parts]) -> Weights:
        """D'D [K, K], over the parameters of ``gram_over``."""
        gram = gram_matrix(rows)
        if self.gram_over == "all":
            gram += np.diag([self._squared_update(own) for own in self.sharing.own])
        return gram

    def _squared_update(self, own: list[Parameter]) -> float:
        """|d|^2 of the ordinary step that a task's own parameters are about to take."""
        moved = [parameter for parameter in own if parameter.grad is not None]
        updates = (self.optimizer.propose(parameter, parameter.grad.unsqueeze(0)) for parameter in moved)
        return sum(float(update.square().sum()) for update in updates)

    def rescaled(self, weights: Weights, gram: Weights) -> Weights:
        """The weights on the chosen scale (``rescale``); as solved where there is none."""
        self.solved = weights
        self.unscaled = not self._has_scale(weights, gram)
        if self.unscaled or self.rescale == "none":
            return weights
        if self.rescale == "sum_to_K":
            return weights * (self.tasks / weights.sum())
        if self.rescale == "sum_to_1":
            return weights / weights.sum()
        ones = np.ones(self.tasks)
        return weights * np.sqrt(max(ones @ gram @ ones, 0.0) / (weights @ gram @ weights))

    def _has_scale(self, weights: Weights, gram: Weights) -> bool:
        if self.rescale == "match_norm":
            longest = np.abs(weights) @ np.sqrt(gram.diagonal())
            return weights @ gram @ weights > SMALLEST * longest**2
        return self.rescale == "none" or has_positive_sum(weights)

    def _write(self, gradients: list[Parts], joint: Iterable[Tensor]) -> None:
        seen = {"rescaled": self.weights, "solved": self.solved, "ones": np.ones(self.tasks)}[self.moment_weights]
        for parameter, gradient, update in zip(self.sharing.shared, gradients, joint, strict=True):
            self.manipulation.commit(parameter, gradient, seen)
            self.optimizer.apply(parameter, update)
        self._weigh_heads()

    def balance(self, rows: list[Parts], values: Weights) -> tuple[Iterable[Tensor], Weights, dict[str, float]]:
        """As at every level; the scale and the manipulation add their diagnostics."""
        joint, weights, diagnostics = super().balance(rows, values)
        return joint, weights, diagnostics | {"unscaled": float(self.unscaled)} | self.manipulation.diagnostics()

    def state_dict(self) -> dict[str, Any]:
        """As the gradient level's, the weights as solved, and the manipulation's memory."""
        own = {"solved": self.solved.tolist(), "manipulation": self.manipulation.state_dict()}
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self.solved = np.array(state["solved"])
        self.manipulation.load_state_dict(state["manipulation"])
