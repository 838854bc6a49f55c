import numpy as np
import pytest
import torch

from matrices import J3C, random_rows
from mtbalance.balancing.rules.db_mtl import DBMTL, EPSILON


def step(rule: DBMTL, losses: list[float], *rows: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    joint, weights = rule.combine([torch.tensor(part, dtype=torch.float64) for part in rows], np.array(losses))
    return [part.numpy() for part in joint], weights


def test_two_steps_by_hand():
    """Rows over losses are (3, 4) and (0, 1), then (1, 0) and (0, 2); norms are taken over both tensors."""
    rule = DBMTL(2, beta=0.5)
    joint, weights = step(rule, [2, 1], [[6.0], [0.0]], [[8.0], [1.0]])
    # M = half of them: (1.5, 2) and (0, 0.5), of norms 2.5 and 0.5
    np.testing.assert_allclose(np.ravel(joint), [1.5, 2 + 2.5], rtol=1e-7)
    np.testing.assert_allclose(weights, [0.5, 1], rtol=1e-7)
    joint, _ = step(rule, [1, 0.5], [[1.0], [0.0]], [[0.0], [1.0]])
    # M = (1.25, 1) and (0, 1.25)
    longest = np.hypot(1.25, 1)
    np.testing.assert_allclose(np.ravel(joint), [1.25, 1 + longest], rtol=1e-7)


def test_without_memory_all_unit_rows_have_the_longest_length():
    losses = np.array([0.5, 2, 1])
    scaled = J3C / (losses + EPSILON)[:, None]
    norms = np.linalg.norm(scaled, axis=1)
    (joint,), _ = step(DBMTL(3, beta=0), losses.tolist(), J3C)
    np.testing.assert_allclose(joint, (scaled / norms[:, None]).sum(axis=0) * norms.max())


def test_the_average_forgets_its_start_faster_with_a_decay():
    slow, fast = DBMTL(3, beta=0.9), DBMTL(3, beta=0.9, decay=1.0)
    for t in range(1, 6):
        step(slow, [1, 1, 1], J3C)
        step(fast, [1, 1, 1], J3C)
        np.testing.assert_allclose(slow.averages[0], (1 - 0.9**t) * J3C, rtol=1e-7)
    np.testing.assert_allclose(fast.averages[0], (1 - 0.9**5 / 120) * J3C, rtol=1e-7)


def test_the_scale_of_a_loss_changes_lengths_alone():
    """A loss and its gradient, both times 1e3 or 1e-3: the gradient of the logarithm is the same."""
    one, other = DBMTL(3), DBMTL(3)
    scales = np.array([1e3, 1, 1e-3])
    for seed in range(10):
        rows = random_rows(3, seed)
        joint, _ = step(one, [1, 1, 1], rows)
        same, _ = step(other, scales.tolist(), rows * scales[:, None])
        np.testing.assert_allclose(same[0], joint[0], rtol=1e-4)  # 1e-8 is added to each loss


def test_a_zero_row_stays_zero_and_takes_no_part():
    joint, _ = step(DBMTL(2, beta=0), [1, 0], [[3.0, 4.0], [0.0, 0.0]])
    np.testing.assert_allclose(joint[0], [3, 4], rtol=1e-7)


def test_averages_are_replaced_not_changed():
    rule = DBMTL(3)
    step(rule, [1, 1, 1], J3C)
    kept = rule.state_dict()
    before = [tensor.clone() for tensor in kept["averages"]]
    step(rule, [1, 1, 1], -J3C)
    assert all(map(torch.equal, kept["averages"], before))


def test_short_types_are_averaged_in_single_precision():
    rule = DBMTL(2, beta=0.99)
    for _ in range(300):
        joint, _ = rule.combine([torch.ones(2, 3, dtype=torch.bfloat16)], np.ones(2))
    np.testing.assert_allclose(rule.averages[0], 1 - 0.99**300, rtol=1e-4)
    assert joint[0].dtype == torch.bfloat16


def test_sums_over_coordinates_are_added_up_over_processes():
    whole, half = DBMTL(2), DBMTL(2)
    half.total = lambda tensor: 2 * tensor
    for rows in np.random.default_rng(1).normal(size=(5, 2, 4)):
        part, _ = step(half, [1, 2], rows)
        both, _ = step(whole, [1, 2], np.hstack([rows, rows]))
        np.testing.assert_allclose(np.tile(part[0], 2), both[0])


def test_negative_losses_are_refused():
    with pytest.raises(FloatingPointError, match="db_mtl"):
        step(DBMTL(2), [1, -1], np.eye(2))


def test_gradients_of_a_representation_are_refused():
    with pytest.raises(ValueError, match="representation"):
        DBMTL.check_level("representation")
