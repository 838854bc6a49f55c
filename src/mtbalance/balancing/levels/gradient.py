"""The gradient level: combine the tasks' gradients of the shared parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.levels import Again, StepReport
from mtbalance.balancing.levels._rows import RowLevel, weigh_gradients
from mtbalance.balancing.levels.loss import weighted_sum
from mtbalance.balancing.optimizers import Optimizer
from mtbalance.balancing.options import SearchOptions
from mtbalance.balancing.rows import Parts
from mtbalance.balancing.rules import GramRule, RowRule
from mtbalance.balancing.sharing import Sharing, find_sharing


class GradientLevel(RowLevel):
    """Rows are g_k = dL_k/dtheta; the shared parameters get sum_k w_k g_k (MGDA, NashMTL, ...).

    A search takes K backward passes and no more, since its rows are the gradients themselves.
    """

    options: SearchOptions

    def __init__(
        self, parameters: Iterable[Parameter], rule: GramRule | RowRule, optimizer: Optimizer, options: SearchOptions
    ) -> None:
        super().__init__(parameters, rule, optimizer, options)
        self.weights = np.ones(self.tasks)
        self.sharing = Sharing()
        """Empty until the first step."""

    def step(self, losses: Sequence[Tensor], again: Again | None = None) -> StepReport:
        """Take one step; the first one reads the shared parameters off the losses' graphs.

        Raises ``ValueError`` if no parameter is reached by two losses, because there is then nothing to balance.
        """
        if not self.sharing.shared:
            self.sharing = find_sharing(losses, self.parameters)
            if not self.sharing.shared:
                raise ValueError("no parameter is reached by two losses: train such a model at level loss")
        return super().step(losses, again)

    def _step(self, losses: list[Tensor], values: Vector) -> tuple[Vector, dict[str, float]]:
        search = self.searches()
        diagnostics: dict[str, float] = {}
        if not search and self.options.between == "weighted_loss":
            self._weighted_loss(losses)
        else:
            gradients = self._task_gradients(losses)
            rows = self._rows(gradients)
            if search:
                joint, self.weights, diagnostics = self.balance(rows, values)
            else:
                joint = self.combined(rows, self.weights)
            self._write(gradients, joint)
        norm = self.shorten()
        self.optimizer.step()
        return self.weights, (diagnostics | norm) if search else {}

    def searches(self) -> bool:
        """True if this step searches weights."""
        return self.steps % self.options.every == 0

    def _task_gradients(self, losses: list[Tensor]) -> Sequence[Parts]:
        """K backward passes: the K gradients of each shared parameter. A task's own parameters get their ``.grad``."""
        shared, rows = self.sharing.shared, []
        for task, (loss, own) in enumerate(zip(losses, self.sharing.own, strict=True)):
            found: Sequence[Tensor | None] = torch.autograd.grad(
                loss, shared + own, retain_graph=task < self.tasks - 1, allow_unused=True
            )
            rows.append(found[: len(shared)])
            for parameter, gradient in zip(own, found[len(shared) :], strict=True):
                parameter.grad = None if gradient is None else laid_out(gradient, parameter)
        return list(zip(*rows, strict=True))

    def _rows(self, gradients: Sequence[Parts]) -> Sequence[Parts]:
        """The rows that are balanced: here the gradients themselves."""
        return gradients

    def last_layer(self, rows: Sequence[Parts]) -> Sequence[Parts]:
        """The part of the rows in the last shared layer's weight."""
        return [rows[self.sharing.last_layer]]

    def _write(self, gradients: Sequence[Parts], joint: Iterable[Tensor]) -> None:
        """Give every shared parameter its joint gradient, and weigh own gradients if heads are weighted."""
        for parameter, gradient in zip(self.sharing.shared, joint, strict=True):
            same = gradient.stride() == parameter.stride()
            parameter.grad = gradient if same else laid_out(gradient, parameter)
        self._weigh_heads()

    def _weigh_heads(self) -> None:
        if self.heads == "weighted":
            for weight, own in zip(self.weights, self.sharing.own, strict=True):
                weigh_gradients(own, weight)

    def _weighted_loss(self, losses: list[Tensor]) -> None:
        """One backward pass of the weighted sum through the shared parameters."""
        if self.heads == "weighted":
            torch.autograd.backward(weighted_sum(losses, self.weights))
            return
        for loss, own in zip(losses, self.sharing.own, strict=True):
            if own:
                torch.autograd.backward(loss, inputs=own, retain_graph=True)
        torch.autograd.backward(weighted_sum(losses, self.weights), inputs=self.sharing.shared)

    def state_dict(self) -> dict[str, Any]:
        """As every level's with rows, and the weights that are kept between searches."""
        return super().state_dict() | {"weights": self.weights.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self.weights = np.array(state["weights"])


def laid_out(gradient: Tensor, parameter: Parameter) -> Tensor:
    """A copy of ``gradient`` in memory of its own, laid out as the parameter is; a sparse one is returned as it is.

    ``backward`` makes such gradients. Those of ``autograd.grad`` may have other strides, or be one tensor for two
    parameters; but fused optimizers read memory without regard to strides, and gradients are scaled in place.
    """
    return gradient if gradient.is_sparse else torch.empty_like(parameter).copy_(gradient)
