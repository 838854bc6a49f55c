"""A sequential test of a lift: its false alarms stay at their level however often, and whenever, somebody looks.

A test at level .05 that is repeated every day until it says yes says yes too often. The mixture sequential probability
ratio test does not. Let the estimate after n looks be the lift x_n, about normal with mean theta and variance v_n, and
let later estimates use all earlier data, so that cov(x_m, x_n) = v_n for m < n. (So it is for averages over growing
data, also of visitors who return: what all days of a visitor share stays in all of them.) Then S_n = x_n / v_n is a
Brownian motion with drift theta at the times t_n = 1 / v_n. The likelihood ratio of theta against 0 is
exp(theta S - theta^2 t / 2). Its mean over theta ~ N(0, tau^2) is

    M = (1 + tau^2 t)^(-1/2) exp(tau^2 S^2 / (2 (1 + tau^2 t))).

For theta = 0 every ratio is a martingale of mean 1, so M is one too. By Ville's inequality M ever reaches 1 / level
with a probability of at most the level. Solved for x, M < 1 / level is abs(x) < radius; replacing x by x - theta gives
a confidence sequence: intervals that, all together, contain theta with a probability of at least 1 - level.

tau only decides at which lifts the test is fast. The lift is a logarithm of ratios and v is estimated: all of this
holds for many visitors.

Sources: Robbins 1970, "Statistical Methods Related to the Law of the Iterated Logarithm"; Johari, Koomen, Pekelis and
Walsh 2022, "Always Valid Inference: Continuous Monitoring of A/B Tests"; Jennison and Turnbull 1999, "Group Sequential
Methods", chapter 3 (the covariances).
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from mtbalance.studies.market.candidates import Array

TAU = 0.04
"""Standard deviation of the lifts that are mixed: Table VI prints 4 % on average."""


def sequential_radius(variance: Array, level: float, tau: float = TAU) -> Array:
    """Half the width of the confidence sequence, for estimates of these variances; infinite for an unknown one."""
    growth = 1 + tau**2 / variance
    radius = np.sqrt(variance * (variance / tau**2 + 1) * (2 * np.log(1 / level) + np.log(growth)))
    return np.where(np.isfinite(radius), radius, np.inf)


def fixed_radius(variance: Array, level: float) -> Array:
    """Half the width of the confidence interval of a test that looks once."""
    radius: Array = norm.isf(level / 2) * np.sqrt(variance)
    return np.where(np.isfinite(radius), radius, np.inf)
