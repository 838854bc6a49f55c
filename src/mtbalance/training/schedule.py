"""The learning rate by step."""

from __future__ import annotations

from mtbalance.config import ScheduleConfig


def rate_factor(schedule: ScheduleConfig, step: int, steps: int, epochs: int) -> float:
    """What the learning rate is multiplied by at ``step`` (from 0) of ``steps``, which make ``epochs`` epochs.

    Linear warm-up from 1/n to 1 over the first n = ``warmup`` * ``steps`` steps (PUB on NYUv2: a tenth), times
    ``factor`` for every ``every`` epochs that are over (NashMTL on NYUv2: a half every 100), 0 meaning never.
    """
    warm = round(schedule.warmup * steps)
    rising = min(1.0, (step + 1) / warm) if warm else 1.0
    drops = step * epochs // steps // schedule.every if schedule.every else 0
    return rising * schedule.factor**drops
