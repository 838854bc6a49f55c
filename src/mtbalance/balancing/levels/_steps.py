"""The life of a step: it begins with a backward pass, may go on with others, and ends when the optimizer steps.

What a rule learns in a step counts only when the step has been taken. A step that is given up, by an error, by a
gradient scaler or by the user, leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from typing import Any, ClassVar
from weakref import WeakMethod, finalize

import numpy as np
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.arrays import Vector
from mtbalance.balancing.levels._closures import missed
from mtbalance.balancing.losses import is_nonzero, read, together, without_zeros
from mtbalance.balancing.options import BalancerOptions, JointGradientOptions
from mtbalance.balancing.rules import Rule


class Steps:
    """Knows whether a step has begun, what it has changed so far, and how to take that back."""

    rewrites: ClassVar[bool] = False
    """True for a level whose backward passes write gradients anew, rather than add to them."""
    moves: bool = False
    """True for a level that moves parameters itself, so that the optimizer's own step alone would be wrong."""

    def __init__(self, optimizer: torch.optim.Optimizer, rule: Rule, options: BalancerOptions) -> None:
        self.optimizer, self.rule, self.options = optimizer, rule, options
        self.max_norm = options.max_norm if isinstance(options, JointGradientOptions) else None
        self.device = torch.device("cpu")
        """Where the losses of the last backward pass were."""
        self.steps = 0
        """The number of steps that have been taken."""
        self.values: Vector | None = None
        """The losses [K] of the step that has begun; None between two steps."""
        self.present: list[Parameter] = []
        """The parameters that are not frozen in the step that has begun."""
        self._before: dict[str, Any] | None = None
        self._smooth: Vector | None = None
        self._seen: Vector | None = None
        self._marks: list[tuple[Parameter, Tensor, int]] = []
        self._scale: Tensor | None = None
        self._scaler: torch.amp.GradScaler | None = None
        self._clipped: list[Parameter] = []
        self._norm: Tensor | None = None
        self._owes_look = self._stepping = False
        self.keeps_joint = False
        """True to keep each step's :attr:`joint_gradient`; whoever sets it takes that before the next step."""
        self.joint_gradient: dict[Parameter, Tensor] = {}
        """The gradient that the optimizer got in the last step, after balancing and clipping, if it is kept.

        A level that moves parameters itself hands the optimizer updates. There it is the gradient that the optimizer's
        moments take up, sum_k w_k g_k with the weights that ``moment_weights`` names ("the same weights as aggregating
        updates" in PUB, section V-A)."""
        self._ready = False
        self._attach()

    def _attach(self) -> None:
        """Have the optimizer tell when it steps, as long as this object lives."""
        before, after = WeakMethod(self._before_optimizer), WeakMethod(self._after_optimizer)
        finalize(self, self.optimizer.register_step_pre_hook(partial(_call, before)).remove)
        finalize(self, self.optimizer.register_step_post_hook(partial(_call, after)).remove)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy; torch's copy of an optimizer has none of its hooks."""
        vars(self).update(state)
        self._attach()

    def all_parameters(self) -> list[Parameter]:
        """The optimizer's parameters, each once."""
        groups = self.optimizer.param_groups
        return list(dict.fromkeys(parameter for group in groups for parameter in group["params"]))

    def trainable(self) -> list[Parameter]:
        """The optimizer's parameters that are not frozen at present."""
        return [parameter for parameter in self.all_parameters() if parameter.requires_grad]

    def zero_grad(self) -> None:
        """Clear all gradients, and give up the step that has begun."""
        self.optimizer.zero_grad(set_to_none=True)
        self._forget()

    # --- the step begins, or goes on ---

    def _begin(self, scaler: torch.amp.GradScaler | None) -> None:
        """Begin a step, or go on with it; the rule is as it was before the step."""
        scale = None if scaler is None else scaler.scale(torch.ones((), device=self.device))
        if self.values is not None and self._was_skipped(scale):
            self.zero_grad()
        if self._before is not None:
            self._remember(self._before)
        if not self._goes_on():
            self._forget()
            self.values = np.zeros(self.rule.tasks)
        elif self._scaler is not scaler:
            raise ValueError("some parts of this batch came with a gradient scaler: give the same one with every part")
        self._before, self._scale, self._scaler, self.present = self._memory(), scale, scaler, self.trainable()

    def _was_skipped(self, scale: Tensor | None) -> bool:
        """True if a scaler has refused to take the step that has begun: it has lowered its scale."""
        if scale is None or self._scale is None:
            return False
        before, now = read([self._scale, scale])
        return bool(now < before)

    def _goes_on(self) -> bool:
        """True if the step has begun and its gradients are still there."""
        if self.values is None:
            return False
        changed = [
            p.grad for p, gradient, version in self._marks if p.grad is not gradient or gradient._version != version
        ]
        left = [gradient for gradient in changed if gradient is not None]
        if changed and (not left or not read([together([is_nonzero(gradient) for gradient in left])]).any()):
            return False  # the user has cleared them
        if changed and self.rewrites:
            raise ValueError(
                "gradients were changed between two backward calls of one step: clip, unscale and add after the last "
                "call, or begin anew with balancer.zero_grad()"
            )
        return True

    def _mark(self) -> None:
        """Remember the gradients as they are now; one of them, if none is to be written anew."""
        marks = ((p, p.grad, p.grad._version) for p in self.present if p.grad is not None)
        self._marks = list(marks if self.rewrites else islice(marks, 1))

    def _forget(self) -> None:
        """Drop what is kept of the step that has begun."""
        self.values, self._marks, self._norm, self._clipped = None, [], None, []
        self._scale = self._scaler = None

    @contextmanager
    def _clearing(self) -> Iterator[None]:
        """Clear all gradients if something is raised. Autocast is off: rows are not multiplied in bfloat16."""
        with ExitStack() as stack:
            for device in filter(torch.is_autocast_enabled, {"cpu", "cuda", self.device.type}):
                stack.enter_context(torch.autocast(device, enabled=False))
            try:
                yield
            except BaseException:  # also if somebody interrupts it, and then goes on
                self.zero_grad()
                raise

    # --- the step is taken ---

    def _before_optimizer(self, *_: Any) -> None:
        """Just before the optimizer steps: shorten the gradient, or refuse if the step is not the optimizer's."""
        self._ready = self.values is not None
        if self.values is None or self._stepping:
            return
        if self.moves:
            raise RuntimeError(
                f"at level {self.options.level} the balancer moves the parameters: call balancer.step() in place of "
                "optimizer.step()"
            )
        self._shorten()
        self._keep_joint()

    def _keep_joint(self, others: Mapping[Parameter, Tensor] | None = None) -> None:
        """Keep the joint gradient, just before the optimizer's step: what is in ``.grad``, and ``others``."""
        if self.keeps_joint:
            self.joint_gradient = {p: p.grad for p in self.present if p.grad is not None} | dict(others or {})

    def _shorten(self) -> None:
        """Shorten the joint gradient to ``max_norm``. This is no part of a rule, so every rule can have it."""
        if self.max_norm is not None:
            shortened = self._clipped or self.present
            self._norm = torch.nn.utils.clip_grad_norm_(shortened, self.max_norm)

    def _after_optimizer(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """The step is taken, unless a fused optimizer has skipped it: from now on it counts."""
        skipped = getattr(optimizer, "found_inf", None)
        if self.values is None or (skipped is not None and bool(skipped)):
            return
        level = self.options.level if self.moves else ""
        if not self._ready and (error := missed(level, self.max_norm, self._marks)):
            self.zero_grad()
            raise error
        self.steps += 1
        self._seen = self._shown(self.values)
        self._owes_look = self.rule.looks_again
        self._before, self.values = None, None
        self._release()

    def _release(self) -> None:
        """Let go of memory that only a step in progress needs."""
        self._marks = []

    @contextmanager
    def _own_step(self) -> Iterator[None]:
        """The level moves parameters itself, and may use the optimizer's step for it."""
        self._stepping = True
        try:
            yield
        finally:
            self._stepping = False

    # --- memory ---

    def _memory(self) -> dict[str, Any]:
        """What a step changes: it is taken back if the step is given up."""
        kept = {"smooth": self._smooth, "seen": self._seen}
        lists = {name: None if vector is None else vector.tolist() for name, vector in kept.items()}
        return {"rule": self.rule.state_dict()} | lists

    def _remember(self, memory: dict[str, Any]) -> None:
        self.rule.load_state_dict(memory["rule"])
        smooth, seen = memory["smooth"], memory["seen"]
        self._smooth, self._seen = (None if vector is None else np.array(vector) for vector in (smooth, seen))

    def _shown(self, values: Vector) -> Vector:
        """The losses [K] as the rule sees them."""
        return without_zeros(values, self._seen)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on, apart from the parameters; a step that has begun is left out."""
        memory = self._before or self._memory()
        return memory | {"of": self._of(), "steps": self.steps, "optimizer": self.optimizer.state_dict()}

    def _of(self) -> list[str]:
        """What a state is a state of."""
        rule, optimizer = type(self.rule).__name__, type(self.optimizer).__name__
        return [f"rule {rule}", f"level {self.options.level}", f"{self.rule.tasks} tasks", f"optimizer {optimizer}"]

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back a state that :meth:`state_dict` gave. Raises ``ValueError`` for one of something else."""
        if not isinstance(state, dict) or state.get("of") != self._of():
            found = state.get("of", sorted(map(str, state))) if isinstance(state, dict) else type(state).__name__
            raise ValueError(f"this is no state of a balancer with {', '.join(self._of())}; it has {found}")
        self.optimizer.load_state_dict(state["optimizer"])
        self._forget()
        self._before, self._owes_look = None, False
        self.steps = state["steps"]
        self._remember(state)


def _call(method: WeakMethod[Any], *arguments: Any) -> None:
    if found := method():
        found(*arguments)
