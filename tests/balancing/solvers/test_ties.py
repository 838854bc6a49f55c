import numpy as np
import pytest

from mtbalance.balancing.solvers.ties import null_space, shortest


def test_the_null_space_is_that_of_rows_that_depend_on_each_other():
    rows = np.array([[1.0, 0], [1, 0], [0, 1]])
    basis = null_space(rows @ rows.T)
    np.testing.assert_allclose(np.abs(basis[:, 0]), [2**-0.5, 2**-0.5, 0], atol=1e-12)
    assert null_space(np.eye(3)).shape == (3, 0)


def test_without_directions_the_point_stays_bit_for_bit():
    point = np.array([0.1, 0.7, 0.2])
    assert shortest(point, np.ones(3), np.zeros((3, 0))) is point


@pytest.mark.parametrize("seed", range(20))
def test_the_point_moves_along_the_directions_keeps_its_sum_and_is_not_negative(seed):
    generator = np.random.default_rng(seed)
    lengths = 10 ** generator.uniform(-2, 0, 6)
    point = np.maximum(generator.normal(size=6), 0) + 0.1 * (np.arange(6) == seed % 6)
    directions = np.linalg.qr(generator.normal(size=(6, 3)))[0]
    found = shortest(point, lengths, directions)
    assert found.min() >= 0
    np.testing.assert_allclose(lengths @ found, lengths @ point, rtol=1e-9)
    moved = found - point
    np.testing.assert_allclose(directions @ (directions.T @ moved), moved, atol=1e-9)
    assert np.linalg.norm(lengths * found) <= np.linalg.norm(lengths * point)
