import numpy as np

from mtbalance.balancing.rules.pbi import PBI


def test_by_hand():
    """f = (3, 4) along (1, 0): d_2 is the second loss, so the weights are sqrt(2) (1, theta)."""
    rule = PBI(2, theta=3.0, preference=[2.0, 0.0], reference=[1.0, 1.0])
    np.testing.assert_allclose(rule.weights(np.array([4.0, 5.0])), 2**0.5 * np.array([1, 3]))


def test_a_task_that_is_ahead_of_the_preferred_direction_weighs_less_than_nothing():
    """f - 2 (1, 1) = (1, -1): 1 + theta and 1 - theta."""
    np.testing.assert_allclose(PBI(2, theta=5.0).weights(np.array([3.0, 1.0])), [6, -4])


def test_losses_on_the_preferred_direction_weigh_as_it_says():
    np.testing.assert_allclose(
        PBI(2, preference=[3.0, 4.0]).weights(np.array([0.3, 0.4])), 2**0.5 * np.array([0.6, 0.8])
    )


def test_losses_of_single_precision_on_the_preferred_direction_count_as_on_it():
    """Their distance is rounding, whose direction means nothing; theta would multiply it."""
    for seed in range(50):
        generator = np.random.default_rng(seed)
        preference, reference = generator.uniform(0.1, 1, 3), generator.uniform(size=3)
        losses = (reference + generator.uniform(0.1, 3) * preference).astype(np.float32).astype(float)
        weights = PBI(3, preference=preference.tolist(), reference=reference.tolist()).weights(losses)
        np.testing.assert_allclose(weights / weights.sum(), preference / preference.sum())
