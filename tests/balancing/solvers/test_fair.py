import numpy as np
import pytest

from matrices import J2, J3, J3C, ORTHOGONAL, gram, random_rows
from mtbalance.balancing.solvers.fair import fair_weights

ALPHAS = [0.1, 0.5, 1.0, 2.0, 10.0]
CASES = [J2, J3, J3C, *(random_rows(8, seed, scale=1) for seed in range(8)), random_rows(20, 0)]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("rows", CASES)
def test_the_equation_holds(rows, alpha):
    found, change = fair_weights(gram(rows), alpha)
    assert found is not None and change < 1e-8 and (found > 0).all()
    wanted, rounding = found ** (-1 / alpha), 1e-14 * np.abs(gram(rows)) @ found
    assert (np.abs(gram(rows) @ found - wanted) <= 1e-9 * wanted + rounding).all()


@pytest.mark.parametrize("alpha", ALPHAS)
def test_orthogonal_rows_have_a_closed_form(alpha):
    found, _ = fair_weights(gram(ORTHOGONAL), alpha)
    np.testing.assert_allclose(found, np.array([1.0, 2, 4]) ** (-2 * alpha / (1 + alpha)))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_two_rows_of_one_length_have_a_closed_form(alpha):
    """a (1 + rho) n^2 = a^(-1/alpha)."""
    for cosine in (-0.99, 0.0, 0.7):
        found, _ = fair_weights(4 * np.array([[1, cosine], [cosine, 1]]), alpha)
        np.testing.assert_allclose(found, (4 * (1 + cosine)) ** (-alpha / (1 + alpha)), rtol=1e-7)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("cosine", [-1.0, -1 + 1e-9])
def test_opposed_rows_have_no_solution_that_single_precision_can_tell(alpha, cosine):
    assert fair_weights(np.array([[1, cosine], [cosine, 1]]), alpha)[0] is None


@pytest.mark.parametrize("alpha", [0.5, 2.0])
def test_lengths_may_differ_by_orders_of_magnitude(alpha):
    rows = J3 * [[1e-4], [1], [1e4]]
    found, _ = fair_weights(gram(rows), alpha)
    np.testing.assert_allclose(gram(rows) @ found, found ** (-1 / alpha), rtol=1e-7)


def test_what_the_rounding_of_single_precision_decides_is_no_solution():
    """Three rows whose sum is zero but for the rounding of float32."""
    generator = np.random.default_rng(0)
    for alpha in ALPHAS:
        rows = generator.normal(size=(3, 30))
        rows[2] = -rows[0] - rows[1]
        single = gram(rows.astype(np.float32)).astype(float)
        assert fair_weights(single, alpha)[0] is None
