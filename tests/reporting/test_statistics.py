"""Statistics against hand arithmetic."""

import math

import pandas as pd
import pytest

from mtbalance.reporting.contrasts import against_baseline, between
from mtbalance.reporting.statistics import (
    holm,
    mean,
    paired_interval,
    paired_test,
    pairs,
    ratios,
    standard_deviation,
)


def test_spread_has_n_minus_one_in_the_denominator():
    assert mean([1, 2, 3, 6]) == 3
    assert standard_deviation([1, 2, 3, 6]) == pytest.approx(math.sqrt((4 + 1 + 0 + 9) / 3))


def test_one_value_has_no_spread_and_nothing_has_no_mean():
    assert math.isnan(standard_deviation([0.7]))
    assert math.isnan(mean([]))


def test_pairs_are_of_the_common_seeds():
    assert pairs({2: 0.3, 0: 0.1}, {0: 1.0, 1: 2.0, 2: 3.0}) == ([0.1, 0.3], [1.0, 3.0])
    assert ratios({0: 2.0, 1: 9.0}, {0: 4.0}) == [0.5]


def test_paired_test_of_two_pairs():
    # Differences 1 and 3: mean 2, standard error 1, t = 2; with one degree of freedom the t-distribution is
    # Cauchy's: p = 1 - 2 atan(2) / pi.
    test = paired_test({0: 2.0, 1: 5.0}, {0: 1.0, 1: 2.0})
    assert test.difference == 2
    assert test.p == pytest.approx(1 - 2 * math.atan(2) / math.pi)
    assert (test.pairs, test.untested) == (2, "")


def test_paired_test_of_three_pairs():
    # Differences 1, 2, 3: mean 2, standard error 1/sqrt(3), t^2 = 12; with two degrees of freedom
    # p = 1 - t / sqrt(2 + t^2).
    test = paired_test({0: 1.0, 1: 2.0, 2: 3.0}, {0: 0.0, 1: 0.0, 2: 0.0})
    assert test.p == pytest.approx(1 - math.sqrt(12 / 14))


def test_the_interval_of_two_pairs():
    # As above: mean 2, standard error 1. Cauchy's quantiles are tan(pi (level / 2)): 1 for a level of one half.
    values, baseline = {0: 2.0, 1: 5.0}, {0: 1.0, 1: 2.0}
    assert paired_interval(values, baseline, 0.5) == pytest.approx((1, 3))
    reach = math.tan(0.475 * math.pi)
    assert paired_interval(values, baseline, 0.95) == pytest.approx((2 - reach, 2 + reach))


def test_the_verdict_names_the_side_of_a_difference_that_is_told_from_chance():
    low, high = {0: 0.0, 1: 0.0, 2: 0.0}, {0: 1.0, 1: 2.0, 2: 3.0}  # p is .074
    assert [between(high, low).verdict(0.1), between(low, high).verdict(0.1)] == ["higher", "lower"]
    assert between(high, low).verdict(0.05) == "not distinguishable with 3 seeds"
    assert between({0: 1.0}, {0: 0.0}).verdict(0.1) == "not tested, fewer than two common seeds"
    assert between(high, low, 0.1).low > 0 > between(high, low, 0.05).low


def test_a_cell_is_compared_with_the_baseline_on_its_own_backbone_and_data_set():
    places = [("a", "mmoe"), ("a", "ple"), ("b", "mmoe")]
    rows = [
        {"dataset": dataset, "backbone": backbone, "balancer": name, "seed": seed, "epoch": pd.NA, "status": "finished"}
        | {"metric": "auc", "task": "click", "value": (10**place if name == "pub" else 0) + seed * (name == "pub")}
        for place, (dataset, backbone) in enumerate(places)
        for name in ("pub", "ls")
        for seed in (0, 1)
    ]
    cells = [row for row in rows if row["balancer"] == "pub" and row["seed"] == 0]
    found = [against_baseline(pd.DataFrame(rows), pd.Series(cell), "ls", 0.05).test.difference for cell in cells]
    assert found == [1.5, 10.5, 100.5]


def test_what_cannot_be_tested_says_so():
    single = paired_test({0: 0.8, 1: 0.9}, {0: 0.7, 2: 0.6})
    assert (single.pairs, single.untested) == (1, "fewer than two common seeds")
    assert single.difference == pytest.approx(0.1)
    constant = paired_test({0: 0.81, 1: 0.92, 2: 0.73}, {0: 0.80, 1: 0.91, 2: 0.72})
    assert constant.untested == "differences without variance"
    assert math.isnan(single.p) and math.isnan(constant.p)
    assert math.isnan(paired_test({}, {0: 1.0}).difference)


def test_holm_by_hand():
    # Sorted: .01 x 3 = .03, .02 x 2 = .04, .04 x 1 = .04; the NaN is no test.
    assert holm([0.04, math.nan, 0.01, 0.02]) == pytest.approx([0.04, math.nan, 0.03, 0.04], nan_ok=True)
    assert holm([0.5, 0.6]) == [1.0, 1.0]
