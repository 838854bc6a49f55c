"""A/A trials: a model against itself, many times, each with other arms. Every alarm is a false one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from mtbalance.studies.market.lift import lift, sums
from mtbalance.studies.market.sequential import fixed_radius, sequential_radius
from mtbalance.studies.market.visitors import CONTROL, TREATMENT, Outcomes, arms

TOGETHER = 50
"""Trials that are computed at once; memory alone depends on it."""


def aa_trials(
    visitors: NDArray[np.int64], found: Outcomes, trials: int, level: float, random: Generator
) -> pd.DataFrame:
    """Alarms about revenue per impression by test and day: ``test``, ``day`` (from 1), ``alarms``, ``trials``.

    Every trial draws a salt, which gives half of the visitors to each arm; what they do stays the same. ``one look``
    counts the trials in which a test that looks on that day alone says yes, ``daily looks`` those in which a test at
    the same level has said yes on any day so far, ``sequential`` the same for the sequential test.
    """
    revenue, impressions = (np.cumsum(values, axis=1) for values in (found.revenue, found.impressions))
    alarms = {name: np.zeros(revenue.shape[1], int) for name in ("one look", "daily looks", "sequential")}
    salts = random.integers(2**62, size=trials).tolist()
    for first in range(0, trials, TOGETHER):
        given = np.stack([arms(visitors, 0.5, salt) for salt in salts[first : first + TOGETHER]])
        change = lift(*(sums(given == arm, revenue, impressions) for arm in (TREATMENT, CONTROL)))
        distance = np.abs(change.log)
        fixed = distance >= fixed_radius(change.variance, level)
        alarms["one look"] += fixed.sum(axis=0)
        alarms["daily looks"] += np.logical_or.accumulate(fixed, axis=1).sum(axis=0)
        outside = distance >= sequential_radius(change.variance, level)
        alarms["sequential"] += np.logical_or.accumulate(outside, axis=1).sum(axis=0)
    days = np.arange(1, revenue.shape[1] + 1)
    parts = [pd.DataFrame({"test": name, "day": days, "alarms": counts}) for name, counts in alarms.items()]
    return pd.concat(parts, ignore_index=True).assign(trials=trials)
