import numpy as np
import pytest
import torch

from matrices import J2, J3, J3C, gram, random_rows
from mtbalance.balancing.rows import gram_matrix
from mtbalance.balancing.rules.aligned_mtl import AlignedMTL


@pytest.mark.parametrize(
    ("rows", "weights", "joint"),
    [
        (J2, [0.5590719157, 0.4082610681], [0.2132787460, 0.9673329838, 0.9673329838]),
        (J3, [0.2093210101, 0.2093210101, 0.1532336145], [0.4747294157, 0.6690218534, 0.5718756346]),
        (
            J3C,
            [0.2986153176, 0.2985812995, 0.3739754379],
            [0.2232892154, 0.5218024787, 0.2985812995, 0.7479508759],
        ),
    ],
)
def test_frozen_values(rows, weights, joint):
    found = AlignedMTL(len(rows)).weights(gram(rows), np.ones(len(rows))) / len(rows)
    np.testing.assert_allclose(found, weights, rtol=1e-9)
    np.testing.assert_allclose(found @ rows, joint, rtol=1e-9)


@pytest.mark.parametrize(("scale", "squared"), [("min", 1.0), ("median", 4.0), ("rmse", 7.0)])
def test_orthogonal_rows_get_one_length(scale, squared):
    rows = np.diag([1.0, 2.0, 4.0])
    weights = AlignedMTL(3, scale=scale).weights(gram(rows), np.ones(3))
    np.testing.assert_allclose(weights * [1, 2, 4], np.sqrt(squared))


def test_the_joint_row_has_the_length_of_orthogonal_rows_of_the_smallest_singular_value():
    rows = random_rows(4, 0)
    joint = AlignedMTL(4).weights(gram(rows), np.ones(4)) @ rows
    np.testing.assert_allclose(np.linalg.norm(joint), 2 * np.linalg.svd(rows, compute_uv=False)[-1])


def test_dependent_rows_are_aligned_within_their_span():
    rule = AlignedMTL(3)
    rows = np.array([[1.0, 0], [1.0, 0], [0, 1.0]])
    np.testing.assert_allclose(rule.weights(gram(rows), np.ones(3)), [2**-0.5, 2**-0.5, 1])
    assert rule.diagnostics["rank"] == 2


def test_rows_that_are_all_zero_weigh_one():
    np.testing.assert_array_equal(AlignedMTL(2).weights(np.zeros((2, 2)), np.ones(2)), [1, 1])


def test_rows_in_float32_that_depend_on_each_other_have_one_direction():
    row = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    rows = torch.stack([row, 0.7 * row])
    weights = AlignedMTL(2).weights(gram_matrix([rows]), np.ones(2))
    np.testing.assert_allclose(weights, AlignedMTL(2).weights(gram_matrix([rows.double()]), np.ones(2)), rtol=1e-5)


@pytest.mark.parametrize("size", [1e-2, 1e-5])
def test_a_short_row_is_a_row(size):
    """Orthogonal rows: both come to the length of the shorter."""
    np.testing.assert_allclose(AlignedMTL(2).weights(np.diag([1.0, size**2]), np.ones(2)), [size, 1.0])


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
@pytest.mark.parametrize("ratio", [1e4, 1e5, 1e6])
def test_rows_far_apart_in_length_are_those_of_gram_and_schmidt_longest_first(order, ratio):
    """To first order in the ratio; sigma is then the length that the shortest row keeps."""
    rows = random_rows(3, 0) * np.array([[1.0], [1 / ratio], [ratio**-2]])
    orthogonal, triangle = np.linalg.qr(rows.T)
    aligned = orthogonal * np.sign(triangle.diagonal()) * abs(triangle[2, 2])
    found = AlignedMTL(3).weights(gram(rows[order]), np.ones(3)) @ rows[order]
    np.testing.assert_allclose(found, aligned.sum(axis=1), rtol=0, atol=10 / ratio * abs(triangle[2, 2]))
