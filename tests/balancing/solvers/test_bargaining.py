import numpy as np
import pytest

from matrices import J2, J3, J3C, ORTHOGONAL, gram, random_rows
from mtbalance.balancing.solvers.bargaining import bargain


@pytest.mark.parametrize(
    ("rows", "weights"),
    [
        (J2, [0.5914611522, 0.4070714829]),
        (J3, [0.3591280501, 0.3591280501, 0.2706257713]),
        (J3C, [0.5164254021, 0.5196451330, 0.6770551986]),
        (ORTHOGONAL, [1, 0.5, 0.25]),
        ([[3.0, 4.0]], [0.2]),
        ([[1.0, 0], [1, 0]], [0.5**0.5, 0.5**0.5]),
    ],
    ids=["J2", "J3", "J3c", "orthogonal", "one task", "parallel"],
)
def test_frozen_values(rows, weights):
    result = bargain(gram(np.array(rows)))
    assert result.accepted
    np.testing.assert_allclose(result.weights, weights, rtol=1e-9)


@pytest.mark.parametrize("tasks", [1, 2, 3, 8, 32])
@pytest.mark.parametrize("scale", [0.0, 6.0])
def test_every_task_gains_one_over_its_weight(tasks, scale):
    for seed in range(20):
        matrix = gram(random_rows(tasks, seed, scale))
        result = bargain(matrix)
        assert result.accepted and (result.weights > 0).all()
        np.testing.assert_allclose(result.weights * (matrix @ result.weights), 1, atol=1e-9)
        np.testing.assert_allclose(result.weights @ matrix @ result.weights, tasks, rtol=1e-9)


@pytest.mark.parametrize("tasks", [3, 8, 16, 32, 40])
@pytest.mark.parametrize("seed", range(40))
def test_newton_needs_less_than_ten_steps(tasks, seed):
    result = bargain(gram(random_rows(tasks, seed)))
    assert result.iterations < 10 and result.residual <= 1e-10


def test_scaling_a_task_scales_its_weight_back():
    rows, factors = random_rows(4, 0), np.array([1e-9, 1.0, 1e3, 1e9])
    weights = bargain(gram(rows)).weights
    scaled = bargain(gram(rows * factors[:, None])).weights
    np.testing.assert_allclose(scaled * factors, weights, rtol=1e-9)


def test_nearly_opposed_tasks_still_agree():
    cosine = -1 + 1e-5
    result = bargain(np.array([[1, cosine], [cosine, 1]]))
    assert result.accepted
    np.testing.assert_allclose(result.weights, (1 + cosine) ** -0.5, rtol=1e-9)


def test_terms_that_cancel_do_not_count_as_a_residual():
    """Near the edge the sum b_i (C b)_i has terms a million times as large as itself, and their rounding."""
    for seed in range(200):
        one, other = np.random.default_rng(seed).normal(size=(2, 30))
        other -= other @ one / (one @ one) * one
        beyond = 2e-3 * np.linalg.norm(one) / np.linalg.norm(other) * other  # 1 + cosine is 2e-6
        rows = np.array([one, 7 * (beyond - one)])
        result = bargain(gram(rows))
        assert result.accepted
        units = rows / np.linalg.norm(rows, axis=1)[:, None]
        exact = np.sqrt(2) / np.linalg.norm(units.sum(axis=0))  # both weights of the joint row of length sqrt(2)
        np.testing.assert_allclose(result.weights * np.linalg.norm(rows, axis=1), exact, rtol=1e-8)


@pytest.mark.parametrize("tasks", [3, 5])
def test_newton_s_solution_near_the_edge_is_accepted(tasks):
    for seed in range(50):
        rows = np.random.default_rng(seed).normal(size=(tasks, tasks + 3))
        rows[-1] = -rows[:-1].sum(axis=0) + 3e-3 * rows[-1]
        result = bargain(gram(rows))
        largest = (result.weights * np.linalg.norm(rows, axis=1)).max()
        assert result.accepted == (largest <= 916) and largest < 1e5


def test_weights_that_the_rounding_of_float32_rows_decides_are_no_solution():
    """Cosines of such rows are wrong by 1e-7, so from weights of about 1000 on they say nothing about the weights."""
    cosine = -1 + 1e-7
    matrix = np.array([[1, cosine], [cosine, 1]])
    result = bargain(matrix)
    assert not result.accepted and result.certificate < np.sqrt(2) / 900
    exact = bargain(matrix, precision=1e-16)
    assert exact.accepted
    np.testing.assert_allclose(exact.weights, 1e-7**-0.5, rtol=1e-6)


NO_BARGAIN = {
    "opposed pair": [[1.0, 2], [-1, -2]],
    "opposed pair, not exact in binary": [[0.1, 0.7], [-0.3, -2.1]],
    "zero in the hull of three": [[1.0, 0], [-0.5, 3**0.5 / 2], [-0.5, -(3**0.5) / 2]],
    "zero in the hull of two of four": [[1.0, 0, 0], [-2, 0, 0], [0, 1, 0], [0, 0, 1]],
}


@pytest.mark.parametrize("rows", NO_BARGAIN.values(), ids=NO_BARGAIN)
def test_no_solution_is_not_accepted_and_certified(rows):
    result = bargain(gram(np.array(rows)))
    assert not result.accepted and result.certificate < 1e-7
    assert np.isfinite(result.weights).all() and np.isfinite(result.residual)


def test_a_solution_needs_no_certificate():
    assert bargain(gram(J3C)).certificate is None
