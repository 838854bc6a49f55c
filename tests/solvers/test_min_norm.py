import numpy as np
import pytest
from scipy.optimize import minimize

from matrices import J2, J3, J3C, ORTHOGONAL, gram, random_rows
from mtbalance.solvers.min_norm import min_norm


@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        (J2, [0.6, 0.4]),
        (J3, [0.4, 0.4, 0.2]),
        (J3C, [0.2966101695, 0.2881355932, 0.4152542373]),
        (ORTHOGONAL, [0.7619047619, 0.1904761905, 0.0476190476]),
        ([[1.0, 2], [-1, -2]], [0.5, 0.5]),
        ([[1.0, 0], [3, 0]], [1, 0]),
        ([[0.0, 0], [1, 1], [2, 1]], [1, 0, 0]),
        ([[5.0]], [1]),
    ],
    ids=["J2", "J3", "J3c", "orthogonal", "opposed", "parallel", "zero row", "one task"],
)
def test_frozen_values(rows, weights):
    np.testing.assert_allclose(min_norm(gram(np.array(rows))), weights, atol=1e-9)


@pytest.mark.parametrize("tasks", [2, 3, 8, 32])
@pytest.mark.parametrize("scale", [0.0, 3.0])
def test_certificate_of_optimality(tasks, scale):
    for seed in range(20):
        matrix = gram(random_rows(tasks, seed, scale))
        weights = min_norm(matrix)
        slopes, value = matrix @ weights, weights @ matrix @ weights
        slack = 1e-10 * matrix.diagonal().max()
        assert weights.min() >= 0 and abs(weights.sum() - 1) < 1e-10
        assert (slopes >= value - slack).all()
        assert (np.abs(slopes - value)[weights > 1e-12] <= slack).all()


def test_dependent_rows_are_no_obstacle():
    rows = np.vstack([J3C, J3C, J3C[:1] + J3C[1:2]])
    weights = min_norm(gram(rows))
    np.testing.assert_allclose(weights @ gram(rows) @ weights, min_norm(gram(J3C)) @ gram(J3C) @ min_norm(gram(J3C)))


def test_agrees_with_a_general_solver():
    for seed in range(5):
        matrix = gram(random_rows(5, seed))
        general = minimize(
            lambda w, matrix=matrix: w @ matrix @ w,
            np.full(5, 0.2),
            jac=lambda w, matrix=matrix: 2 * matrix @ w,
            bounds=[(0, 1)] * 5,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
            options={"ftol": 1e-14, "maxiter": 1000},
        )
        weights = min_norm(matrix)
        assert weights @ matrix @ weights <= general.fun * (1 + 1e-9)
        np.testing.assert_allclose(weights, general.x, atol=1e-5)
