"""The representation level: combine the tasks' gradients where they meet, at the shared representation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Matrix, Vector
from mtbalance.balancing.levels import Representation, StepReport
from mtbalance.balancing.levels._gradients import add_gradients, refuse_other_weights
from mtbalance.balancing.levels._rows import RowLevel
from mtbalance.balancing.losses import read
from mtbalance.balancing.options import RepresentationOptions
from mtbalance.balancing.processes import Processes
from mtbalance.balancing.reach import find_reach, leaves
from mtbalance.balancing.rows import Parts, combine
from mtbalance.balancing.rules import GramRule, RowRule

Fork = tuple[tuple[Tensor, ...], list[tuple[Tensor, ...]]]
"""A representation and its K detached copies."""


class RepresentationLevel(RowLevel):
    """Rows are dL_k/dz at the representation z; the trunk gets sum_k w_k dL_k/dz in one backward pass.

    Source: MultiBalance (arXiv 2411.11871); with the min-norm rule, MGDA-UB (Sener and Koltun 2018, section 3.3). The
    heads read K detached copies of z (:meth:`fork`). A step is then one forward pass, one backward pass through each
    head, which yields the K rows, and one backward pass through the trunk. z is a tensor or a tuple of tensors, and
    rows are flattened over all of it, batch included. Several forks before one backward pass are parts of one z.
    Parameters that are applied after z and serve several tasks get the sum of the gradients of their losses, weighted
    if heads are.

    The trunk's gradient of a part of a batch cannot be weighed anew, so a rule whose weights depend on the rows is
    refused at a second call of :meth:`backward` before the step.
    """

    options: RepresentationOptions

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        rule: GramRule | RowRule,
        options: RepresentationOptions,
        **others: Any,
    ) -> None:
        super().__init__(optimizer, rule, options, **others)
        self.forks: list[Fork] = []
        """The representations forked since the last backward pass."""
        self.joint: list[Tensor] = []
        self._used: Vector | None = None
        self._gram: Matrix | None = None
        self._trunk: list[Tensor] = []

    def fork(self, representation: Representation) -> list[Representation]:
        """K detached copies of the representation, one for each task's head; without gradients, it itself.

        Raises ``ValueError`` if the representation depends on no parameter.
        """
        if not torch.is_grad_enabled():
            return [representation] * self.tasks
        tensors = (representation,) if isinstance(representation, Tensor) else tuple(representation)
        if not any(tensor.requires_grad for tensor in tensors):
            raise ValueError("the representation depends on no parameter: there is nothing shared to balance")
        copies = [
            tuple(tensor.detach().requires_grad_(tensor.requires_grad) for tensor in tensors) for _ in range(self.tasks)
        ]
        self.forks.append((tensors, copies))
        return [copy[0] for copy in copies] if isinstance(representation, Tensor) else list(copies)

    def _before_optimizer(self, *arguments: Any) -> None:
        """As at every level; a step whose gradients stopped at the copies is refused."""
        if any(tensor.grad is not None for _, copies in self.forks for copy in copies for tensor in copy):
            self.forks = []
            raise RuntimeError(
                "a backward pass that was not the balancer's ended at the forks, so the trunk has no gradient of it: "
                "give the losses to balancer.backward, or leave fork out"
            )
        super()._before_optimizer(*arguments)

    def _begin(self, scaler: torch.amp.GradScaler | None) -> None:
        super()._begin(scaler)
        if any(parameter.grad is not None for parameter in self.present):
            self.joint = []  # a gradient may be a view of that memory, if a view of a parameter is the representation

    def _forget(self) -> None:
        super()._forget()
        self._used = self._gram = None
        self._trunk = []

    def _shared_by(self, losses: Sequence[Tensor]) -> list[Parameter]:
        trunk, self._trunk = self._trunk, []
        before = {parameter for z in trunk for parameter in find_reach([z], self.present).shared}
        return [*before, *(parameter for parameter in super()._shared_by(losses) if parameter not in before)]

    def _roots(self, losses: Sequence[Tensor]) -> list[Tensor]:
        return [*losses, *(tensor for tensors, _ in self.forks for tensor in tensors)]

    def _backward(self, losses: list[Tensor]) -> StepReport:
        forks, self.forks = self.forks, []
        if not forks:
            raise ValueError(
                "level representation needs a fork before every backward pass: forks = balancer.fork(z), and the head "
                "of task k reads forks[k]"
            )
        finite = self._take_values(read([self._values_of(losses)]))
        assert self.values is not None
        trunk = [tensor for tensors, _ in forks for tensor in tensors]
        copies = [[tensor for _, copied in forks for tensor in copied[task]] for task in range(self.tasks)]
        parameters = self._named(losses, trunk)
        heads = self._through_heads(self._scaled(losses), copies, parameters)
        self._check_read(losses, copies)
        read_by = [
            (z, parts)
            for z, *parts in zip(trunk, *([tensor.grad for tensor in copy] for copy in copies), strict=True)
            if any(part is not None for part in parts)
        ]
        rows = [parts for _, parts in read_by]
        self.searched = True
        joint, weights, diagnostics = self._balanced(rows, self.values, finite)
        self._trunk = [z for z, _ in read_by] if self.options.clip_over == "shared" else []
        self._through_trunk([z for z, _ in read_by], list(joint), parameters, heads, weights)
        return StepReport(self.values, weights.copy(), diagnostics)

    def _balanced(
        self, rows: list[list[Tensor | None]], values: Vector, finite: bool
    ) -> tuple[list[Tensor], Vector, dict[str, float]]:
        if not finite:
            return list(self.combined(rows, np.ones(self.tasks))), np.ones(self.tasks), {}
        if isinstance(self.rule, RowRule) and self._used is not None:
            refuse_other_weights(self._used, np.full(self.tasks, np.nan), self.rule)
        joint, weights, diagnostics = self.balance(rows, values, scale=self._scale, apart=self.processes())
        refuse_other_weights(self._used, weights, self.rule)
        self._used = weights
        return list(joint), weights, diagnostics

    def _named(self, losses: Sequence[Tensor], trunk: Sequence[Tensor]) -> list[Parameter]:
        """The parameters that backward passes name: with one process, none, or those that weighted heads reach."""
        processes = self.processes()
        if processes.size == 1 and self.heads == "own":
            return []
        roots = losses if processes.size == 1 else [*losses, *trunk]
        return [*self.present, *self.others.look(roots, self.all_parameters, processes)]

    def _through_heads(
        self, losses: list[Tensor], copies: list[list[Tensor]], parameters: list[Parameter]
    ) -> list[Sequence[Tensor | None]]:
        """Backward passes from the losses to the copies, whose ``.grad`` they fill.

        Returns the gradients of the parameters on the way, one list for each task if heads are weighted, else one for
        all, unless they are in ``.grad`` already.
        """
        live = [loss for loss in losses if loss.requires_grad]
        processes = self.processes()
        if self.heads == "own" and processes.size == 1:
            torch.autograd.backward(live)
            return []
        share = [loss / processes.size for loss in losses] if processes.size > 1 else losses
        groups = [[loss] for loss in share] if self.heads == "weighted" else [share]
        reached = copies if self.heads == "weighted" else [[tensor for copy in copies for tensor in copy]]
        heads: list[Sequence[Tensor | None]] = []
        for number, (group, tensors) in enumerate(zip(groups, reached, strict=True)):
            wanted = [tensor for tensor in tensors if tensor.requires_grad] + parameters
            found: Sequence[Tensor | None] = [None] * len(wanted)
            if any(loss.requires_grad for loss in group):
                found = torch.autograd.grad(
                    [loss for loss in group if loss.requires_grad],
                    wanted,
                    retain_graph=number < len(groups) - 1,
                    allow_unused=True,
                )
            gradients = iter(found)
            for tensor in tensors:
                if tensor.requires_grad:
                    tensor.grad = next(gradients)
            heads.append(list(gradients))
        return heads

    def _through_trunk(
        self,
        trunk: list[Tensor],
        joint: list[Tensor],
        parameters: list[Parameter],
        heads: list[Sequence[Tensor | None]],
        weights: Vector,
    ) -> None:
        """One backward pass through the trunk; then the gradients of the parameters after z, weighted as heads are."""
        processes = self.processes()
        counted = weights if self.heads == "weighted" else np.ones(len(heads))
        behind = [_sum(parts, counted) for parts in zip(*heads, strict=True)] if heads else [None] * len(parameters)
        if processes.size == 1:
            torch.autograd.backward(trunk, joint)
            add_gradients(parameters, behind)
            return
        found = torch.autograd.grad(trunk, parameters, joint, allow_unused=True)
        both = [_sum(parts, np.ones(2)) for parts in zip(found, behind, strict=True)]
        add_gradients(parameters, processes.sum_present(both, parameters))

    def _check_read(self, losses: list[Tensor], copies: list[list[Tensor]]) -> None:
        looks = self._looks_closely()
        for task, (loss, copy) in enumerate(zip(losses, copies, strict=True)):
            if loss.requires_grad and all(tensor.grad is None for tensor in copy):
                raise ValueError(
                    f"loss {task} does not depend on forks[{task}]: the head of task {task} must read that copy of the "
                    "representation, and no other one"
                )
            if looks and loss.requires_grad:
                self._check_others(task, loss, copies)

    def _check_others(self, task: int, loss: Tensor, copies: list[list[Tensor]]) -> None:
        """Refuse a loss that reads the copy of another task, whose row its gradient would enter."""
        reached = {id(leaf) for leaf in leaves([loss])}
        for other, copy in enumerate(copies):
            if other != task and any(id(tensor) in reached for tensor in copy):
                raise ValueError(
                    f"loss {task} depends on forks[{other}] too: whatever it needs, read it off forks[{task}]. Losses "
                    "that were stacked, heads that were compiled as one, and what a DistributedDataParallel with "
                    "find_unused_parameters or static_graph returns depend on all forks: keep them apart"
                )

    def measure(
        self, rows: Sequence[Parts], scale: Tensor | None, apart: Processes
    ) -> tuple[tuple[Matrix, Matrix], bool]:
        """The Gram matrix of the whole batch, of which the rows may be a part."""
        (gram, _), finite = super().measure(rows, scale, apart)
        if self._gram is not None:
            gram = gram + self._gram
        self._gram = gram
        return (gram, gram), finite

    def combined(self, rows: Sequence[Parts], weights: Vector) -> list[Tensor]:
        """The weighted sum of K rows, in the memory of the last one: to allocate it anew costs more than the sum."""
        like = [next(part for part in parts if part is not None) for parts in rows]
        if list(map(_kind, like)) != list(map(_kind, self.joint)):
            self.joint = [torch.empty_like(part) for part in like]
        return [combine(parts, weights, out) for parts, out in zip(rows, self.joint, strict=True)]


def _sum(parts: Sequence[Tensor | None], weights: Vector) -> Tensor | None:
    return combine(parts, weights) if any(part is not None for part in parts) else None


def _kind(tensor: Tensor) -> tuple[torch.Size, torch.dtype, torch.device]:
    return tensor.shape, tensor.dtype, tensor.device
