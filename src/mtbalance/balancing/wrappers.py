"""Optimizers that wrap another one and step it, as those of accelerate and Fabric, Lookahead and SAM do."""

from __future__ import annotations

import torch


def refuse_untold(optimizer: torch.optim.Optimizer) -> None:
    """Raise ``ValueError`` for an optimizer whose hooks are not those of the one that steps.

    A wrapper may have no hooks, or a step that they do not see (``second_step`` of SAM). The hooks of a wrapper that
    passes everything on, as Fabric's does, are those of the optimizer inside.
    """
    name, hooks = _inside(optimizer), getattr(optimizer, "_optimizer_step_post_hooks", None)
    if name is not None and hooks is not getattr(optimizer, name)._optimizer_step_post_hooks:
        refuse_wrapper(optimizer)
    if hooks is None:
        raise ValueError(
            f"{type(optimizer).__name__} has no hooks, so the balancer is not told when it steps: call "
            "super().__init__(parameters, defaults) of torch.optim.Optimizer in its __init__"
        )


def refuse_wrapper(optimizer: torch.optim.Optimizer) -> None:
    """Raise ``ValueError`` for an optimizer that holds another one for its parameters: a copy would step that one."""
    name = _inside(optimizer)
    if name is not None:
        raise ValueError(
            f"{type(optimizer).__name__} wraps another optimizer: make the balancer around the one inside, "
            f"Balancer(optimizer.{name}, ...), and call step and zero_grad of the wrapper as before. At level update "
            "balancer.step() steps the one inside alone, without what the wrapper adds"
        )


def _inside(optimizer: torch.optim.Optimizer) -> str | None:
    """The name of the attribute that holds an optimizer for all of its parameters, if there is one."""
    own = _parameters(optimizer)
    for name, inner in vars(optimizer).items():
        if isinstance(inner, torch.optim.Optimizer) and own <= _parameters(inner):
            public = name.lstrip("_")
            return public if getattr(optimizer, public, None) is inner else name
    return None


def _parameters(optimizer: torch.optim.Optimizer) -> set[torch.Tensor]:
    return {parameter for group in optimizer.param_groups for parameter in group["params"]}
