import pytest
import torch
from torch import nn

from building import a_level, an_optimizer
from mtbalance.balancing.rules.min_norm import MinNorm


def test_multibalance_held_at_ones_is_linear_scalarization(setting):
    own = setting("representation", "multibalance", rule_options={"gamma": 1.0, "beta": 0.0})
    plain = setting("loss", "equal")
    own.step(10)
    plain.step(10)
    torch.testing.assert_close(own.parameters(), plain.parameters(), rtol=0, atol=0)


def test_one_backward_pass_goes_through_the_trunk(setting):
    own = setting("representation", "multibalance")
    passes = []
    own.model.trunk.weight.register_hook(lambda gradient: passes.append(1))
    own.step()
    assert len(passes) == 1


def test_heads_get_their_own_gradient_whatever_the_weights(setting):
    balanced, plain = setting("representation", "multibalance"), setting("loss", "equal")
    balanced.step()
    plain.step()
    for own, other in zip(balanced.model.heads, plain.model.heads, strict=True):
        torch.testing.assert_close(own.weight, other.weight, rtol=0, atol=1e-12)


def test_batches_may_differ_in_size(setting):
    own, plain = setting("representation", "equal"), setting("loss", "equal")
    inputs, targets = own.inputs, own.targets
    for rows in (16, 5, 16, 7):
        for each in (own, plain):
            each.inputs, each.targets = inputs[:rows], targets[:, :rows]
            each.step()
        torch.testing.assert_close(own.parameters(), plain.parameters(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("outputs", [9, 4])
def test_mgda_ub_is_mgda_where_the_trunk_keeps_inner_products(outputs):
    """An identity, and a Jacobian [4, 9] with orthonormal rows: the rows' Gram matrix is the parameters' gradients'."""
    jacobian = torch.eye(9, dtype=torch.float64)
    if outputs < 9:
        jacobian = torch.linalg.qr(torch.randn(9, outputs, dtype=torch.float64)).Q.T
    weights = []
    for level in ("representation", "gradient"):
        torch.manual_seed(0)
        trunk = nn.Parameter(torch.randn(9, dtype=torch.float64))
        heads = nn.ParameterList(torch.randn(outputs, dtype=torch.float64) for _ in range(3))
        optimizer = an_optimizer([trunk, *heads], lr=0.01)
        own = a_level(level, MinNorm(3), optimizer)
        forks = own.fork((jacobian @ trunk,))
        report = own.step([((fork[0] - 1) @ head) ** 2 for fork, head in zip(forks, heads, strict=True)])
        weights.append(torch.as_tensor(report.weights))
    torch.testing.assert_close(*weights)


def test_a_task_that_reads_only_a_part_of_the_representation():
    first, second = (nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(2))
    optimizer = an_optimizer([first, second], lr=0.1)
    own = a_level("representation", MinNorm(2), optimizer)
    one, two = own.fork((first * 2, second * 3))
    own.step([one[0].sum(), (two[0] + two[1]).sum()])
    # The min-norm weighs the shorter row alone, which does not read the second tensor.
    assert (first.detach() - 1).abs().min() > 0.01 and (second.detach() - 1).abs().max() < 1e-6


def test_a_representation_without_parameters_is_refused(setting):
    own = setting("representation", "multibalance")
    with pytest.raises(ValueError, match="nothing shared to balance"):
        own.level.fork((torch.ones(3),))


def test_a_step_without_a_fork_of_its_own_is_refused(setting):
    own = setting("representation", "multibalance")
    own.step()
    with pytest.raises(ValueError, match="needs a fork"):
        own.level.step([(head.weight**2).sum() for head in own.model.heads])
