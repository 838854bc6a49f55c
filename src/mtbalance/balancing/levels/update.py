"""The update level: combine the optimizer's updates for each task (PUB), and set the weights' scale (``rescale``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.layout import fitting
from mtbalance.balancing.levels import StepReport
from mtbalance.balancing.levels._rescaling import rescaled
from mtbalance.balancing.levels.gradient import GradientLevel
from mtbalance.balancing.manipulations import build_manipulation, known_update
from mtbalance.balancing.options import UpdateOptions
from mtbalance.balancing.processes import ALONE
from mtbalance.balancing.proposals import build_proposer
from mtbalance.balancing.rows import Parts, combine, stacked
from mtbalance.balancing.rules import GramRule, RowRule

SEEN = 10
"""Gradients that a second moment has averaged before its root divides others. One gradient over the root of n averaged
squares has Student's distribution with n degrees of freedom, whose tails are heavy while n is small: after a single
gradient some of many elements would move thousands of times as far as the others."""


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

    - d_k does not include the learning rate, so a search does not depend on it. (Clippy compares lr d_k.) With several
      rates, d_k is in units of the largest one.
    - Decoupled weight decay acts once per step. Coupled decay, which is part of a gradient, is in every d_k.
    - A gradient that ``.grad`` of a shared parameter holds already is given to the tasks in equal shares.
    - Gradients are dense.

    With ``preconditioner: delayed`` the divisors are those of the step before, so the joint update is a function of
    sum_k a_k g_k alone: sum_k a_k d_k = (b1 (sum_k a_k) m + (1 - b1) sum_k a_k g_k) / (sqrt(v) + eps) for Adam, up to
    the corrections of its averages. Between two searches one backward pass of the weighted loss then gives the very
    step that K passes would give (``between: weighted_loss``). An element that has had no gradient yet has no divisor;
    between searches its divisor is the one after the joint gradient, whichever way that is found. The first ``SEEN``
    steps have the present divisors, and take K passes.

    A rule that combines rows itself gives the joint update; it is taken as it is. What happens at a search without a
    solution is the rule's to decide (``without_solution`` of ``nash``).
    """

    options: UpdateOptions
    moves = True

    def __init__(
        self, optimizer: torch.optim.Optimizer, rule: GramRule | RowRule, options: UpdateOptions, **others: Any
    ) -> None:
        super().__init__(optimizer, rule, options, **others)
        self.proposer = build_proposer(optimizer)
        self.manipulation = build_manipulation(self.proposer, options)
        self.linear = self.manipulation.delayed and options.manipulation == "none"
        """True if a joint update is, after ``SEEN`` steps, a function of the joint gradient."""
        self.moment_weights = options.moment_weights or self.manipulation.moment_weights
        if options.rescale == "sum_to_1":
            self.weights = self.weights / self.tasks
        self.solved, self.unscaled = self.weights, False
        self._own_updates: dict[Parameter, list[Tensor | None]] = {}
        self._told: dict[str, float] = {}

    def passes(self) -> bool:
        """True if this step takes K backward passes."""
        return super().passes() or (self.linear and self.steps < SEEN)

    def searches(self) -> bool:
        """True if this step searches weights."""
        since = self.steps + 1 - self.options.first_search
        return since >= 0 and since % self.options.every == 0

    def _use(self, finite: bool) -> StepReport:
        """Keep the tasks' gradients for the step, and write those of the tasks' own parameters."""
        assert self.values is not None
        ones = np.ones(self.tasks)
        for parameter in self.own:
            self._write(parameter, combine(self.gradients[parameter], ones))
        self._write_others(ones)
        if self._scale is not None:
            for parameter in self.shared:
                self._write(parameter, _marker(self.gradients[parameter]))
        elif not self.own:  # a gradient that shows if the user clears gradients to give up the step
            smallest = min(self.shared, key=Tensor.numel)
            self._write(smallest, torch.zeros_like(smallest))
        return StepReport(self.values, self.weights.copy())

    @torch.no_grad()
    def _step(self, report: StepReport) -> StepReport:
        self.proposer = self.manipulation.refresh()
        if self.linear:
            self.manipulation.delayed = self.steps >= SEEN
        if self._marks and all(parameter.grad is None for parameter, _, _ in self._marks):
            raise ValueError("the gradients were cleared after backward: there is nothing to step on")
        if self.gradients:
            return self._balanced_step(report)
        if self.linear:
            joint = {p: p.grad for p in self.shared if p.grad is not None}
            self._linear_step(joint)
        else:
            self._keep_joint()
            with self._own_step():
                self.optimizer.step()
        return report

    def _balanced_step(self, report: StepReport) -> StepReport:
        """Propose the tasks' updates, combine them, and take the joint one."""
        gradients = {parameter: self._whole_gradient(parameter) for parameter in self.shared}
        if self.tasks == 1 and self.options.manipulation == "none":  # a single task's update is the optimizer's own
            if self.searched:
                self.measure(list(gradients.values()), None, ALONE)  # refuses what is not finite
            for parameter, gradient in gradients.items():
                parameter.grad = fitting(gradient[0], parameter)
            self._keep_joint()
            with self._own_step():
                self.optimizer.step()
            return report
        if self.linear and self.manipulation.delayed and not self.searched:
            self._linear_step({parameter: combine(gradient, self.weights) for parameter, gradient in gradients.items()})
            return report
        rows = self.manipulation.propose(self.shared, list(gradients.values()))
        diagnostics: dict[str, float] = {}
        if self.searched:
            self._propose_own()
            joint, self.weights, diagnostics = self.balance(rows, report.losses)
        else:
            joint = self.combined(rows, self.weights)
        self._weigh_own()
        seen = {"rescaled": self.weights, "solved": self.solved, "ones": np.ones(self.tasks)}[self.moment_weights]

        def commit(parameter: Parameter) -> Tensor | None:
            return self.manipulation.commit(parameter, gradients[parameter], seen)

        if self.keeps_joint:
            self._keep_joint({parameter: combine(gradient, seen) for parameter, gradient in gradients.items()})
        with self._own_step():
            self.proposer.take(self.shared, list(joint), commit)
        return replace(report, weights=self.weights.copy(), diagnostics=diagnostics)

    def _whole_gradient(self, parameter: Parameter) -> Tensor:
        """The tasks' gradients [K, *shape] of a shared parameter, without a scaler's factor."""
        gradient = stacked(self.gradients.pop(parameter))
        if self._scale is not None:
            gradient = gradient / self._scale
        if parameter.grad is not None:
            gradient = gradient + parameter.grad / self.tasks
            parameter.grad = None
        return gradient

    def _linear_step(self, joint: dict[Parameter, Tensor]) -> None:
        """The joint update of a delayed preconditioner, from the weighted sums of the tasks' gradients."""
        if self.gradients:  # else one pass of the weighted loss has weighed them
            self._weigh_own()
        self._keep_joint(joint)
        with self._own_step():
            known_update(self.proposer, "preconditioner: delayed").take_joint(joint, total=float(self.weights.sum()))

    def _weigh_own(self) -> None:
        """Weigh the gradients of the tasks' own parameters, if heads are weighted."""
        if self.heads == "own":
            return
        for parameter in self.own:
            users = [task for task, part in enumerate(self.gradients[parameter]) if part is not None]
            if parameter.grad is not None and len(users) == 1 and parameter not in self._found:
                parameter.grad.mul_(float(self.weights[users[0]]))
            elif parameter.grad is not None:  # with other things in it
                more = combine(self.gradients[parameter], self.weights - 1)
                parameter.grad.add_(more if self._scale is None else more / self._scale)

    def _propose_own(self) -> None:
        """The updates of the ordinary step that the tasks' own parameters are about to take, as parts of rows."""
        self._own_updates = {}
        if self.options.gram_over == "shared":
            return
        moved = [parameter for parameter in self.own if parameter.grad is not None]
        gradients = [parameter.grad.unsqueeze(0) for parameter in moved if parameter.grad is not None]
        for parameter, update in zip(moved, self.proposer.propose(moved, gradients), strict=True):
            user, parts = self.sharing.user(parameter), self.gradients[parameter]
            uses = [part is not None and user in (task, None) for task, part in enumerate(parts)]
            self._own_updates[parameter] = [update[0] if used else None for used in uses]

    def own_rows(self) -> list[Parts]:
        """The rows in the tasks' own parameters. A task's update of parameters that it does not use is zero."""
        return list(self._own_updates.values())

    def groups(self, rows: Sequence[Parts]) -> tuple[list[Sequence[Parts]], list[Tensor]]:
        """As at the gradient level; the manipulation's counts are read along."""
        return super().groups(rows)[0], self.manipulation.counts()

    def read_along(self, numbers: Vector) -> None:
        """Tell what the manipulation's counts mean."""
        self._told = self.manipulation.diagnostics(numbers)

    def rescaled(self, weights: Vector, gram: Matrix) -> Vector:
        """The weights [K] on the scale that ``rescale`` names; as solved if there is no such scale."""
        self.solved = weights
        scaled = rescaled(weights, gram, self.options.rescale)
        self.unscaled = scaled is None
        return weights if scaled is None else scaled

    def balance(
        self, rows: Sequence[Parts], values: Vector, **others: Any
    ) -> tuple[Iterable[Tensor], Vector, dict[str, float]]:
        """As at every level with rows; the scale and the manipulation add their diagnostics."""
        self._told = {}
        joint, weights, diagnostics = super().balance(rows, values, **others)
        return joint, weights, diagnostics | {"unscaled": float(self.unscaled)} | self._told

    def _memory(self) -> dict[str, Any]:
        return super()._memory() | {"solved": self.solved.tolist()}

    def _remember(self, memory: dict[str, Any]) -> None:
        super()._remember(memory)
        self.solved = np.array(memory["solved"])

    def state_dict(self) -> dict[str, Any]:
        """As the gradient level's, and the manipulation's memory."""
        return super().state_dict() | {"manipulation": self.manipulation.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self.manipulation.load_state_dict(state["manipulation"])


def _marker(parts: Sequence[Tensor | None]) -> Tensor:
    """Zeros, or NaN if a part is not finite, for a gradient scaler to find."""
    return sum((0 * part for part in parts if part is not None), torch.zeros(()))
