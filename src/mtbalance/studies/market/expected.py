"""The expected lift, exactly: what an A/B test of infinitely many visitors would find, and how many would do."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from mtbalance.studies.market.candidates import Array
from mtbalance.studies.market.visitors import VISITS, Rates

POWER = 0.8


class Expected(NamedTuple):
    """What one model's visitors bring, over all searches."""

    rate: Array
    """Mean of the metric per impression on each day [days]."""
    whole: float
    """The same over all days."""
    visitor_variance: float
    """Variance over visitors of the logarithm of the ratio over all days, times the number of visitors."""


def expected(rates: Rates, values: Array, metric: str) -> Expected:
    """Exact expectations for what is shown to each search (``rates`` [searches, days]) if all searches are as frequent.

    ``values`` [searches] are prices. The metric is ``rpm`` (revenue per impression; the thousand cancels) or ``ctr``.

    A visitor's visits are Poisson, so that sum over visits of (gain - rate) has the conditional variance
    sum over days of E (gain - rate)^2. To it comes the variance over searches of its conditional mean.
    """
    probability, gain = (rates.click, np.ones_like(values)) if metric == "ctr" else (rates.conversion, values)
    means = probability * gain[:, None]
    rate = float(means.mean())
    squares = VISITS * (probability * ((gain - rate) ** 2)[:, None] + (1 - probability) * rate**2).sum(axis=1)
    centers = VISITS * (means - rate).sum(axis=1)
    impressions = VISITS * rates.click.shape[1]
    return Expected(means.mean(axis=0), rate, float((squares.mean() + centers.var()) / (rate * impressions) ** 2))


def visitors_needed(treatment: Expected, control: Expected, level: float, power: float = POWER) -> float:
    """Visitors in each arm with which a test at ``level`` (two-sided, one look) sees the lift with this power.

    Infinite for equal models.
    """
    lift = math.log(treatment.whole / control.whole)
    if lift == 0:
        return math.inf
    quantiles = float(norm.isf(level / 2) + norm.isf(1 - power))
    return quantiles**2 * (treatment.visitor_variance + control.visitor_variance) / lift**2
