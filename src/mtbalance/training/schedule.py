"""The learning rate by step."""

from __future__ import annotations

from torch.optim import Optimizer

from mtbalance.config.training import ScheduleConfig


def rate_factor(schedule: ScheduleConfig, step: int, steps: int, epochs: int) -> float:
    """The factor of the learning rate at ``step`` (from 0) of ``steps`` steps, which make ``epochs`` epochs.

    It rises linearly from 1/n to 1 over the first n = ``warmup`` * ``steps`` steps (PUB on NYUv2: a tenth). After every
    ``every`` epochs it is multiplied by ``factor`` (NashMTL on NYUv2: by a half after every 100); 0 means never.
    """
    warm = round(schedule.warmup * steps)
    rising = min(1.0, (step + 1) / warm) if warm else 1.0
    drops = step * epochs // steps // schedule.every if schedule.every else 0
    return rising * schedule.factor**drops


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Set the learning rate of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate
