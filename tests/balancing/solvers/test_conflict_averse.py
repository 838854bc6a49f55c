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


def in_the_hull(seed: int) -> np.ndarray:
    """Rows with zero in their convex hull, inside it or on its border."""
    generator = np.random.default_rng(seed)
    tasks = int(generator.integers(3, 9))
    rows = generator.normal(size=(tasks, tasks + 3))
    around = int(generator.integers(2, tasks + 1))
    rows[around - 1] = -generator.uniform(0.1, 1, around - 1) @ rows[: around - 1]
    return rows * 10 ** generator.uniform(-1, 1, (tasks, 1))


@pytest.mark.parametrize("c", [1.0, 2.0])
def test_with_zero_in_the_hull_the_joint_row_is_the_nearest_to_the_mean_that_opposes_no_task(c):
    """Optimality: no row opposes it, it is inside the ball, and it is at right angles to what was added."""
    for seed in range(60):
        rows = in_the_hull(seed)
        mean, lengths = rows.mean(axis=0), np.linalg.norm(rows, axis=1)
        added = conflict_averse(gram(rows), c)
        joint, size = mean + added @ rows, np.linalg.norm(mean)
        assert added.min() >= 0 and np.linalg.norm(added @ rows) <= c * size * (1 + 1e-6)
        assert (rows @ joint / lengths).min() >= -1e-4 * size
        assert abs(joint @ (added @ rows)) <= 1e-4 * size**2


def test_with_zero_in_the_hull_a_small_ball_is_left_to_the_dual():
    """The nearest point without conflict is 0, which is too far: the best end for the second task is 0.3."""
    rows = np.array([[2.0], [-1.0]])
    np.testing.assert_allclose(0.5 + conflict_averse(gram(rows), 0.4) @ rows, [0.3])
    np.testing.assert_allclose(0.5 + conflict_averse(gram(rows), 1.0) @ rows, [0.0], atol=1e-6)


@pytest.mark.parametrize("c", [0.4, 1.0, 2.0])
def test_with_zero_in_the_hull_the_order_of_tasks_does_not_matter(c):
    for seed in range(60):
        rows = in_the_hull(seed)
        added, order = conflict_averse(gram(rows), c), np.random.default_rng(seed).permutation(len(rows))
        again = conflict_averse(gram(rows[order]), c)
        np.testing.assert_allclose(again, added[order], atol=1e-6 * max(added.max(), 1e-3))


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_a_row_of_zeros_is_in_the_hull_and_keeps_its_task_out(scale):
    rows = scale * np.array([[0.0, 0], [3, 1], [-1, 0]])
    added = conflict_averse(gram(rows), 1.0)
    np.testing.assert_allclose((rows.mean(axis=0) + added @ rows) / scale, [0, 1 / 3], atol=1e-6)
    assert added[0] == 0
