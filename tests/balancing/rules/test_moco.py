import numpy as np
import pytest
import torch

from matrices import J2, J3, gram
from mtbalance.balancing.rules.moco import MoCo
from mtbalance.balancing.solvers.min_norm import min_norm


def test_two_steps_by_hand():
    rule = MoCo(2, beta=1.0, gamma=0.01, decay=1.0)
    joint, weights = rule.combine([torch.tensor(J2)], np.ones(2))
    # G (1/2, 1/2) = (-2, 8): lambda = Pi((0.52, 0.42)) = (0.55, 0.45)
    np.testing.assert_allclose(weights, [1.1, 0.9])
    np.testing.assert_allclose(joint[0], 2 * (np.array([0.55, 0.45]) @ J2))
    joint, weights = rule.combine([torch.zeros(2, 3, dtype=torch.float64)], np.ones(2))
    # beta_2 = 1/2: Y = J / 2; G / 4 (0.55, 0.45) = (0, 1.25): lambda = Pi((0.55, 0.45 - 0.005 * 1.25))
    np.testing.assert_allclose(weights, [1.1 + 0.00625, 0.9 - 0.00625])
    np.testing.assert_allclose(joint[0], weights @ J2 / 2)


def test_on_constant_rows_it_tends_to_the_min_norm():
    rule = MoCo(3, beta=1.0, gamma=0.01, decay=0.0)
    for _ in range(3000):
        joint, weights = rule.combine([torch.tensor(J3)], np.ones(3))
    np.testing.assert_allclose(weights / 3, min_norm(gram(J3)), atol=1e-6)
    np.testing.assert_allclose(joint[0], 3 * np.ones(3), atol=1e-5)


def test_rows_are_tracked_through_noise():
    rule, generator = MoCo(2, gamma=0.0), torch.Generator().manual_seed(0)
    for _ in range(3000):
        rule.combine([torch.tensor(J2) + torch.randn(2, 3, generator=generator, dtype=torch.float64)], np.ones(2))
    np.testing.assert_allclose(rule.tracked[0], J2, atol=0.3)


def test_rho_draws_the_limit_toward_equal_weights():
    rule = MoCo(3, beta=1.0, gamma=0.01, decay=0.0, rho=2.0)
    for _ in range(3000):
        _, weights = rule.combine([torch.tensor(J3)], np.ones(3))
    np.testing.assert_allclose(weights / 3, min_norm(gram(J3) + 2 * np.eye(3)), atol=1e-6)


def test_gradients_at_a_representation_cannot_be_tracked():
    with pytest.raises(ValueError, match="representation"):
        MoCo.check_level("representation")
