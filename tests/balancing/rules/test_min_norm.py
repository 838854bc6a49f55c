import numpy as np
import pytest
import torch

from matrices import J3C, gram
from mtbalance.balancing.rows import gram_matrix
from mtbalance.balancing.rules.min_norm import MinNorm


def test_the_joint_row_opposes_no_task():
    weights = MinNorm(3).weights(gram(J3C), np.ones(3))
    np.testing.assert_allclose(weights.sum(), 3)
    np.testing.assert_allclose(weights @ J3C / 3, [0.1864406780, 0.4576271186, 0.2881355932, 0.8305084746], rtol=1e-8)
    assert (J3C @ (weights @ J3C) > 0).all()


@pytest.mark.parametrize(
    ("normalization", "first"),
    # Orthogonal rows of norms 1 and 2, losses 1 and 4: w is proportional to 1 / (norm / divisor)^2.
    [("none", 4 / 5), ("l2", 1 / 2), ("loss", 1 / 5), ("loss+", 1 / 17)],
)
def test_normalization_by_hand(normalization, first):
    rows = np.diag([1.0, 2.0])
    weights = MinNorm(2, normalization=normalization).weights(gram(rows), np.array([1.0, 4.0]))
    np.testing.assert_allclose(weights, [2 * first, 2 * (1 - first)])


@pytest.mark.parametrize("tasks", [2, 3, 8])
def test_tasks_with_the_same_row_weigh_the_same(tasks):
    np.testing.assert_allclose(MinNorm(tasks).weights(gram(np.tile(J3C[0], (tasks, 1))), np.ones(tasks)), 1)


@pytest.mark.parametrize("tasks", [2, 3, 4, 8])
@pytest.mark.parametrize("size", [10, 1001])
def test_so_they_do_in_float32_where_the_products_of_equal_rows_differ_by_rounding(tasks, size):
    rows = torch.randn(size, generator=torch.Generator().manual_seed(0)).repeat(tasks, 1)
    np.testing.assert_allclose(MinNorm(tasks).weights(gram_matrix([rows]), np.ones(tasks)), 1, atol=1e-5)
