"""The exact expectations, against arithmetic by hand, and the power that they promise, against many experiments."""

import numpy as np
import pytest
from scipy.stats import binom, chi2

from market_data import candidates, wrong
from mtbalance.studies.market import simulation
from mtbalance.studies.market.expected import expected, visitors_needed
from mtbalance.studies.market.lift import lift, sums
from mtbalance.studies.market.sequential import fixed_radius
from mtbalance.studies.market.simulation import Model, Settings, simulate
from mtbalance.studies.market.visitors import Rates, outcomes, rates

SHIFTS = np.array([0.0, 0.2, -0.1])


def test_two_searches_by_hand():
    """Two candidates each; on the one day, the better model shows .2 * 10 = 2 and .3 * 1, the other .1 * 4 and .3."""
    rpm = [
        expected(Rates(np.array([[0.5], [0.6]]), np.array(conversion)[:, None]), np.array(price), "rpm")
        for conversion, price in (([0.2, 0.3], [10.0, 1.0]), ([0.1, 0.3], [4.0, 1.0]))
    ]
    assert [one.whole for one in rpm] == pytest.approx([1.15, 0.35])
    assert rpm[0].whole / rpm[1].whole - 1 == pytest.approx(2.2857142857)
    # Visits are Poisson(1): a visitor has the second moment of a gain minus 1.15, and the searches' means are .85 off.
    squares = (0.2 * 8.85**2 + 0.8 * 1.15**2 + 0.3 * 0.15**2 + 0.7 * 1.15**2) / 2
    assert rpm[0].visitor_variance == pytest.approx((squares + 0.85**2) / 1.15**2)
    ctr = expected(Rates(np.array([[0.5], [0.6]]), np.zeros((2, 1))), np.zeros(2), "ctr")
    assert ctr.whole == pytest.approx(0.55)


@pytest.mark.parametrize("metric", ["rpm", "ctr"])
def test_the_market_computes_the_expected_lift_as_a_loop_does(metric, monkeypatch):
    monkeypatch.setattr(simulation, "day_shifts", lambda days, random: np.linspace(-0.3, 0.2, days))
    true = candidates(searches=25)
    predictions = {Model("mmoe", "ls", 0): wrong(true, 0.8, 1), Model("mmoe", "pub", 0): wrong(true, 0.3, 2)}
    settings = Settings(days=3, each=2, trials=2, trial_days=4, trial_each=2)
    frame = simulate("synthetic_a", true, predictions, "ls", settings)
    exact = frame[(frame["part"] == "expected") & (frame["balancer"] == "pub") & (frame["metric"] == metric)]
    totals = []
    for predicted in predictions.values():
        total = 0.0
        for search in range(25):
            rows = [row for row in range(100) if true.search[row] == search]
            best = max(rows, key=lambda row: predicted[row] * true.price[row])
            share = true.conversion[best] / true.click[best]
            for shift in (-0.3, -0.3 + 0.5 / 3, -0.3 + 1 / 3):
                odds = true.click[best] / (1 - true.click[best]) * np.exp(shift)
                click = odds / (1 + odds)
                total += click if metric == "ctr" else click * share * true.price[best]
        totals.append(total)
    assert exact["expected"].item() == pytest.approx(totals[1] / totals[0] - 1, rel=1e-9)


def test_equal_models_need_infinitely_many_visitors():
    true = candidates()
    one = expected(rates(true, np.arange(0, 1200, 4), SHIFTS), true.price[::4], "rpm")
    assert visitors_needed(one, one, 0.05) == np.inf


def experiment(true, shown, visitors, random):
    """The lift of one experiment with so many visitors in each arm, which are shown ``shown`` [2][searches]."""
    both = []
    for rows in shown:
        drawn = outcomes(true, random.choice(rows, visitors), SHIFTS, random)
        totals = [values.sum(axis=1, keepdims=True) for values in (drawn.revenue, drawn.impressions)]
        both.append(sums(np.ones((1, visitors)), *totals))
    return lift(*both)


def test_the_variance_of_a_lift_is_that_of_many_experiments_and_of_the_formula():
    true, random = candidates(), np.random.default_rng(5)
    shown = true.shown(true.conversion)
    exact = expected(rates(true, shown, SHIFTS), true.price[shown], "rpm")
    found = [experiment(true, (shown, shown), 3000, random) for _ in range(400)]
    formula = 2 * exact.visitor_variance / 3000
    assert np.mean([one.variance for one in found]) == pytest.approx(formula, rel=0.02)
    low, high = chi2.interval(0.999, 399)
    assert low <= 399 * np.var([one.log for one in found], ddof=1) / formula <= high


@pytest.mark.slow
def test_a_better_model_is_found_with_the_power_that_was_computed():
    """The truth against a model with errors, with just the visitors that a power of 80 % needs: 300 experiments."""
    true, random = candidates(), np.random.default_rng(11)
    shown = [true.shown(predicted) for predicted in (true.conversion, wrong(true, 0.8, 1))]
    needed = round(
        visitors_needed(*(expected(rates(true, rows, SHIFTS), true.price[rows], "rpm") for rows in shown), 0.05)
    )
    assert 500 < needed < 20_000
    lifts = [experiment(true, shown, needed, random) for _ in range(300)]
    found = sum(bool(one.log >= fixed_radius(one.variance, 0.05)) for one in lifts)
    low, high = binom.interval(0.999, 300, 0.8)
    assert low <= found <= high
