import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from matrices import J2, J3, J3C, gram, random_rows
from mtbalance.balancing.rules.min_norm import MinNorm
from mtbalance.balancing.rules.sdmgrad import SDMGrad


def weights(rows: np.ndarray, pull: float) -> np.ndarray:
    return SDMGrad(len(rows), pull=pull).weights(gram(rows), np.ones(len(rows)))


@pytest.mark.parametrize("pull", [0.1, 0.3, 1.0])
def test_two_tasks_by_a_search_along_the_simplex(pull):
    for seed in range(20):
        rows = random_rows(2, seed, scale=1)
        mean = rows.mean(axis=0)
        found = minimize_scalar(
            lambda x: np.sum((x * rows[0] + (1 - x) * rows[1] + pull * mean) ** 2),  # noqa: B023
            bounds=(0, 1),
            method="bounded",
            options={"xatol": 1e-10},
        )
        direction = (found.x * rows[0] + (1 - found.x) * rows[1] + pull * mean) / (1 + pull)
        np.testing.assert_allclose(weights(rows, pull) @ rows / 2, direction, atol=1e-4 * np.abs(rows).max())


def test_by_hand():
    """Orthogonal unit rows, the second of length 2; lambda 1: |(w + 1/2, 2 (3/2 - w))| is least at w = 11/10, so 1."""
    np.testing.assert_allclose(weights(np.diag([1.0, 2.0]), 1.0), 2 * np.array([1 + 0.5, 0 + 0.5]) / 2)
    # lambda 0.1: w + 0.05 = 4 (1.05 - w) gives w = 0.83
    np.testing.assert_allclose(weights(np.diag([1.0, 2.0]), 0.1), 2 * np.array([0.88, 0.22]) / 1.1)


@pytest.mark.parametrize("pull", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("rows", [J2, J3, J3C, random_rows(8, 0)], ids=["J2", "J3", "J3c", "eight"])
def test_no_row_agrees_less_with_the_joint_row_than_those_in_the_mixture(rows, pull):
    """The condition of the minimum: g_k . d is least, and the same, for all rows with w_k > 0."""
    found = weights(rows, pull)
    agreement = rows @ (found @ rows)
    mixed = found > pull / (1 + pull) + 1e-9
    np.testing.assert_allclose(agreement[mixed], agreement.min(), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.sum(), len(rows))


def test_it_goes_from_mgda_to_the_mean_row():
    np.testing.assert_allclose(weights(J3C, 0.0), MinNorm(3).weights(gram(J3C), np.ones(3)))
    np.testing.assert_allclose(weights(J3C, 1e9), np.ones(3), atol=1e-8)


def test_it_is_mgda_where_every_task_is_in_the_mixture():
    np.testing.assert_allclose(weights(J3C, 0.3), weights(J3C, 0.0), rtol=1e-8)
    assert np.abs(weights(J3C, 10.0) - weights(J3C, 0.0)).max() > 0.01
