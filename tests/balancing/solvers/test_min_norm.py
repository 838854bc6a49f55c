import itertools

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.optimize import minimize

from matrices import J2, J3, J3C, ORTHOGONAL, gram, random_rows
from mtbalance.balancing.solvers.min_norm import min_norm


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


def assert_optimal(rows: np.ndarray) -> None:
    """The KKT conditions, up to rounding of the products that each of them is a sum of."""
    matrix, norms = gram(rows), np.linalg.norm(rows, axis=1)
    weights = min_norm(matrix)
    slopes, value, length = matrix @ weights, weights @ matrix @ weights, weights @ norms
    slack = 1e-10 * norms * length + 1e-15 * len(rows) * length**2
    assert weights.min() >= 0 and abs(weights.sum() - 1) < 1e-12
    assert (slopes >= value - slack).all()
    assert (np.abs(slopes - value) <= slack)[weights > 0].all()


@pytest.mark.parametrize("tasks", [2, 3, 8, 32])
@pytest.mark.parametrize("scale", [0.0, 3.0, 6.0, 12.0])
def test_certificate_of_optimality(tasks, scale):
    for seed in range(20):
        assert_optimal(random_rows(tasks, seed, scale))


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_a_common_scale_changes_no_weight(factor):
    for seed in range(10):
        rows = random_rows(5, seed)
        np.testing.assert_allclose(min_norm(gram(factor * rows)), min_norm(gram(rows)), atol=1e-12)


@pytest.mark.parametrize("tasks", [3, 8, 32])
@pytest.mark.parametrize("rank", [1, 2, 5])
def test_certificate_with_dependent_rows(tasks, rank):
    for seed in range(20):
        generator = np.random.default_rng(seed)
        rows = generator.normal(size=(tasks, rank)) @ generator.normal(size=(rank, 6))
        assert_optimal(rows)
        assert_optimal(rows * 10 ** generator.uniform(-3, 3, (tasks, 1)))


def test_a_short_row_beside_a_long_one_keeps_its_digits():
    rows = np.array([[1e-9, 0, 0], [-3.0, 4.0, 0], [0, 0, 1e9]])
    weights = min_norm(gram(rows))
    # With cosine -0.6 and 1/n = (1e9, 0.2): v is proportional to (1e9 + 0.6 * 0.2, 0.2 + 0.6 * 1e9), and w to v / n.
    np.testing.assert_allclose(weights[1] / weights[0], (0.2 + 0.6e9) / (1e9 + 0.12) * 0.2 / 1e9, rtol=1e-12)
    assert weights[2] < 1e-18


def test_zero_rows_share_the_weight():
    np.testing.assert_array_equal(min_norm(gram(np.array([[0.0, 0], [1, 1], [0, 0]]))), [0.5, 0, 0.5])
    np.testing.assert_array_equal(min_norm(np.zeros((4, 4))), np.full(4, 1 / 4))


@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        ([[1.0, 2], [1, 2], [1, 2]], [1 / 3, 1 / 3, 1 / 3]),
        ([[1.0, 0], [-1, 0], [0, 1], [0, -1]], [1 / 4, 1 / 4, 1 / 4, 1 / 4]),
        ([[0.0, 0], [1, 0], [-1, 0]], [1 / 3, 1 / 3, 1 / 3]),
        ([[0.0, 0], [1, 0], [-1, 0], [0, 1]], [1 / 3, 1 / 3, 1 / 3, 0]),
        ([[1.0, 0], [1, 0], [0, 1]], [1 / 4, 1 / 4, 1 / 2]),
        # w_1 - w_2 + 2 w_3 = 0 and a sum of 1: least squares give (2, 4, 1) / 7, all positive.
        ([[1.0, 0], [-1, 0], [2, 0], [0, 1]], [2 / 7, 4 / 7, 1 / 7, 0]),
        # Here least squares would make the first negative.
        ([[10.0, 0], [8, 0], [-1, 0]], [0, 1 / 9, 8 / 9]),
        ([[1e-6, 0], [-1e-6, 0], [0, 1e6], [0, -1e6]], [1 / 4, 1 / 4, 1 / 4, 1 / 4]),
    ],
)
def test_of_many_minimizers_it_is_the_one_of_least_norm(rows, weights):
    for order in itertools.permutations(range(len(rows))):
        found = min_norm(gram(np.array(rows)[list(order)]))
        np.testing.assert_allclose(found, np.array(weights)[list(order)], atol=1e-9)


@pytest.mark.parametrize("scale", [0.0, 2.0])
def test_the_order_of_dependent_rows_does_not_matter_and_no_other_minimizer_is_shorter(scale):
    for seed in range(60):
        generator = np.random.default_rng(seed)
        tasks, rank = int(generator.integers(3, 9)), int(generator.integers(1, 4))
        rows = generator.normal(size=(tasks, rank)) * 10 ** generator.uniform(-scale, scale, (tasks, 1))
        weights, order = min_norm(gram(rows)), generator.permutation(tasks)
        np.testing.assert_allclose(min_norm(gram(rows[order])), weights[order], atol=1e-8)
        ways = null_space(np.vstack([rows.T / np.abs(rows).max(), np.ones(tasks)]))
        for way in (ways @ generator.normal(size=(ways.shape[1], 50))).T if ways.size else []:
            other = weights + 1e-3 * way  # as near to the origin, if it is a mean of rows at all
            assert other.min() < 0 or other @ other >= weights @ weights * (1 - 1e-9)


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
