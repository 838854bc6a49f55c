"""Level: from K losses to gradients, and from gradients to changed parameters. One level per file.

A level takes K scalar losses, asks its rule for weights, and hands the result to the user's optimizer. The losses are
separate scalars, so that each backward pass visits the graph of its own task only.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.levels._passes import Others
from mtbalance.balancing.levels._scaling import refuse_scaled
from mtbalance.balancing.levels._steps import Steps
from mtbalance.balancing.losses import Losses, read, scalar_losses, values_of
from mtbalance.balancing.options import BalancerOptions, JointGradientOptions
from mtbalance.balancing.processes import Processes, processes
from mtbalance.balancing.reach import find_reach, leaves
from mtbalance.balancing.replicas import alike, refuse_sharded
from mtbalance.balancing.rules import Rule
from mtbalance.registry import entry

if TYPE_CHECKING:
    import torch.distributed as dist

Representation = TypeVar("Representation", Tensor, tuple[Tensor, ...])
"""The tensor, or the tensors, that the tasks' heads read."""
Again = Callable[[], Losses]
"""Computes the K losses of the same batch anew."""


@dataclass(frozen=True)
class StepReport:
    """The losses, the weights and the diagnostics of one step."""

    losses: Vector
    """The losses [K] before the step."""
    weights: Vector
    """The weights [K] that were used."""
    diagnostics: dict[str, float] = field(default_factory=dict)
    """Numbers about this step's search (cosines, norm of the joint row, residual, ...); empty if weights were
    kept."""


