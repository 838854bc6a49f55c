import numpy as np
import pytest
import torch

from mtbalance.balancing.rules.excess_mtl import ExcessMTL


def step(rule: ExcessMTL, *rows: list[list[float]]) -> np.ndarray:
    return rule.combine([torch.tensor(part, dtype=torch.float64) for part in rows], np.ones(rule.tasks))[1]


def test_two_steps_by_hand():
    """E is (4 / 2, 1 / 1), then (9 / sqrt 13, 1 / sqrt 2): ratios (9 / (2 sqrt 13), 1 / sqrt 2)."""
    rule = ExcessMTL(2, step_size=0.5)
    np.testing.assert_allclose(step(rule, [[2.0], [0.0]], [[0.0], [1.0]]), [1, 1])
    raised = np.exp(0.5 * np.array([9 / 2 / np.sqrt(13), 1 / np.sqrt(2)]))
    np.testing.assert_allclose(step(rule, [[3.0], [0.0]], [[0.0], [1.0]]), 2 * raised / raised.sum())


def test_the_start_is_the_mean_over_the_warmup():
    rule = ExcessMTL(2, warmup=3)
    for _ in range(3):
        np.testing.assert_array_equal(step(rule, [[2.0], [1.0]]), [1, 1])
    np.testing.assert_allclose(rule.start, np.array([2, 1]) * (1 + 2**-0.5 + 3**-0.5) / 3)


def test_the_scale_of_a_loss_does_not_matter():
    one, other = ExcessMTL(2, step_size=1.0), ExcessMTL(2, step_size=1.0)
    for rows in np.random.default_rng(0).normal(size=(20, 2, 5)):
        np.testing.assert_allclose(step(one, rows), step(other, rows * [[1e-9], [1e6]]))


def test_a_task_whose_gradient_stays_gains_weight_over_one_whose_gradient_fades():
    rule = ExcessMTL(2, step_size=1.0)
    for t in range(20):
        weights = step(rule, [[1.0, 1.0], [0.8**t, 0.8**t]])
    assert weights[0] > 1.5 and np.isclose(weights.sum(), 2)


def test_a_task_without_gradient_at_the_start_counts_as_unchanged():
    rule = ExcessMTL(2, step_size=1.0)
    step(rule, [[1.0], [0.0]])
    weights = step(rule, [[0.0], [5.0]])  # ratios 0 and 1
    np.testing.assert_allclose(weights[1] / weights[0], np.e)


def test_sums_over_coordinates_are_added_up_over_processes():
    """Two rules that each see half of the coordinates, and the other's sum, weigh as one that sees all."""
    whole, half = ExcessMTL(2, step_size=1.0), ExcessMTL(2, step_size=1.0)
    half.total = lambda tensor: 2 * tensor
    for rows in np.random.default_rng(1).normal(size=(5, 2, 4)):
        np.testing.assert_allclose(step(half, rows), step(whole, np.hstack([rows, rows])))


def test_gradients_of_a_representation_are_refused():
    with pytest.raises(ValueError, match="not defined at level representation"):
        ExcessMTL.check_level("representation")
