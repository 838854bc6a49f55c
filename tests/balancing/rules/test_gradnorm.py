import numpy as np
import pytest

from matrices import gram
from mtbalance.balancing.rules.gradnorm import GradNorm, norm_slopes

ROWS = gram(np.diag([1.0, 3.0]))


def test_slopes_by_hand():
    np.testing.assert_array_equal(norm_slopes(np.ones(2), np.array([1.0, 3.0]), np.ones(2)), [-1, 3])


def test_at_equal_rates_weights_tend_to_the_reciprocals_of_norms():
    rule = GradNorm(2, lr=0.001)
    for _ in range(4000):
        weights = rule.weights(ROWS, np.array([2.0, 5.0]))
    np.testing.assert_allclose(weights, [1.5, 0.5], atol=0.01)
    np.testing.assert_allclose(weights.sum(), 2)


def test_the_task_that_trains_more_slowly_gets_the_larger_norm():
    rule = GradNorm(2, lr=0.001, alpha=1.0)
    rule.weights(ROWS, np.array([1.0, 10.0]))
    for _ in range(6000):
        weights = rule.weights(ROWS, np.array([0.6, 2.0]))  # rates 1.5 and 0.5
    np.testing.assert_allclose(weights * [1, 3] / (weights @ [1, 3]), [0.75, 0.25], atol=0.01)


def test_weights_stay_positive_with_sum_k_under_any_norms():
    rule = GradNorm(3, lr=0.5)
    for _ in range(200):
        weights = rule.weights(gram(np.diag([1e-9, 1.0, 1e9])), np.ones(3))
        assert (weights > 0).all() and abs(weights.sum() - 3) < 1e-9


def test_a_loss_that_changes_its_sign_has_no_rate():
    rule = GradNorm(2)
    rule.weights(ROWS, np.ones(2))
    with pytest.raises(FloatingPointError, match="one sign"):
        rule.weights(ROWS, np.array([1.0, -1.0]))


def test_it_asks_for_the_last_shared_layer_unless_told_otherwise():
    assert GradNorm(2).sees == "last_layer" and GradNorm(2, norms="all").sees == "all"
