"""Power of the paired t-test: what so many seeds can see."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from scipy import optimize, stats

WANTED = 0.8
"""The power with which a difference counts as seen."""


def power(effect: float, spread: float, pairs: int, level: float = 0.05) -> float:
    """Probability that a two-sided paired t-test finds a true difference.

    ``effect`` is the true mean of the differences and ``spread`` their true standard deviation, in the unit of the
    metric. t has a noncentral t-distribution with ``pairs`` - 1 degrees of freedom. NaN for fewer than two pairs.
    """
    if pairs < 2:
        return math.nan
    freedom, shift = pairs - 1, effect / spread * math.sqrt(pairs)
    bound = stats.t.ppf(1 - level / 2, freedom)
    # SciPy gives NaN for a far tail that is as good as empty.
    return float(np.nansum([stats.nct.sf(bound, freedom, shift), stats.nct.cdf(-bound, freedom, shift)]))


def detectable(spread: float, pairs: int, level: float = 0.05) -> float:
    """The smallest true difference that a two-sided paired t-test finds with a power of :data:`WANTED`.

    ``spread`` is the standard deviation of the differences, and the result has its unit. NaN for fewer than two pairs
    or without spread; 0 if chance alone reaches that power.
    """
    if level >= WANTED:
        return 0.0
    if pairs < 2 or not np.isfinite(spread):
        return math.nan
    return _standard_errors(pairs, level) * spread / math.sqrt(pairs)


@cache
def _standard_errors(pairs: int, level: float) -> float:
    """The detectable difference in standard errors of the mean: 2.8 for many pairs, 16 for two."""
    bound = stats.t.ppf(1 - level / 2, pairs - 1)
    return float(
        optimize.brentq(lambda size: power(size, math.sqrt(pairs), pairs, level) - WANTED, 0.1, 2 * float(bound))
    )
