"""The gradient level: combine the tasks' gradients of the shared parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.layout import fitting
from mtbalance.balancing.levels import StepReport
from mtbalance.balancing.levels._gradients import accumulate
from mtbalance.balancing.levels._passes import Others, allow_repeated_passes
from mtbalance.balancing.levels._rows import RowLevel
from mtbalance.balancing.levels.loss import weighted_sum
from mtbalance.balancing.losses import is_nonzero, read, together
from mtbalance.balancing.options import GradientOptions, UpdateOptions
from mtbalance.balancing.reach import last_layer
from mtbalance.balancing.rows import Parts, combine
from mtbalance.balancing.rules import GramRule, RowRule
from mtbalance.balancing.sharing import Gradients, Sharing

SMALLEST_WEIGHT = 1e-3
"""A gradient times a weight below this is not divided by it again."""


class GradientLevel(RowLevel):
    """Rows are g_k = dL_k/dtheta; the shared parameters get sum_k w_k g_k (MGDA, NashMTL, ...).

    A search takes K backward passes and no more, since its rows are the gradients themselves. They are kept until the
    optimizer steps: the gradients of further parts of the batch are added to them, and the sums are balanced anew.
    """

    options: GradientOptions | UpdateOptions
    rewrites: ClassVar[bool] = True

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        rule: GramRule | RowRule,
        options: GradientOptions | UpdateOptions,
        **others: Any,
    ) -> None:
        super().__init__(optimizer, rule, options, **others)
        self.weights = np.ones(self.tasks)
        self.sharing = Sharing(self.tasks, self.given)
        self.gradients: Gradients = {}
        """The tasks' gradients in the step that has begun."""
        self.shared: list[Parameter] = []
        """The shared parameters, as the last K backward passes told."""
        self.own: list[Parameter] = []
        """The other parameters that some task reached then."""
        self._found: dict[Parameter, Tensor] = {}
        self._last_layer = -1
        self.others = Others(allow_repeated_passes())
        """They get the weighted sum of the tasks' gradients; at the update level, the sum."""

    def searches(self) -> bool:
        """True if this step searches weights."""
        return self.steps % self.options.every == 0

    def passes(self) -> bool:
        """True if this step takes K backward passes."""
        return self.searches() or self.options.between == "task_updates"

    def _forget(self) -> None:
        super()._forget()
        self._release()

    def _release(self) -> None:
        super()._release()
        self.gradients, self._found = {}, {}

    def _begin(self, scaler: torch.amp.GradScaler | None) -> None:
        super()._begin(scaler)
        if not self._marks:  # the step begins: what is in .grad already is added to, as a backward pass does
            others = self.others.parameters(self.all_parameters)
            self._found = {p: p.grad for p in [*self.present, *others] if p.grad is not None}

    def _backward(self, losses: list[Tensor]) -> StepReport:
        self.searched = self.searches()
        if not self.passes():
            return self._weighted_loss(losses)
        gradients = self._task_gradients(self._scaled(losses))
        finite = self._look(losses, gradients)
        for parameter, parts in self.gradients.items():
            gradients[parameter] = _added(parts, gradients[parameter]) if parameter in gradients else parts
        self.gradients = gradients
        others = set(self.others.parameters(self.all_parameters))
        self.shared = [parameter for parameter in self.sharing.shared(gradients) if parameter not in others]
        if any(part is not None and part.is_sparse for parameter in self.shared for part in gradients[parameter]):
            raise ValueError(
                f"a shared parameter has sparse gradients, and level {self.options.level} needs dense rows: balance at "
                "level loss or representation, or make the embedding with sparse=False"
            )
        settled = others.union(self.shared)
        self.own = [parameter for parameter in gradients if parameter not in settled]
        if not self.shared and all(loss.requires_grad for loss in losses):
            raise ValueError(
                "no parameter of the optimizer is reached by two losses: make the balancer around the optimizer of the "
                "shared parameters (masters in float32 are not in the graph), or train at level loss"
            )
        self.searched = self.searched and bool(self.shared)
        if self.searched and self.rule.sees == "last_layer":
            self._last_layer = last_layer(losses, self.shared)
        return self._use(finite)

    def _task_gradients(self, losses: Sequence[Tensor]) -> Gradients:
        """K backward passes, summed over processes. Parameters that no task reaches are left out."""
        processes = self.processes()
        others = self.others.look(losses, self.all_parameters, processes)
        new = {p: p.grad for p in others if p.grad is not None and p not in self.gradients}
        self._found = new | self._found
        parameters = [*self.present, *others]
        nothing: list[Tensor | None] = [None] * len(parameters)
        live = [task for task, loss in enumerate(losses) if loss.requires_grad]
        columns: list[Sequence[Tensor | None]] = [nothing] * self.tasks
        for task in live:
            loss = losses[task] / processes.size if processes.size > 1 else losses[task]
            columns[task] = torch.autograd.grad(loss, parameters, retain_graph=task != live[-1], allow_unused=True)
        if processes.size > 1:
            flat = processes.sum_present([one for column in columns for one in column], parameters * self.tasks)
            columns = [flat[first : first + len(parameters)] for first in range(0, len(flat), len(parameters))]
        found = {p: list(parts) for p, parts in zip(parameters, zip(*columns, strict=True), strict=True)}
        found = {parameter: parts for parameter, parts in found.items() if any(part is not None for part in parts)}
        return found

    def _look(self, losses: Sequence[Tensor], gradients: Gradients) -> bool:
        """Read the losses, and which tasks use the parameters that several reach. False if losses are not finite."""
        unclear = self.sharing.unclear(gradients)
        flags = [is_nonzero(part) for parameter, task in unclear if (part := gradients[parameter][task]) is not None]
        numbers = read([self._values_of(losses), *([together(flags)] if flags else [])])
        finite = self._take_values(numbers[: self.tasks])
        if finite:
            used = zip(unclear, numbers[self.tasks :].tolist(), strict=True)
            self.sharing.learn(gradients, [pair for pair, is_used in used if is_used])
        return finite

    def _use(self, finite: bool) -> StepReport:
        """Balance the tasks' gradients, and write the joint one."""
        assert self.values is not None
        rows: list[Parts] = [self.gradients[parameter] for parameter in self.shared]
        diagnostics: dict[str, float] = {}
        weights = self.weights
        if self.searched and finite:
            joint, weights, diagnostics = self.balance(rows, self.values, scale=self._scale)
            self.weights = weights if diagnostics else self.weights
        else:
            joint = self.combined(rows, weights)
        for parameter, gradient in zip(self.shared, joint, strict=True):
            self._write(parameter, gradient)
        self._write_own(weights)
        self._write_others(weights)
        return StepReport(self.values, weights.copy(), diagnostics)

    def _write(self, parameter: Parameter, gradient: Tensor) -> None:
        """Set ``.grad``: to ``gradient``, and what was there when the step began."""
        if parameter in self._found:
            parameter.grad = self._found[parameter] + gradient
        else:
            parameter.grad = fitting(gradient, parameter)

    def _write_own(self, weights: Vector) -> None:
        """Set the gradients of the parameters that are not shared; weighted if heads are."""
        weights = weights if self.heads == "weighted" else np.ones(self.tasks)
        for parameter in self.own:
            self._write(parameter, combine(self.gradients[parameter], weights))

    def _write_others(self, weights: Vector) -> None:
        """Set the gradients of parameters that the optimizer does not have."""
        for parameter in filter(self.gradients.__contains__, self.others.parameters(self.all_parameters)):
            self._write(parameter, combine(self.gradients[parameter], weights))

    def groups(self, rows: Sequence[Parts]) -> tuple[list[Sequence[Parts]], list[Tensor]]:
        """The rows, with the tasks' own parameters if the option says so; and the last layer, if the rule sees it."""
        groups = [rows if self.options.gram_over == "shared" else [*rows, *self.own_rows()]]
        if self.rule.sees == "last_layer":
            groups.append([rows[self._last_layer]])
        return groups, []

    def own_rows(self) -> list[Parts]:
        """The rows in the tasks' own parameters."""
        return [self.gradients[parameter] for parameter in self.own]

    def _weighted_loss(self, losses: list[Tensor]) -> StepReport:
        """One backward pass of the weighted sum of losses.

        With heads of their own weight, the gradients of the tasks' own parameters are divided by the weights again, or
        found in a pass of their own where that would lose digits.
        """
        self._take_values(read([self._values_of(losses)]))
        assert self.values is not None
        scaled = self._scaled(losses)
        total, processes = weighted_sum(scaled, self.weights), self.processes()
        parameters = [*self.present, *self.others.look(losses, self.all_parameters, processes)]
        users = {parameter: self.sharing.user(parameter) for parameter in self.own}
        if self.heads == "weighted" or not self.own:
            accumulate(total, parameters, processes)
        elif processes.size == 1 and all(map(self._divisible, users, users.values())):
            accumulate(total, parameters, processes)
            for parameter, task in users.items():
                if parameter.grad is not None and task is not None:
                    parameter.grad.div_(float(self.weights[task]))
        else:
            accumulate(total, [p for p in parameters if p not in users], processes, only=True, keep=True)
            plain = weighted_sum(scaled, np.ones(self.tasks))
            accumulate(plain, [p for p in parameters if p in users], processes, only=True)
        return StepReport(self.values, self.weights.copy())

    def _divisible(self, parameter: Parameter, task: int | None) -> bool:
        """True if a task's own gradient can be found from its weighted one."""
        return parameter.grad is None and task is not None and abs(self.weights[task]) > SMALLEST_WEIGHT

    def _shared_by(self, losses: Sequence[Tensor]) -> list[Parameter]:
        return self.shared

    def _memory(self) -> dict[str, Any]:
        return super()._memory() | {"weights": self.weights.tolist()}

    def _remember(self, memory: dict[str, Any]) -> None:
        super()._remember(memory)
        self.weights = np.array(memory["weights"])

    def state_dict(self) -> dict[str, Any]:
        """As every level's with rows, the weights that are kept between searches, and who uses which parameter."""
        order = self.all_parameters()
        positions = {parameter: position for position, parameter in enumerate(order)}
        last = {name: [positions[p] for p in found] for name, found in (("shared", self.shared), ("own", self.own))}
        return super().state_dict() | {"sharing": self.sharing.state_dict(order), "last": last}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        super().load_state_dict(state)
        order = self.all_parameters()
        self.sharing.load_state_dict(state["sharing"], order)
        self.shared, self.own = ([order[position] for position in state["last"][name]] for name in ("shared", "own"))


def _added(parts: list[Tensor | None], others: list[Tensor | None]) -> list[Tensor | None]:
    return [
        other if part is None else part if other is None else part + other
        for part, other in zip(parts, others, strict=True)
    ]
