import numpy as np
import pytest

from matrices import J2, J3, J3C, gram, random_rows
from mtbalance.balancing.rules.gradcraft import GradCraft


def by_projection(rows: np.ndarray, tau: float, epsilon: float) -> np.ndarray:
    """The paper's steps on the rows themselves, one least-squares problem a row."""
    norms = np.linalg.norm(rows, axis=1)
    moved = rows * (tau * norms.max() / norms + 1 - tau)[:, None]
    joint = np.zeros(rows.shape[1])
    for row in moved:
        against = moved[moved @ row < 0]
        wanted = epsilon * np.linalg.norm(row) * np.linalg.norm(against, axis=1) - against @ row
        joint += row + np.linalg.pinv(against) @ wanted
    return joint


@pytest.mark.parametrize("rows", [J2, J3, J3C, random_rows(6, 1, scale=1)], ids=["J2", "J3", "J3c", "six"])
@pytest.mark.parametrize(("tau", "epsilon"), [(1.0, 0.0), (0.5, 0.0), (0.0, 0.2), (1.0, 0.5)])
def test_it_is_the_projection_of_the_rows(rows, tau, epsilon):
    weights = GradCraft(len(rows), tau=tau, epsilon=epsilon).weights(gram(rows), np.ones(len(rows)))
    np.testing.assert_allclose(weights @ rows, by_projection(rows, tau, epsilon), atol=1e-9)


def test_two_opposed_directions_by_hand():
    """Unit rows at 120 degrees: each gives up its half along the other, and with epsilon 0.1 gets a tenth of it."""
    rows = np.array([[1, 0], [-0.5, 3**0.5 / 2]])
    np.testing.assert_allclose(GradCraft(2).weights(gram(rows), np.ones(2)), [1.5, 1.5])
    np.testing.assert_allclose(GradCraft(2, epsilon=0.1).weights(gram(rows), np.ones(2)), [1.6, 1.6])


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
def test_rows_without_conflict_are_moved_to_the_longest(tau):
    weights = GradCraft(2, tau=tau).weights(np.diag([1.0, 16.0]), np.ones(2))
    np.testing.assert_allclose(weights, [4 * tau + 1 - tau, 1])


@pytest.mark.parametrize("seed", range(10))
def test_each_projected_row_opposes_none_that_opposed_it(seed):
    """The promise of the paper, where PCGrad's projections in sequence may fail."""
    rows = random_rows(5, seed)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    projected = GradCraft(5)._deconflicted(gram(units)) @ units
    products = projected @ units.T
    assert (products[gram(units) < 0] > -1e-9).all()


def test_rows_that_depend_on_each_other_are_no_obstacle():
    rows = np.array([[1.0, 0], [-1, 0], [-1, 1], [-2, 2], [0, 0]])
    weights = GradCraft(5, tau=0.0).weights(gram(rows), np.ones(5))
    np.testing.assert_allclose(weights @ rows, by_projection(rows[:4], 0.0, 0.0), atol=1e-9)
    assert weights[4] == 1
