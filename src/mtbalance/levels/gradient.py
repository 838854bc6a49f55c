"""The gradient level: combine the tasks' gradients of the shared parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.gram import Parts, combine
from mtbalance.levels import Again, Level, StepReport, Weights
from mtbalance.levels.loss import weighted_sum
from mtbalance.optimizers import Optimizer
from mtbalance.rules import Rule
from mtbalance.sharing import Sharing, sharing


class Gradient(Level):
    """Rows are g_k = dL_k/dtheta; the shared parameters get sum_k w_k g_k (MGDA, NashMTL, ...).

    Weights are searched at steps 1, n+1, 2n+1, ... for ``every`` = n. Between searches a step is one backward pass
    of the weighted sum (``between: weighted_loss``), or K passes as at a search (``task_updates``). A search takes K
    backward passes and no more: their rows are combined in place.
    """

    def __init__(
        self,
        parameters: Iterable[Parameter],
        rule: Rule,
        optimizer: Optimizer,
        *,
        heads: str | None = None,
        every: int = 1,
        between: str = "weighted_loss",
        max_norm: float | None = None,
    ) -> None:
        super().__init__(parameters, rule, optimizer, heads=heads, max_norm=max_norm)
        self.every, self.between = every, between
        self.weights = np.ones(self.tasks)
        self.sharing: Sharing | None = None

    def step(self, losses: Sequence[Tensor], again: Again | None = None) -> StepReport:
        """One step; at the first, the shared parameters are read off the losses' graphs.

        Raises ``ValueError`` where no parameter is reached by two losses: there is then nothing to balance.
        """
        if self.sharing is None:
            self.sharing = sharing(losses, self.parameters)
            if not self.sharing.shared:
                raise ValueError("no parameter is reached by two losses: train such a model at level loss")
        return super().step(losses, again)

    def _step(self, losses: list[Tensor], values: Weights) -> tuple[Weights, dict[str, float]]:
        search = self.searches()
        diagnostics: dict[str, float] = {}
        if not search and self.between == "weighted_loss":
            self._weighted_loss(losses)
        else:
            gradients = self._task_gradients(losses)
            rows = self._rows(gradients)
            if search:
                joint, self.weights, diagnostics = self.balance(rows, values)
            else:
                joint = (combine(parts, self.weights) for parts in rows)
            self._write(gradients, joint)
        norm = self.shorten()
        self.optimizer.step()
        return self.weights, (diagnostics | norm) if search else {}

    def searches(self) -> bool:
        """Whether this step searches weights."""
        return self.steps % self.every == 0

    def _task_gradients(self, losses: list[Tensor]) -> list[Parts]:
        """K backward passes: the K gradients of each shared parameter; own parameters get their ``.grad``."""
        rows = []
        for task, (loss, own) in enumerate(zip(losses, self.sharing.own, strict=True)):
            found = torch.autograd.grad(
                loss, self.sharing.shared + own, retain_graph=task < self.tasks - 1, allow_unused=True
            )
            rows.append(found[: len(self.sharing.shared)])
            for parameter, gradient in zip(own, found[len(self.sharing.shared) :], strict=True):
                parameter.grad = None if gradient is None else laid_out(gradient, parameter)
        return list(zip(*rows, strict=True))

    def _rows(self, gradients: list[Parts]) -> list[Parts]:
        """What is balanced: here the gradients themselves."""
        return gradients

    def last_layer(self, rows: list[Parts]) -> list[Parts]:
        """The rows' part in the last shared layer's weight."""
        return [rows[self.sharing.last_layer]]

    def _write(self, gradients: list[Parts], joint: Iterable[Tensor]) -> None:
        """Give every shared parameter its joint gradient, and weigh own gradients where heads are weighted."""
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
            weighted_sum(losses, self.weights).backward()
            return
        for loss, own in zip(losses, self.sharing.own, strict=True):
            if own:
                torch.autograd.backward(loss, inputs=own, retain_graph=True)
        torch.autograd.backward(weighted_sum(losses, self.weights), inputs=self.sharing.shared)

    def state_dict(self) -> dict:
        """As every level's, and the weights that are kept between searches."""
        return super().state_dict() | {"weights": self.weights.tolist()}

    def load_state_dict(self, state: dict) -> None:
        """Take back what :meth:`state_dict` gave."""
        super().load_state_dict(state)
        self.weights = np.array(state["weights"])


def laid_out(gradient: Tensor, parameter: Parameter) -> Tensor:
    """A copy of ``gradient`` in memory of its own, laid out as the parameter is; a sparse one as it is.

    ``backward`` makes gradients like that. Those of ``autograd.grad`` can have other strides, or be one tensor for two
    parameters; but fused optimisers read memory without regard to strides, and gradients are scaled in place.
    """
    return gradient if gradient.is_sparse else torch.empty_like(parameter).copy_(gradient)


def weigh_gradients(parameters: list[Parameter], weight: float) -> None:
    """Multiply the gradients that the parameters have by ``weight``."""
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.mul_(float(weight))
