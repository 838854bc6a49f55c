from itertools import pairwise

import numpy as np
import pytest
import torch

from mtbalance.balancing.rows import combine, gram_matrix


def parts_of(rows: np.ndarray, dtype: torch.dtype) -> list[list[torch.Tensor]]:
    """Rows [K, 30] in three tensors a task, of one, two and three dimensions."""
    shapes = ((4,), (2, 3), (2, 2, 5))
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
    return [
        [torch.tensor(row[begin:end].reshape(shape), dtype=dtype) for row in rows]
        for shape, (begin, end) in zip(shapes, pairwise(ends), strict=True)
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["single", "double"])
@pytest.mark.parametrize("tasks", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("scale", [1e-30, 1e-24, 1e-12, 1.0, 1e12, 1e19, 1e30])
@pytest.mark.parametrize("stacked", [False, True], ids=["list", "stacked"])
def test_products_and_sums_are_right_up_to_rounding(tasks, dtype, scale, stacked):
    """A product of n entries has n roundings at the most on the way of each of them; a sum of K rows K + 1."""
    rows = scale * np.random.default_rng(tasks).normal(size=(tasks, 30))
    parts = parts_of(rows, dtype)
    rows = np.concatenate([torch.stack(part).flatten(1).double().numpy() for part in parts], axis=1)  # as rounded
    if stacked:
        parts = [torch.stack(part) for part in parts]
    unit, sizes = torch.finfo(dtype).eps / 2, np.abs(rows)
    assert (np.abs(gram_matrix(parts) - rows @ rows.T) <= 1.01 * (20 * unit + 2e-15) * (sizes @ sizes.T)).all()
    weights = np.random.default_rng(9).normal(size=tasks)
    joint = np.concatenate([combine(part, weights).flatten().double().numpy() for part in parts])
    bound = 1.01 * ((tasks + 1) * unit + 2e-15) * (np.abs(weights) @ sizes)
    assert (np.abs(joint - weights @ rows) <= bound).all()


def test_a_task_that_does_not_reach_a_tensor_counts_as_zero():
    one, two = torch.tensor([1.0, 2.0]), torch.tensor([[3.0]])
    rows = [[one, None], [two, 2 * two]]
    np.testing.assert_array_equal(gram_matrix(rows), [[14, 18], [18, 36]])
    np.testing.assert_array_equal(combine(rows[0], np.array([2.0, 5.0])), [2, 4])


def test_the_sum_is_put_where_it_is_told_and_rows_stay():
    rows, out = [torch.ones(3), torch.ones(3)], torch.empty(3)
    assert combine(rows, np.array([2.0, 5.0]), out) is out and (out == 7).all() and (rows[0] == 1).all()


@pytest.mark.parametrize("tasks", [2, 5])
def test_short_types_are_multiplied_in_float32(tasks):
    rows = torch.randn(tasks, 10_000, generator=torch.Generator().manual_seed(0)).bfloat16()
    np.testing.assert_allclose(gram_matrix([rows]), gram_matrix([rows.double()]), rtol=1e-5, atol=1e-2)
