import numpy as np
import pytest

from mtbalance.balancing.rules.bandit import Bandit

LOSSES = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("rho", "multiplier", "mixture"),
    [
        (1.2, 0, [0.18632372, 0.30719589, 0.50648039]),
        (0.05, 0.2665219496, [0.21337902, 0.31666739, 0.46995358]),
        (0.02, 1.0258656491, [0.25522164, 0.32666671, 0.41811165]),
    ],
)
def test_one_play_by_hand(rho, multiplier, mixture):
    rule = Bandit(3, rho=rho)
    np.testing.assert_allclose(rule.weights(LOSSES), np.ones(3))
    np.testing.assert_allclose(rule.weights(LOSSES) / 3, mixture, atol=1e-8)
    fresh = Bandit(3, rho=rho)
    fresh.weights(LOSSES)
    np.testing.assert_allclose(fresh.diagnostics["multiplier"], multiplier, atol=1e-9)
    np.testing.assert_allclose(fresh.diagnostics["divergence"], min(rho, 0.0784209510), atol=1e-9)


def test_the_divergence_never_exceeds_its_bound():
    rule, generator = Bandit(4, rho=0.3), np.random.default_rng(0)
    for _ in range(200):
        weights = rule.weights(generator.uniform(0, 5, 4)) / 4
        assert weights @ np.log(4 * weights) <= 0.3 + 1e-9
        np.testing.assert_allclose(weights.sum(), 1)


def test_the_published_bound_never_binds_with_three_tasks():
    rule = Bandit(3, rho=1.2)
    for _ in range(500):
        rule.weights(LOSSES)
        assert rule.diagnostics["multiplier"] == 0
    np.testing.assert_allclose(rule.weights(LOSSES), [0, 0, 3], atol=1e-12)


def test_without_a_rate_of_learning_weights_stay_equal():
    rule = Bandit(3, eta=0)
    rule.weights(LOSSES)
    np.testing.assert_allclose(rule.weights(LOSSES), np.ones(3))


def test_adding_a_constant_to_all_losses_changes_nothing():
    near, far = Bandit(3), Bandit(3)
    for _ in range(5):
        np.testing.assert_allclose(near.weights(LOSSES), far.weights(LOSSES + 700), rtol=1e-9)


def test_two_tasks_weigh_at_most_what_the_default_says():
    rule = Bandit(2)
    for _ in range(5):
        weights = rule.weights(np.array([0.0, 1e6]))
    np.testing.assert_allclose(weights, [0.56, 1.44], atol=0.005)
