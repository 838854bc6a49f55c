import numpy as np

from mtbalance.balancing.rules.cosmos import COSMOS


def test_by_hand():
    """The slope of the cosine of (3, 4) with (2, 0) is (1, 0) / 5 - 3 (3, 4) / 125."""
    weights = COSMOS(2, penalty=0.5, preference=[7.0, 0.0]).weights(np.array([3.0, 4.0]))
    np.testing.assert_allclose(weights, [2 - 0.2 + 9 / 125, 12 / 125])


def test_losses_along_the_preference_weigh_as_it_says():
    np.testing.assert_allclose(COSMOS(2, preference=[1.0, 3.0]).weights(np.array([0.2, 0.6])), [0.5, 1.5])


def test_no_penalty_is_a_weighted_sum_and_zero_losses_have_no_cosine():
    for penalty, losses in ((0.0, [3.0, 1.0]), (1.0, [0.0, 0.0])):
        weights = COSMOS(2, penalty=penalty, preference=[1.0, 3.0]).weights(np.array(losses))
        np.testing.assert_allclose(weights, [0.5, 1.5])
