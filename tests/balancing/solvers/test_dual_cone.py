import numpy as np
import pytest

from matrices import gram
from mtbalance.balancing.contract.rows import HARD, TRIANGLE
from mtbalance.balancing.solvers.dual_cone import project


def unit(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows[norms[:, 0] > 0] / norms[norms[:, 0] > 0]


@pytest.mark.parametrize("case", [name for name, rows in HARD.items() if rows.any()])
def test_conditions_of_the_nearest_vector(case):
    """No v is negative, no gain is, and where v is positive there is no gain."""
    rows = unit(HARD[case])
    for coefficients in (*np.eye(len(rows)), np.geomspace(1, 1e-6, len(rows))):
        found = project(gram(rows), coefficients)
        gains = rows @ (rows.T @ (coefficients + found))
        assert (found >= 0).all() and found.max() < 10
        assert (gains >= -1e-6).all()
        np.testing.assert_allclose(found * gains, 0, atol=1e-6)


def test_of_dependent_rows_it_takes_the_shortest_in_any_order():
    """A row -(1, 0) against three copies of (1, 0): each takes a third of it back."""
    rows = np.array([[-1.0, 0], [1, 0], [1, 0], [1, 0]])
    np.testing.assert_allclose(project(gram(rows), np.eye(4)[0]), [0, 1 / 3, 1 / 3, 1 / 3], atol=1e-9)
    rows = np.vstack([TRIANGLE, -TRIANGLE])
    order = np.array([3, 0, 5, 2, 1, 4])
    coefficients = np.arange(1.0, 7)
    straight, turned = project(gram(rows), coefficients), project(gram(rows[order]), coefficients[order])
    np.testing.assert_allclose(turned, straight[order], atol=1e-9)


def test_the_size_of_the_coefficients_does_not_matter():
    rows = unit(HARD["three in conflict"])
    coefficients = np.array([1.0, 0, 5])
    for size in (1e-150, 1e150):
        np.testing.assert_allclose(project(gram(rows), size * coefficients) / size, project(gram(rows), coefficients))
