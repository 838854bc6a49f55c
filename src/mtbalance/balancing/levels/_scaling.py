"""Gradients that a gradient scaler has scaled, and how far it has come with them."""

from __future__ import annotations

import torch
from torch.amp.grad_scaler import OptState


def refuse_scaled(scaler: torch.amp.GradScaler | None, optimizer: torch.optim.Optimizer) -> None:
    """Raise ``RuntimeError`` if gradients are still scaled, were divided twice, or have overflowed.

    A scaler keeps a state of each object that it has unscaled or stepped.
    """
    if scaler is None or not scaler.is_enabled():
        return
    states = getattr(scaler, "_per_optimizer_states", {})
    unscaled = {key: state for key, state in states.items() if state["stage"] is not OptState.READY}
    if not unscaled:
        raise RuntimeError(
            "gradients are scaled, since the losses came with a gradient scaler: call scaler.step(balancer) in "
            "place of balancer.step()"
        )
    if id(optimizer) in unscaled:
        raise RuntimeError(
            "gradients were unscaled twice, for the optimizer and for the balancer around it: call "
            "scaler.unscale_(balancer) in place of scaler.unscale_(optimizer)"
        )
    if any(float(found) for state in unscaled.values() for found in state["found_inf_per_device"].values()):
        raise RuntimeError(
            "gradients have overflowed: call scaler.step(balancer), which skips such a step, in place of "
            "balancer.step()"
        )
