"""Visitors: who they are, the arm that each is given to, and what they do with what they are shown."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import expit, logit

from mtbalance.data.ranking.hash_split import assign, hash_integers
from mtbalance.studies.market.candidates import Array, Candidates, Rows

TREATMENT, NEITHER, CONTROL = 0, 1, 2
VISITS = 1.0
"""Mean number of a visitor's visits a day. Each visit is one impression: a banner."""
DAY_SPREAD = 0.1
"""Standard deviation of the days' shifts of the log-odds of a click: about 8 % more or fewer clicks."""


class Outcomes(NamedTuple):
    """What visitors did on each day, each [visitors, days]."""

    impressions: Array
    clicks: Array
    conversions: Array
    revenue: Array


class Rates(NamedTuple):
    """True probabilities of what is shown on each day, each [shown, days]."""

    click: Array
    conversion: Array
    """Of click and conversion together."""


def identifiers(searches: int, each: int) -> NDArray[np.int64]:
    """Identifiers of the visitors: ``each`` of them come with every search; visitor i comes with i // each."""
    return np.arange(searches * each)


def arms(visitors: NDArray[np.int64], share: float, salt: int) -> NDArray[np.intp]:
    """The arm of each visitor, by a salted hash of the identifier: ``share`` of all in each of two arms.

    With a larger share, visitors join an arm; none changes it.
    """
    return assign(hash_integers(visitors, salt), [share, 1 - 2 * share, share])


def day_shifts(days: int, random: Generator) -> Array:
    """What each day adds to the log-odds of every click [days]."""
    return random.normal(0.0, DAY_SPREAD, days)


def rates(candidates: Candidates, rows: Rows, shifts: Array) -> Rates:
    """True probabilities of ``rows`` on each day. The share of clicks that convert is the same on all days."""
    click = expit(logit(candidates.click[rows])[:, None] + shifts)
    return Rates(click, click * (candidates.conversion[rows] / candidates.click[rows])[:, None])


def outcomes(candidates: Candidates, rows: Rows, shifts: Array, random: Generator) -> Outcomes:
    """Draw what visitors do who are shown ``rows`` [visitors].

    Visits of a day are Poisson. So are, independently of each other, those with a conversion, with a click alone and
    with neither (splitting of a Poisson process), which are drawn.
    """
    true = rates(candidates, rows, shifts)
    conversions = random.poisson(VISITS * true.conversion)
    clicks = conversions + random.poisson(VISITS * (true.click - true.conversion))
    impressions = clicks + random.poisson(VISITS * (1 - true.click))
    revenue = conversions * candidates.price[rows][:, None]
    return Outcomes(impressions.astype(float), clicks.astype(float), conversions.astype(float), revenue)
