import numpy as np
import pytest

from matrices import J2, J3C, gram, random_rows
from mtbalance.balancing.rules.gradvac import GradVac
from mtbalance.balancing.rules.pcgrad import PCGrad


def test_the_first_step_is_that_of_pcgrad():
    """All averages are zero. The draws are the same, so the weights are, too."""
    for seed in range(10):
        rows = random_rows(4, seed) - 0.3 * random_rows(4, seed).sum(axis=0)
        np.testing.assert_allclose(
            GradVac(4).weights(gram(rows), np.ones(4)), PCGrad(4).weights(gram(rows), np.ones(4))
        )


@pytest.mark.parametrize("target", [-0.5, 0.0, 0.3, 0.9])
def test_a_row_is_turned_until_its_cosine_is_the_average(target):
    rule = GradVac(2)
    rule.targets[:] = target
    turned = rule._turned(gram(J2), 0, [1]) @ J2  # its cosine was -22 / sqrt(18 * 38) = -0.841
    np.testing.assert_allclose(turned @ J2[1] / np.linalg.norm(turned) / np.linalg.norm(J2[1]), target, atol=1e-12)
    np.testing.assert_allclose(rule.targets[0, 1], 0.99 * target + 0.01 * (-22 / np.sqrt(18 * 38)))


def test_a_row_that_is_near_enough_stays():
    rule = GradVac(2)
    rule.targets[:] = -0.9
    np.testing.assert_array_equal(rule.weights(gram(J2), np.ones(2)), [1, 1])


def test_weights_are_at_least_one():
    rule = GradVac(3, beta=0.5)
    for seed in range(50):
        assert (rule.weights(gram(random_rows(3, seed)), np.ones(3)) >= 1).all()


def test_an_average_of_one_turns_no_row_to_infinity():
    rule = GradVac(3, beta=1.0)
    rule.weights(np.ones((3, 3)), np.ones(3))
    np.testing.assert_allclose(rule.targets[0, 1:], 1)
    assert (rule.weights(gram(J3C), np.ones(3)) < 1e8).all()


def test_a_zero_row_leaves_the_averages():
    rule = GradVac(2)
    np.testing.assert_array_equal(rule.weights(np.diag([0.0, 1]), np.ones(2)), [1, 1])
    assert not rule.targets.any()
