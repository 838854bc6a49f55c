import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from matrices import J2, gram, random_rows
from mtbalance.balancing.solvers.conflict_averse import conflict_averse


@pytest.mark.parametrize("seed", range(20))
def test_two_tasks_by_a_search_on_the_segment(seed):
    rows = random_rows(2, seed)
    mean = rows.mean(axis=0)
    radius = 0.4 * np.linalg.norm(mean)

    def dual(first: float) -> float:
        joint = np.array([first, 1 - first]) @ rows
        return joint @ mean + radius * np.linalg.norm(joint)

    best = min(minimize_scalar(dual, bounds=(0, 1), method="bounded", options={"xatol": 1e-12}).fun, dual(0), dual(1))
    added = conflict_averse(gram(rows), 0.4)
    np.testing.assert_allclose(dual(added[0] / added.sum()), best, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(added @ rows), radius)


@pytest.mark.parametrize("tasks", [3, 8, 32])
@pytest.mark.parametrize("c", [0.1, 0.5, 2.0])
def test_certificate_of_optimality(tasks, c):
    for seed in range(5):
        rows = random_rows(tasks, seed) + 0.3 * np.random.default_rng(seed).normal(size=tasks + 3)
        mean = rows.mean(axis=0)
        added = conflict_averse(gram(rows), c)
        weights = added / added.sum()
        slopes = rows @ (mean + added @ rows)  # the gradient of the dual, and each task's gain
        assert (slopes >= weights @ slopes - 1e-8 * (rows**2).sum(axis=1).max()).all()


def test_nothing_is_added_where_nothing_can_be():
    np.testing.assert_array_equal(conflict_averse(gram(J2), 0.0), [0, 0])
    np.testing.assert_array_equal(conflict_averse(np.array([[5.0, -5], [-5, 5]]), 0.4), [0, 0])
    np.testing.assert_array_equal(conflict_averse(np.zeros((3, 3)), 0.4), [0, 0, 0])
