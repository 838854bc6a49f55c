import numpy as np
import pytest

from matrices import J2, J3, J3C, ORTHOGONAL, gram, random_rows
from mtbalance.balancing.rules.fairgrad import FairGrad
from mtbalance.balancing.rules.nash import Nash


def weights(rows: np.ndarray, alpha: float) -> np.ndarray:
    return FairGrad(len(rows), alpha=alpha).weights(gram(rows), np.ones(len(rows)))


@pytest.mark.parametrize("rows", [J2, J3, J3C, ORTHOGONAL, random_rows(6, 0, scale=2)])
def test_alpha_one_is_the_nash_bargain(rows):
    nash = Nash(len(rows)).weights(gram(rows), np.ones(len(rows)))
    np.testing.assert_allclose(weights(rows, 1.0), nash, rtol=1e-8)


def test_alpha_near_zero_tends_to_the_sum_of_rows():
    rows = 0.3 * J3 / np.linalg.norm(J3, axis=1, keepdims=True)
    np.testing.assert_allclose(weights(rows, 1e-3), np.ones(3), atol=0.01)


@pytest.mark.parametrize("rows", [J2, J3, J3C])
def test_a_large_alpha_serves_all_tasks_alike(rows):
    slopes = gram(rows) @ weights(rows, 50.0)
    np.testing.assert_allclose(slopes, slopes[0], rtol=0.05)


@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_it_is_the_best_direction_of_its_length(alpha):
    """No direction of the same length has a larger sum of u^(1 - alpha) / (1 - alpha)."""
    joint = weights(J3C, alpha) @ J3C

    def utility(direction: np.ndarray) -> float:
        gains = J3C @ direction
        return (gains ** (1 - alpha) / (1 - alpha)).sum() if (gains > 0).all() else -np.inf

    for step in 0.1 * np.random.default_rng(0).normal(size=(500, 4)):
        moved = joint + step
        assert utility(moved * np.linalg.norm(joint) / np.linalg.norm(moved)) <= utility(joint)


def test_a_common_scale_scales_the_weights_by_its_power():
    np.testing.assert_allclose(weights(1e6 * J3C, 2.0), 1e6 ** (-4 / 3) * weights(J3C, 2.0))


def test_a_search_without_solution_keeps_the_last_weights_and_so_does_a_task_without_row():
    rule = FairGrad(2)
    np.testing.assert_array_equal(rule.weights(np.array([[1.0, -1], [-1, 1]]), np.ones(2)), [1, 1])
    assert rule.diagnostics["fallback"] == 1
    solved = rule.weights(gram(J2), np.ones(2))
    assert rule.diagnostics["fallback"] == 0
    alone = rule.weights(np.array([[16.0, 0], [0, 0]]), np.ones(2))
    np.testing.assert_allclose(alone, [16 ** (-2 / 3), solved[1]])
