import numpy as np
import pytest

from matrices import J2, J3, J3C, gram, random_rows
from mtbalance.balancing.rules.pcgrad import PCGrad
from mtbalance.balancing.rules.upgrad import UPGrad


def joint(rows: np.ndarray) -> np.ndarray:
    return UPGrad(len(rows)).weights(gram(rows), np.ones(len(rows))) @ rows


def test_by_hand():
    """(1, 0) without its part along (-1, 1) is (1/2, 1/2); (-1, 1) without its part along (1, 0) is (0, 1)."""
    rows = np.array([[1.0, 0], [-1, 1]])
    np.testing.assert_allclose(UPGrad(2).weights(gram(rows), np.ones(2)), [2, 1.5])
    np.testing.assert_allclose(joint(rows), [0.5, 1.5])


@pytest.mark.parametrize("seed", range(10))
def test_for_two_tasks_it_is_pcgrad(seed):
    rows = np.random.default_rng(seed).normal(size=(2, 3)) * [[1], [30]]
    np.testing.assert_allclose(joint(rows), PCGrad(2).weights(gram(rows), np.ones(2)) @ rows, rtol=1e-9)


def test_rows_without_conflict_weigh_one():
    np.testing.assert_array_equal(UPGrad(3).weights(gram(J3), np.ones(3)), np.ones(3))


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_sum_of_the_projections_as_a_convex_program_finds_them(seed):
    cvxpy = pytest.importorskip("cvxpy")
    rows = random_rows(4, seed) - 0.4
    found = np.zeros(rows.shape[1])
    for row in rows:
        d = cvxpy.Variable(rows.shape[1])
        cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares(d - row)), [rows @ d >= 0]).solve(solver="CLARABEL")
        found += d.value
    np.testing.assert_allclose(joint(rows), found, atol=1e-5 * np.linalg.norm(found))


@pytest.mark.parametrize("rows", [J2, J3C, random_rows(8, 2, scale=1)], ids=["J2", "J3c", "eight"])
def test_it_opposes_no_task_and_follows_the_scale_of_each(rows):
    """The projection of a row is as long as the row, and the cone does not depend on lengths."""
    assert (rows @ joint(rows) >= -1e-9 * np.linalg.norm(rows, axis=1) * np.linalg.norm(joint(rows))).all()
    longer = rows.copy()
    longer[0] *= 3
    double = rows.copy()
    double[0] *= 2
    np.testing.assert_allclose(joint(longer) - joint(double), joint(double) - joint(rows), rtol=1e-7)


def test_equal_rows_weigh_alike_and_opposed_rows_cancel():
    rows = np.array([[1.0, 0], [-1, 1], [-1, 1]])
    weights = UPGrad(3).weights(gram(rows), np.ones(3))
    np.testing.assert_allclose(weights[1], weights[2])
    np.testing.assert_allclose(joint(rows), [0.5, 2.5], atol=1e-9)
    np.testing.assert_allclose(joint(np.array([[1.0, -2], [-3, 6]])), [0, 0], atol=1e-9)
