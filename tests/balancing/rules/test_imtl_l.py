import numpy as np

from mtbalance.balancing.rules.imtl_l import IMTLL
from mtbalance.balancing.rules.uncertainty import Uncertainty


def test_it_tends_to_the_scale_invariant_weights():
    rule, losses = IMTLL(3), np.array([0.2, 1.0, 3.0])
    np.testing.assert_array_equal(rule.weights(losses), np.ones(3))
    for _ in range(2000):
        weights = rule.weights(losses)
    np.testing.assert_allclose(weights, 1 / losses, rtol=1e-4)


def test_it_is_twice_uncertainty_weighting():
    generator, first, second = np.random.default_rng(0), IMTLL(2), Uncertainty(2)
    for _ in range(50):
        losses = generator.uniform(0.1, 3, 2)
        np.testing.assert_allclose(first.weights(losses), 2 * second.weights(losses), rtol=1e-5)
