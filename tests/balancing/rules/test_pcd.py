import numpy as np
import pytest
from scipy.optimize import minimize

from matrices import J2, gram, random_rows
from mtbalance.balancing.rules.pcd import PCD


def test_two_orthogonal_rows_by_hand():
    """Normalized, d = (1, tau); then as long as the first row."""
    weights = PCD(2, tau=0.5).weights(np.diag([9.0, 4.0]), np.ones(2))
    np.testing.assert_allclose(weights * [3, 2], 3 * np.array([1, 0.5]) / np.sqrt(1.25))


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("tau", [0.0, 0.02, 0.3])
def test_it_is_the_nearest_row_that_serves_the_others(seed, tau):
    rows = random_rows(4, seed, scale=1)
    found = PCD(4, tau=tau).weights(gram(rows), np.ones(4)) @ rows
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    nearest = minimize(
        lambda d: 0.5 * np.sum((d - units[0]) ** 2),
        units.sum(axis=0),
        constraints={"type": "ineq", "fun": lambda d: units[1:] @ d - tau},
        options={"ftol": 1e-14, "maxiter": 500},
    ).x
    np.testing.assert_allclose(np.linalg.norm(found), np.linalg.norm(rows[0]))
    np.testing.assert_allclose(found / np.linalg.norm(found), nearest / np.linalg.norm(nearest), atol=1e-5)


def test_any_task_can_be_the_target():
    order = [2, 0, 1]
    rows = random_rows(3, 0)
    weights = PCD(3, target=2).weights(gram(rows), np.ones(3))
    np.testing.assert_allclose(weights[order], PCD(3).weights(gram(rows[order]), np.ones(3)))


def test_the_scale_of_another_loss_does_not_matter():
    one, other = PCD(2, tau=0.3), PCD(2, tau=0.3)
    for _ in range(3):
        np.testing.assert_allclose(
            one.weights(gram(J2), np.ones(2)) @ J2,
            other.weights(gram(J2 * [[1], [1e6]]), np.ones(2)) @ (J2 * [[1], [1e6]]),
        )


def test_conditions_that_contradict_each_other_are_dropped():
    rows = np.array([[1.0, 0], [0, 1], [0, -1]])
    rule = PCD(3, tau=0.1)
    np.testing.assert_allclose(rule.weights(gram(rows), np.ones(3)), [1, 0, 0])
    assert rule.diagnostics["fallback"] == 1


def test_it_is_zero_if_the_targets_row_is():
    np.testing.assert_array_equal(PCD(2).weights(np.diag([0.0, 1]), np.ones(2)), [0, 0])


def test_a_target_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="target must be the number of a task, from 0 to 1, not 5"):
        PCD(2, target=5)
