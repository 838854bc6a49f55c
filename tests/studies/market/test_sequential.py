"""The sequential test: its formula against the integral behind it, and its false alarms against their level."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binomtest, norm

from market_data import candidates, wrong
from mtbalance.studies.market.sequential import TAU, fixed_radius, sequential_radius
from mtbalance.studies.market.trials import aa_trials
from mtbalance.studies.market.visitors import identifiers, outcomes

LEVEL = 0.05


@pytest.mark.parametrize("variance", [1e-5, 4e-4, 1e-2])
@pytest.mark.parametrize("tau", [0.01, TAU])
def test_at_the_radius_the_mean_likelihood_ratio_is_one_over_the_level(variance, tau):
    lift = sequential_radius(np.array(variance), LEVEL, tau)
    ratio = lambda theta: np.exp((theta * lift - theta**2 / 2) / variance) * norm.pdf(theta, scale=tau)  # noqa: E731
    mean, _ = quad(ratio, -12 * tau, 12 * tau, points=[lift], limit=400)
    assert mean == pytest.approx(1 / LEVEL, rel=1e-6)


def test_an_estimate_without_a_variance_is_never_an_alarm():
    for radius in (sequential_radius, fixed_radius):
        assert radius(np.array([np.nan, np.inf]), LEVEL).tolist() == [np.inf, np.inf]


def test_the_sequential_test_always_needs_more_than_one_look_does():
    variances = np.geomspace(1e-8, 1, 50)
    assert (sequential_radius(variances, LEVEL) > fixed_radius(variances, LEVEL)).all()


def last(trials: int, days: int = 28) -> dict[str, int]:
    """Alarms up to the last day, by test."""
    true = candidates()
    visitors = identifiers(300, 30)
    rows = true.shown(wrong(true, 0.5, 1))[visitors // 30]
    found = outcomes(true, rows, np.random.default_rng(1).normal(0, 0.1, days), np.random.default_rng(2))
    frame = aa_trials(visitors, found, trials, LEVEL, np.random.default_rng(3))
    assert (frame["trials"] == trials).all() and frame.groupby("test").size().eq(days).all()
    return frame[frame["day"] == days].set_index("test")["alarms"].to_dict()


def test_false_alarms_of_daily_looks_are_above_the_level_and_those_of_the_sequential_test_below_it():
    """Each by a one-sided test at level .001; one look keeps the level."""
    alarms = last(1000)
    assert binomtest(alarms["sequential"], 1000, LEVEL, alternative="less").pvalue < 1e-3
    assert binomtest(alarms["daily looks"], 1000, LEVEL, alternative="greater").pvalue < 1e-3
    assert binomtest(alarms["one look"], 1000, LEVEL).pvalue > 1e-3


def test_alarms_up_to_a_day_never_get_fewer():
    true, visitors = candidates(), identifiers(300, 10)
    rows = true.shown(true.conversion)[visitors // 10]
    found = outcomes(true, rows, np.zeros(10), np.random.default_rng(2))
    frame = aa_trials(visitors, found, 60, LEVEL, np.random.default_rng(3)).pivot(
        index="day", columns="test", values="alarms"
    )
    assert (frame[["daily looks", "sequential"]].diff().dropna() >= 0).all(axis=None)
    assert (frame["daily looks"] >= frame["one look"]).all()
    assert frame.loc[1, "daily looks"] == frame.loc[1, "one look"]
