import numpy as np
import pytest
import torch

from matrices import J2, J3, J3C, ORTHOGONAL, gram, random_rows
from mtbalance.balancing.rows import gram_matrix
from mtbalance.balancing.rules.imtl_g import IMTLG


def projections(rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return rows @ (weights @ rows) / np.linalg.norm(rows, axis=1)


@pytest.mark.parametrize(
    ("rows", "weights", "projection"),
    [
        (J2, [0.5923303169, 0.4076696831], 0.3990940554),
        (J3, [0.3471218049, 0.3471218049, 0.3057563902], 1.2234015477),
        (J3C, [0.3127703212, 0.2765926277, 0.4106370511], None),
        (ORTHOGONAL, np.array([4, 2, 1]) / 7, 4 / 7),
    ],
)
def test_frozen_values(rows, weights, projection):
    found = IMTLG(len(rows)).weights(gram(rows), np.ones(len(rows))) / len(rows)
    np.testing.assert_allclose(found, weights, atol=1e-9)
    if projection:
        np.testing.assert_allclose(projections(rows, found), projection, rtol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_projections_are_equal_and_scales_leave_the_direction(seed):
    rows = random_rows(5, seed)
    rule = IMTLG(5)
    weights = rule.weights(gram(rows), np.ones(5))
    assert rule.diagnostics["fallback"] == 0
    np.testing.assert_allclose(weights.sum(), 5)
    found = projections(rows, weights)
    np.testing.assert_allclose(found, found[0], rtol=1e-9)
    scaled = rows * 10.0 ** np.random.default_rng(seed).uniform(-1, 1, (5, 1))
    again = rule.weights(gram(scaled), np.ones(5)) @ scaled
    if not rule.diagnostics["fallback"]:
        joint = weights @ rows
        np.testing.assert_allclose(again / np.linalg.norm(again), joint / np.linalg.norm(joint), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_two_tasks_meet_at_the_bisector(seed):
    rows = random_rows(2, seed, scale=3)
    norms = np.linalg.norm(rows, axis=1)
    weights = IMTLG(2).weights(gram(rows), np.ones(2))
    np.testing.assert_allclose(weights, 2 * norms[::-1] / norms.sum(), rtol=1e-9)


def test_a_sum_that_would_turn_the_joint_row_round_is_a_fallback():
    found = 0
    for seed in range(200):
        rows, rule = random_rows(3, seed, scale=2), IMTLG(3)
        weights = rule.weights(gram(rows), np.ones(3))
        assert (projections(rows, weights) > 0).all() or (weights == 1).all()
        found += rule.diagnostics["fallback"]
    assert found > 0


def test_dependent_rows_with_equal_projections_are_solved():
    rows = np.array([[1.0, 0], [0, 1], [2, 0]])
    found = projections(rows, IMTLG(3).weights(gram(rows), np.ones(3)))
    np.testing.assert_allclose(found, found[0])


def test_a_zero_row_takes_no_part():
    weights = IMTLG(3).weights(gram(np.vstack([J2, np.zeros(3)])), np.ones(3))
    np.testing.assert_allclose(weights, [2 * 0.5923303169, 2 * 0.4076696831, 1], rtol=1e-9)


def test_rows_in_float32_that_depend_on_each_other_have_the_solution_of_exact_ones():
    base = torch.randn(2, 1000, generator=torch.Generator().manual_seed(0))
    rows = torch.stack([base[0], base[1], base[0] + base[1]])
    exact = IMTLG(3).weights(gram_matrix([rows.double()]), np.ones(3))
    np.testing.assert_allclose(IMTLG(3).weights(gram_matrix([rows]), np.ones(3)), exact, rtol=1e-4)
