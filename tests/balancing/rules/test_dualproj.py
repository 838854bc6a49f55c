import numpy as np
import pytest

from matrices import J2, J3, J3C, gram, random_rows
from mtbalance.balancing.rules.dualproj import DualProj


def joint(rows: np.ndarray) -> np.ndarray:
    return DualProj(len(rows)).weights(gram(rows), np.ones(len(rows))) @ rows


def test_by_hand():
    """The sum (-2, 2) of (1, 0) and (-3, 2) opposes the first; without its part along it, it is (0, 2)."""
    rows = np.array([[1.0, 0], [-3, 2]])
    np.testing.assert_allclose(DualProj(2).weights(gram(rows), np.ones(2)), [3, 1])
    np.testing.assert_allclose(joint(rows), [0, 2], atol=1e-9)


@pytest.mark.parametrize("rows", [J3, J3C], ids=["J3", "J3c"])
def test_a_sum_that_opposes_no_task_stays(rows):
    np.testing.assert_array_equal(DualProj(3).weights(gram(rows), np.ones(3)), np.ones(3))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("tasks", [2, 4, 8])
def test_it_holds_the_conditions_of_the_nearest_vector_that_opposes_no_task(seed, tasks):
    """With multipliers w - 1: none negative, none on a task that gains, and every task's gain is not negative."""
    rows = random_rows(tasks, seed, scale=0.5) @ np.random.default_rng(seed).normal(size=(tasks + 3, tasks + 3))
    rows[0] -= 4 * rows[1:].sum(axis=0)
    weights = DualProj(tasks).weights(gram(rows), np.ones(tasks))
    norms = np.linalg.norm(rows, axis=1)
    gains = rows @ (weights @ rows) / norms / norms.max()
    assert (weights >= 1).all() and (weights > 1).any()
    assert (gains >= -1e-8).all()
    np.testing.assert_allclose((weights - 1) * norms / norms.max() * gains, 0, atol=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_a_convex_program_finds(seed):
    cvxpy = pytest.importorskip("cvxpy")
    rows = random_rows(4, seed, scale=0.5) - 0.5
    d = cvxpy.Variable(rows.shape[1])
    distance = cvxpy.Minimize(cvxpy.sum_squares(d - rows.sum(axis=0)))
    cvxpy.Problem(distance, [rows @ d >= 0]).solve(solver="CLARABEL")
    np.testing.assert_allclose(joint(rows), d.value, atol=1e-5 * np.linalg.norm(rows))


def test_opposed_rows_cancel_and_a_zero_row_weighs_one():
    np.testing.assert_allclose(joint(np.array([[1.0, -2], [-3, 6]])), [0, 0], atol=1e-9)
    rows = np.vstack([np.zeros(3), J2])
    np.testing.assert_allclose(DualProj(3).weights(gram(rows), np.ones(3)), [1, 11 / 9, 1])
