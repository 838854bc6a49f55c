"""Steps of an optimizer whose closure made the backward pass, so that the balancer came too late for a part of them."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import Parameter

Marks = Sequence[tuple[Parameter, Tensor, int]]
"""Parameters with the gradients that a backward pass left, and the versions of these."""


def missed(level: str, max_norm: float | None, marks: Marks) -> RuntimeError | None:
    """The error if the step has gone without ``level`` (if it is named), ``max_norm`` or the gradients; else None.

    Lightning's automatic optimization clears gradients between ``training_step`` and the backward pass of its result.
    """
    cleared = bool(marks) and all(parameter.grad is not gradient for parameter, gradient, _ in marks)
    lost = {f"level {level}": bool(level), "max_norm": max_norm is not None, "its cleared gradients": cleared}
    without = next((what for what, applies in lost.items() if applies), None)
    if without is None:
        return None
    return RuntimeError(
        f"backward was called in the closure of optimizer.step, which has now stepped without {without}: call "
        "balancer.step(losses) in place of optimizer.step(closure). In Lightning, set "
        "self.automatic_optimization = False"
    )
