import numpy as np
import pytest

from matrices import J2, J3, gram
from mtbalance.balancing.rules.multibalance import MultiBalance
from mtbalance.balancing.solvers.min_norm import min_norm
from rule_cases import HARD


@pytest.mark.parametrize(("beta", "mixture"), [(0.01, [0.555, 0.445]), (0.1, [1, 0])])
def test_one_step_by_hand(beta, mixture):
    rule = MultiBalance(2, gamma=1, rho=0.1, beta=beta, inner="product")
    weights = rule.weights(gram(J2), np.ones(2))
    np.testing.assert_allclose(weights, 2 * np.array(mixture))
    np.testing.assert_allclose(weights @ J2 / 2, [0.45, 1, 1] if beta == 0.01 else J2[0], rtol=1e-12)


def test_on_constant_rows_it_tends_to_the_min_norm():
    rule = MultiBalance(3, gamma=1, rho=0, beta=0.01, inner="product")
    for _ in range(3000):
        weights = rule.weights(gram(J3), np.ones(3))
    np.testing.assert_allclose(weights / 3, min_norm(gram(J3)), atol=1e-6)


def test_without_steps_or_memory_every_task_weighs_one():
    np.testing.assert_array_equal(MultiBalance(3, gamma=1, beta=0).weights(gram(J3), np.ones(3)), np.ones(3))


def test_lengths_are_averaged_and_directions_are_not():
    rule = MultiBalance(2, gamma=0.1, beta=0, start="zero")
    rule.weights(gram(np.diag([1.0, 10.0])), np.ones(2))
    weights = rule.weights(gram(np.diag([3.0, 10.0])), np.ones(2))
    # u_1 = 0.9 * (0.1 * 1) + 0.1 * 3 = 0.39, u_2 = 0.9 * 1 + 1 = 1.9; weights are u / norm.
    np.testing.assert_allclose(weights, [0.39 / 3, 0.19])


def test_the_corrected_start_begins_at_the_first_length():
    np.testing.assert_allclose(MultiBalance(2, beta=0).weights(gram(J2), np.ones(2)), [1, 1])


def test_a_batch_without_labels_for_a_task_leaves_its_average():
    rule = MultiBalance(2, gamma=0.5, beta=0)
    rule.weights(gram(np.diag([1.0, 2.0])), np.ones(2))
    assert rule.weights(gram(np.diag([0.0, 2.0])), np.ones(2))[0] == 0
    np.testing.assert_allclose(rule.weights(gram(np.diag([1.0, 2.0])), np.ones(2)), [1, 1])


def test_with_cosines_the_scale_of_losses_does_not_move_the_mixture():
    small, large = MultiBalance(2), MultiBalance(2)
    for seed in range(5):
        rows = np.random.default_rng(seed).normal(size=(2, 4))
        small.weights(gram(rows * 1e-6), np.ones(2))
        large.weights(gram(rows * 1e6), np.ones(2))
    np.testing.assert_allclose(small.mixture, large.mixture)


@pytest.mark.parametrize("options", [{"rho": -1}, {"beta": -0.1}, {"gamma": 0}, {"gamma": 1.5}])
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        MultiBalance(2, **options)


@pytest.mark.parametrize("rows", HARD.values(), ids=HARD)
@pytest.mark.parametrize("inner", ["cosine", "product"])
def test_the_mixture_stays_on_the_simplex(rows, inner):
    rule = MultiBalance(len(rows), inner=inner)
    for seed in range(5):
        turned = rows * np.random.default_rng(seed).normal(size=rows.shape)
        rule.weights(gram(turned), np.ones(len(rows)))
        assert (rule.mixture >= 0).all() and abs(rule.mixture.sum() - 1) < 1e-12
