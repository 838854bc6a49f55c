"""The loss level: weigh the losses, then one backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.levels import Level, StepReport
from mtbalance.balancing.levels._gradients import accumulate, refuse_other_weights
from mtbalance.balancing.losses import read
from mtbalance.balancing.manipulations import build_manipulation
from mtbalance.balancing.options import LossOptions
from mtbalance.balancing.proposals import build_proposer
from mtbalance.balancing.rules import LossRule


class LossLevel(Level):
    """All parameters, shared and the tasks' own alike, take a step on the gradient of sum_k w_k L_k.

    With equal weights a clipped step is ClippyAdam, and with the optimizer AdaGrad the original Clippy. Gradients of a
    part of a batch cannot be weighed anew, so a rule whose weights depend on the losses of the step is refused at a
    second call of :meth:`backward`.
    """

    rule: LossRule
    options: LossOptions

    def __init__(self, optimizer: torch.optim.Optimizer, rule: LossRule, options: LossOptions, **others: Any) -> None:
        super().__init__(optimizer, rule, options, **others)
        self.moves = options.manipulation != "none"
        self.proposer = build_proposer(optimizer) if self.moves else None
        self.manipulation = build_manipulation(self.proposer, options) if self.proposer else None
        self._used: Vector | None = None

    def _forget(self) -> None:
        super()._forget()
        self._used = None

    def _backward(self, losses: list[Tensor]) -> StepReport:
        finite = self._take_values(read([self._values_of(losses)]))
        assert self.values is not None
        weights = np.ones(self.tasks)
        if finite and self.tasks > 1:
            weights = self._smoothed(self.rule.weights(self._shown(self.values)))
            refuse_other_weights(self._used, weights, self.rule)
            self._used = weights
        self.searched = True
        processes = self.processes()
        others = self.others.look(losses, self.all_parameters, processes) if processes.size > 1 else []
        accumulate(weighted_sum(self._scaled(losses), weights), [*self.present, *others], processes)
        return StepReport(self.values, weights.copy(), dict(self.rule.diagnostics))

    def _step(self, report: StepReport) -> StepReport:
        return self._manipulated_step(report) if self.moves else super()._step(report)

    def _manipulated_step(self, report: StepReport) -> StepReport:
        """The optimizer's step on the joint gradient, with each parameter's update manipulated."""
        assert self.proposer is not None and self.manipulation is not None
        manipulation = self.manipulation
        self._shorten()
        self._keep_joint()
        gradients = {p: p.grad.unsqueeze(0) for p in self.present if p.grad is not None}
        self.proposer = manipulation.refresh()
        updates = [update[0] for update in manipulation.propose(list(gradients), list(gradients.values()))]
        with self._own_step():
            commit = lambda parameter: manipulation.commit(parameter, gradients[parameter], np.ones(1))  # noqa: E731
            self.proposer.take(list(gradients), updates, commit)
        norm = [] if self._norm is None else [self._norm]
        numbers = read([*norm, *manipulation.counts()])
        told = manipulation.diagnostics(numbers[len(norm) :])
        shortened = {"gradient_norm": float(numbers[0])} if norm else {}
        return replace(report, diagnostics=report.diagnostics | told | shortened)


def weighted_sum(losses: Sequence[Tensor], weights: Vector) -> Tensor:
    """sum_k w_k L_k."""
    total: Tensor = reduce(add, (float(weight) * loss for weight, loss in zip(weights, losses, strict=True)))
    return total
