"""Lift: the relative change of a ratio metric between two arms, with its variance over visitors (delta method)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mtbalance.studies.market.candidates import Array


class Sums(NamedTuple):
    """Sums over the visitors of an arm, each [arms, days]; ``visitors`` is [arms, 1]."""

    visitors: Array
    top: Array
    bottom: Array
    top_top: Array
    top_bottom: Array
    bottom_bottom: Array


class Lift(NamedTuple):
    """The logarithm of treatment over control, and its variance, each [arms, days]."""

    log: Array
    variance: Array


def sums(members: NDArray[np.generic], top: Array, bottom: Array) -> Sums:
    """Sums of numerator and denominator [visitors, days] of a ratio over arms, whose ``members`` are [arms, visitors].

    ``members`` are 1 for a visitor of the arm and 0 for another.
    """
    weights = members.astype(float, copy=False)
    parts = (top, bottom, top * top, top * bottom, bottom * bottom)
    return Sums(weights.sum(axis=1, keepdims=True), *(weights @ part for part in parts))


def lift(treatment: Sums, control: Sums) -> Lift:
    """The lift of the ratio of sums (revenue over impressions) between arms of independent visitors.

    A visitor's impressions are not independent of each other, so the variance is over visitors (Deng, Knoblich and Lu
    2018, "Applying the Delta Method in Metric Analytics", section 3): the logarithm of an arm's ratio has the variance
    of top / mean(top) - bottom / mean(bottom) over its visitors, divided by their number. Both are NaN if an arm has
    earned nothing, the variance also if a single visitor has earned all.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = _log_ratio(treatment), _log_ratio(control)
    variance = first.variance + second.variance
    return Lift(first.log - second.log, np.where(variance > 0, variance, np.nan))


def _log_ratio(arm: Sums) -> Lift:
    squares = arm.top_top / arm.top**2 - 2 * arm.top_bottom / (arm.top * arm.bottom) + arm.bottom_bottom / arm.bottom**2
    ratio = np.where(arm.top > 0, arm.top / arm.bottom, np.nan)
    return Lift(np.log(ratio), arm.visitors / (arm.visitors - 1) * squares)
