"""Arms and outcomes: shares, no visitor who changes arm, and draws that follow the true probabilities."""

import numpy as np
import pytest
from scipy.stats import binom, chi2_contingency
from scipy.stats.contingency import crosstab

from market_data import candidates
from mtbalance.studies.market.visitors import CONTROL, NEITHER, TREATMENT, arms, identifiers, outcomes, rates

VISITORS = identifiers(300, 100)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("salt", [0, 1, 12345])
def test_an_arm_has_its_share_of_the_visitors(share, salt):
    given = arms(VISITORS, share, salt)
    low, high = binom.interval(1 - 1e-4, len(VISITORS), share)
    for arm in (TREATMENT, CONTROL):
        assert low <= (given == arm).sum() <= high
    assert ((given == NEITHER).sum() == 0) == (share == 0.5)


def test_a_visitor_never_changes_arm_when_shares_grow():
    small, middle, large = (arms(VISITORS, share, 3) for share in (0.05, 0.2, 0.5))
    for first, then in ((small, middle), (middle, large)):
        assert np.array_equal(first[first != NEITHER], then[first != NEITHER])


def test_arms_depend_on_the_salt_and_not_on_the_search():
    first, second = (arms(VISITORS, 0.5, salt) for salt in (1, 2))
    assert chi2_contingency(crosstab(first, second).count).pvalue > 1e-4
    of_search = np.bincount(VISITORS // 100, weights=first == TREATMENT)
    assert chi2_contingency(np.stack([of_search, 100 - of_search])).pvalue > 1e-4


def test_outcomes_are_nested_and_follow_the_rates():
    true, shifts = candidates(), np.array([0.0, 0.5])
    rows = np.repeat(np.arange(0, 1200, 4), 100)
    found = outcomes(true, rows, shifts, np.random.default_rng(0))
    assert (found.conversions <= found.clicks).all() and (found.clicks <= found.impressions).all()
    assert np.allclose(found.revenue, found.conversions * true.price[rows][:, None])
    expected = rates(true, rows, shifts)
    for drawn, mean in ((found.impressions, np.ones((len(rows), 2))), (found.clicks, expected.click)):
        assert np.allclose(drawn.sum(axis=0), mean.sum(axis=0), atol=4.5 * np.sqrt(mean.sum(axis=0).max()))
    assert np.allclose(found.conversions.sum(axis=0), expected.conversion.sum(axis=0), rtol=0.05)


def test_a_day_shifts_the_log_odds_of_clicks_and_keeps_what_converts():
    true, rows = candidates(), np.array([5, 8])
    found = rates(true, rows, np.array([0.0, 0.7]))
    assert found.click[:, 0] == pytest.approx(true.click[rows])
    odds = found.click / (1 - found.click)
    assert odds[:, 1] / odds[:, 0] == pytest.approx(np.exp([0.7, 0.7]))
    assert found.conversion / found.click == pytest.approx(
        np.repeat((true.conversion / true.click)[rows][:, None], 2, axis=1)
    )
