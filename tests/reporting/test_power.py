"""Power of the paired t-test: the stated size is found as often as stated."""

import math

import numpy as np
import pytest
from scipy import stats

from mtbalance.reporting.power import detectable, power


@pytest.mark.parametrize("pairs", [2, 3, 5, 12])
def test_the_stated_difference_is_found_in_four_of_five_experiments(pairs):
    spread, level, experiments = 0.002, 0.05, 500
    size = detectable(spread, pairs, level)
    differences = np.random.default_rng(pairs).normal(size, spread, (experiments, pairs))
    found = (stats.ttest_1samp(differences, 0.0, axis=1).pvalue <= level).sum()
    low, high = stats.binom.interval(0.999, experiments, 0.8)
    assert low <= found <= high


def test_a_printed_value_of_the_noncentral_t():
    # Cohen (1988), table 2.3.5 for one sample: n = 34, effect 0.5 of the spread, two-sided at .05: power .81.
    assert power(0.5, 1.0, 34) == pytest.approx(0.81, abs=0.01)


def test_without_an_effect_the_power_is_the_level():
    assert power(0.0, 1.0, 7, 0.01) == pytest.approx(0.01)


def test_more_seeds_see_less_and_the_unit_is_that_of_the_spread():
    sizes = [detectable(1.0, pairs) for pairs in (2, 3, 5, 20, 200)]
    assert sizes == sorted(sizes, reverse=True)
    assert detectable(0.003, 5) == pytest.approx(0.003 * detectable(1.0, 5))
    assert all(power(detectable(2.0, pairs), 2.0, pairs) == pytest.approx(0.8) for pairs in (2, 5, 50))


def test_one_seed_sees_nothing():
    assert math.isnan(detectable(1.0, 1)) and math.isnan(power(1.0, 1.0, 1)) and math.isnan(detectable(math.nan, 4))
