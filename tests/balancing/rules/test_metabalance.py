import numpy as np
import pytest
import torch

from mtbalance.balancing.rules.metabalance import MetaBalance

TENSORS = [torch.tensor([[3.0, 4], [0, 1]]), torch.tensor([[1.0], [-4]])]
"""Norms 5 and 1 in the first tensor, 1 and 4 in the second."""


def test_one_step_by_hand():
    """Factors of the second task: 0.7 * 5 + 0.3 and 0.7 / 4 + 0.3."""
    joint, weights = MetaBalance(2).combine(TENSORS, np.ones(2))
    np.testing.assert_allclose(joint[0], [3, 4 + 3.8])
    np.testing.assert_allclose(joint[1], [1 - 4 * 0.475])
    np.testing.assert_allclose(weights, [1, np.sqrt((3.8**2 + 1.9**2) / 17)])


@pytest.mark.parametrize("target", [0, 1])
def test_with_relax_one_every_part_is_as_long_as_the_targets(target):
    rule = MetaBalance(2, relax=1.0, beta=0.0, target=target)
    for tensor in TENSORS:
        (joint,), _ = rule.combine([tensor * torch.tensor([[1.0], [0.0]])], np.ones(2))
        assert torch.allclose(joint, tensor[0])
        rule = MetaBalance(2, relax=1.0, beta=0.0, target=target)
        (joint,), _ = rule.combine([tensor], np.ones(2))
        lengths = tensor.norm(dim=1)
        assert torch.allclose(joint, (tensor * (lengths[target] / lengths)[:, None]).sum(dim=0))


def test_with_relax_zero_it_is_the_sum():
    joint, weights = MetaBalance(2, relax=0.0).combine(TENSORS, np.ones(2))
    assert all(torch.allclose(part, tensor.sum(dim=0)) for part, tensor in zip(joint, TENSORS, strict=True))
    np.testing.assert_array_equal(weights, [1, 1])


def test_magnitudes_are_moving_averages():
    rule = MetaBalance(2, beta=0.5, relax=1.0)
    rule.combine([torch.tensor([[1.0], [1.0]])], np.ones(2))
    (joint,), _ = rule.combine([torch.tensor([[3.0], [1.0]])], np.ones(2))
    np.testing.assert_allclose(rule.magnitudes, [[1.75, 0.75]])
    np.testing.assert_allclose(joint, [3 + 1.75 / 0.75])


def test_a_tensor_that_the_target_does_not_reach_is_left_alone():
    (joint,), _ = MetaBalance(2).combine([torch.tensor([[0.0, 0.0], [1.0, 2.0]])], np.ones(2))
    np.testing.assert_allclose(joint, [1, 2])


def test_a_target_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="target must be the number of a task, from 0 to 1, not 2"):
        MetaBalance(2, target=2)
