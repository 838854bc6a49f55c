import numpy as np
import pytest

from mtbalance.balancing.rules.uncertainty import Uncertainty


def test_the_first_step_by_hand():
    rule = Uncertainty(2)
    np.testing.assert_allclose(rule.weights(np.array([1, np.e])), [0.5, 0.5])
    # d/ds = (1 - exp(-s) L) / 2 = (0, -0.8591409142): Adam's first step is lr against the sign.
    np.testing.assert_allclose(rule.adam.first, 0.1 * np.array([0, -0.8591409142]), atol=1e-10)
    np.testing.assert_allclose(rule.log_variances, [0, 0.025], rtol=1e-6)


def test_it_tends_to_half_of_the_scale_invariant_weights():
    rule, losses = Uncertainty(3), np.array([0.2, 1.0, 3.0])
    for _ in range(2000):
        weights = rule.weights(losses)
    np.testing.assert_allclose(weights, 0.5 / losses, rtol=1e-4)


def test_a_weight_without_bound_is_an_error_and_not_a_nan():
    rule = Uncertainty(1, lr=10)
    with pytest.raises(FloatingPointError):
        for _ in range(200):
            rule.weights(np.zeros(1))