class Level(Steps):
    """From losses to changed parameters: the part that all levels have in common."""

    row_bytes: int = 0
    """Memory of the K rows that are balanced; 0 at a level without rows, and until they are known."""

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        rule: Rule,
        options: BalancerOptions,
        *,
        shared: Iterable[Parameter] | None = None,
        group: dist.ProcessGroup | None = None,
    ) -> None:
        rule.check_level(options.level)
        super().__init__(optimizer, rule, options)
        refuse_sharded(self.all_parameters())
        self.tasks = rule.tasks
        self.given = None if shared is None else self._known(shared)
        self.group = group
        self.others = Others()
        self.searched = False
        """True if the step that has begun searches weights."""
        self._report: StepReport | None = None
        self._compared = False

    def _known(self, shared: Iterable[Parameter]) -> list[Parameter]:
        """The shared parameters that the user lists. Raises ``ValueError`` for what the optimizer does not have."""
        listed, known = list(shared), set(self.all_parameters())
        if not all(isinstance(parameter, Parameter) and parameter in known for parameter in listed):
            raise ValueError("shared must list parameters of the optimizer, such as list(trunk.parameters())")
        return listed

    def processes(self) -> Processes:
        """The processes that train together."""
        return processes(self.group)

    def fork(self, representation: Representation) -> list[Representation]:
        """The representation as each of the K tasks' heads must see it, for losses given to :meth:`backward`."""
        return [representation] * self.tasks

    def backward(self, losses: Losses, scaler: torch.amp.GradScaler | None = None) -> StepReport:
        """Give the losses' gradients to the parameters, as the level and its rule weigh them.

        The gradients are added to those in ``.grad``, as torch does. Of several calls before a step, each takes the
        losses of a part of the batch, such that they sum to the losses of the whole. Whatever the rule decides is
        decided on the whole, and that is refused where the earlier calls cannot be corrected.

        With ``scaler`` the gradients are scaled by it, and the rule sees rows and losses that are not. Raises
        ``ValueError`` for losses that do not fit, and ``FloatingPointError`` for losses, or at a search rows, that are
        not finite, unless a scaler is there to skip the step. After an error all gradients are cleared.
        """
        if scaler is not None and not isinstance(scaler, torch.amp.GradScaler):
            raise TypeError(f"scaler is a torch.amp.GradScaler, not a {type(scaler).__name__}")
        if self._owes_look:
            name = type(self.rule).__name__
            raise ValueError(f"rule {name} was not told the losses after the last step: use balancer.step(again=...)")
        if scaler is not None and self.max_norm is not None:
            raise ValueError("max_norm would shorten scaled gradients: leave it out, unscale and clip by yourself")
        separate = scalar_losses(losses, self.tasks)
        if not any(loss.requires_grad for loss in separate):
            raise ValueError("no loss depends on a parameter: nothing can be learned from this batch")
        self.device = separate[0].device
        with self._clearing_all(separate):
            self._begin(scaler)
            self._compare()
            self._report = self._backward(separate)
            self._mark()
            if isinstance(self.options, JointGradientOptions) and self.options.clip_over == "shared":
                self._clipped = self._shared_by(separate)
        return self._report

    def _compare(self) -> None:
        """Raise ``ValueError`` if processes begin with different parameters."""
        group = self.processes()
        if group.size > 1 and not self._compared:
            alike(self.present, group, self.device, "of the balancer's optimizer")
        self._compared = True

    @contextmanager
    def _clearing_all(self, losses: Sequence[Tensor]) -> Iterator[None]:
        """As :meth:`_clearing`; the gradients of another optimizer's parameters, which the losses reach, are cleared,
        too.
        """
        roots = self._roots(losses)
        try:
            with self._clearing():
                yield
        except BaseException:
            for leaf in (*leaves(roots), *self.others.parameters(list)):
                leaf.grad = None
            raise

    def _roots(self, losses: Sequence[Tensor]) -> list[Tensor]:
        """The tensors at which backward passes begin."""
        return list(losses)

    @abstractmethod
    def _backward(self, losses: list[Tensor]) -> StepReport:
        """Add the gradients of K losses to ``.grad``, or keep them for :meth:`_step`."""

    def _scaled(self, losses: list[Tensor]) -> list[Tensor]:
        """The losses, times the factor of a gradient scaler if there is one."""
        return losses if self._scale is None else [self._scale * loss for loss in losses]

    def _values_of(self, losses: Sequence[Tensor]) -> Tensor:
        return values_of(losses, self.processes())

    def _take_values(self, values: Vector) -> bool:
        """Add the losses [K] of this call to those of the step. False if they are not finite and a scaler may skip."""
        assert self.values is not None
        finite = bool(np.isfinite(values).all())
        if not finite and self._scale is None:
            raise FloatingPointError(f"losses are not finite at step {self.steps + 1}: {values.tolist()}")
        self.values = self.values + values
        return finite

    def _smoothed(self, weights: Vector) -> Vector:
        """The weights, mixed with those of the search before (``smoothing``)."""
        if self.options.smoothing:
            last = weights if self._smooth is None else self._smooth
            weights = self._smooth = self.options.smoothing * last + (1 - self.options.smoothing) * weights
        return weights

    def _shared_by(self, losses: Sequence[Tensor]) -> list[Parameter]:
        """The parameters whose gradient ``clip_over: shared`` shortens."""
        return find_reach(losses, self.present).shared if self.given is None else self.given

    def step(self, losses: Losses | None = None, again: Again | None = None) -> StepReport:
        """Take the optimizer's step, after a backward pass on ``losses`` if they are given; then clear the gradients.

        ``again`` computes the losses of the same batch anew. It is called after the step, without gradients, where the
        rule looks again (FAMO). Raises ``ValueError`` if ``again`` is missing and if there is nothing to step on, and
        ``RuntimeError`` if the gradients are still scaled, all before a parameter moves; and whatever :meth:`backward`
        raises.
        """
        if again is not None and not callable(again):
            raise TypeError(
                f"again is a function that computes the losses anew, not a {type(again).__name__}. With a gradient "
                "scaler: backward(losses, scaler), then scaler.step(balancer)"
            )
        if self.rule.looks_again and again is None:
            raise ValueError(f"rule {type(self.rule).__name__} needs the losses after the step: pass `again`")
        if losses is not None:
            self.backward(losses)
        if self._report is None or self.values is None:
            raise ValueError("there is nothing to step on: call backward(losses) first, or give the losses")
        refuse_scaled(self._scaler, self.optimizer)
        with self._clearing_all([]):
            report = self._step(self._report)
        self.zero_grad()
        if again is not None and self.rule.looks_again:
            self._look_again(again)
        return report

    def _step(self, report: StepReport) -> StepReport:
        if isinstance(self.optimizer, torch.optim.LBFGS):
            raise ValueError(
                "LBFGS evaluates losses within its step: call optimizer.step(closure), with balancer.backward(losses) "
                "in the closure"
            )
        self.optimizer.step()
        if self._norm is None or not self.searched:
            return report
        return replace(report, diagnostics=report.diagnostics | {"gradient_norm": float(self._norm)})

    def _forget(self) -> None:
        super()._forget()
        self._report = None

    def _look_again(self, again: Again) -> None:
        """Tell the rule the losses after the step; not if they are not finite, since its weights must stay finite."""
        with torch.no_grad():
            values = read([self._values_of(scalar_losses(again(), self.tasks))])
        self._owes_look = False
        if np.isfinite(values).all():
            self.rule.observe(self._shown(values))


def build_level(
    options: BalancerOptions,
    rule: Rule,
    optimizer: torch.optim.Optimizer,
    *,
    shared: Iterable[Parameter] | None = None,
    group: dist.ProcessGroup | None = None,
) -> Level:
    """The level ``options.level`` with its options. Raises ``ValueError`` for a rule that is not defined there."""
    kind = entry("mtbalance.balancing.levels", options.level, Level)
    return kind(optimizer, rule, options, shared=shared, group=group)
