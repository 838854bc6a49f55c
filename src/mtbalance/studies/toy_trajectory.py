"""Trajectories on the toy problem: every method from every start, through the code that trains models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from torch.nn import Parameter

from mtbalance.balancing.balancer import Balancer
from mtbalance.studies.toy import loss
from mtbalance.studies.toy_methods import STARTS, options


def trajectory(
    start: tuple[float, float], balancer: Mapping[str, Any], *, scale: float, steps: int, lr: float, every: int
) -> pd.DataFrame:
    """The trajectory of Adam with ``balancer`` from ``start``: step, x1, x2, loss_1, loss_2 at every ``every``-th step.

    The last row is the end. It comes before ``steps`` if a step fails: losses that are not finite, or too low for
    FAMO.
    """
    theta = Parameter(torch.tensor(start, dtype=torch.float64))
    taken = Balancer(torch.optim.AdamW([theta], lr=lr, weight_decay=0.0, fused=True), tasks=2, **balancer)
    rows = []
    for step in range(steps + 1):
        losses = [loss(view, task, scale) for task, (view,) in enumerate(taken.fork((theta,)))]
        row = (step, *theta.tolist(), *(float(value.detach()) for value in losses))
        ended = step == steps or not _advanced(taken, theta, losses, scale)
        if ended or step % every == 0:
            rows.append(row)
        if ended:
            break
    return pd.DataFrame(rows, columns=["step", "x1", "x2", "loss_1", "loss_2"])


def _advanced(taken: Balancer, theta: Parameter, losses: list[Tensor], scale: float) -> bool:
    """Try a step; False if it fails."""
    try:
        taken.step(losses, again=lambda: [loss(theta, task, scale) for task in (0, 1)])
    except FloatingPointError:
        return False
    return True


def trajectories(method: str, *, scale: float, steps: int, lr: float = 1e-3, every: int = 25) -> pd.DataFrame:
    """The trajectories of ``method`` from all starts, numbered by ``start``; the settings are in ``attrs``."""
    balancer = options(method, scale)
    found = [trajectory(start, balancer, scale=scale, steps=steps, lr=lr, every=every) for start in STARTS]
    frame = pd.concat([part.assign(start=number) for number, part in enumerate(found)], ignore_index=True)
    frame.attrs = {"method": method, "balancer": balancer, "scale": scale, "steps": steps, "lr": lr, "every": every}
    return frame
