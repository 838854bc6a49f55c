"""Forks of the representation: used as they are meant to be, in several parts, or refused with a reason."""

import numpy as np
import pytest
import torch

from loops import Net, balanced, data, relative


def pieces(net: Net, balancer, parts) -> list[torch.Tensor]:
    """The losses of a batch whose representation is computed and forked in parts."""
    inputs, targets = data(2)
    outputs = [[] for _ in net.heads]
    for part in parts:
        for head, fork, found in zip(net.heads, balancer.fork(net.trunk(inputs[part])), outputs, strict=True):
            found.append(head(fork))
    return [((torch.cat(o)[:, 0] - t) ** 2).mean() for o, t in zip(outputs, targets.T, strict=True)]


@pytest.mark.parametrize("heads", ["own", "weighted"])
@pytest.mark.parametrize("rule", ["multibalance", "min_norm", "graddrop"])
def test_a_representation_can_be_forked_in_parts(rule, heads):
    whole, parts = Net(), Net()
    one, other = (balanced(net, "representation", rule, heads=heads) for net in (whole, parts))
    for _ in range(3):
        one.step(whole.losses(one))
        other.step(pieces(parts, other, (slice(0, 6), slice(6, 16))))
    if rule != "graddrop":  # which draws other numbers for other tensors
        assert relative(parts.vector(), whole.vector()) < 1e-9
    assert torch.isfinite(parts.vector()).all()


def test_a_fork_that_nobody_read_is_forgotten():
    """As after a forward pass for something else."""
    net, plain = Net(), Net()
    one, other = balanced(net, "representation", "min_norm"), balanced(plain, "representation", "min_norm")
    one.fork(net.trunk(data(2)[0]))
    one.step(net.losses(one))
    other.step(plain.losses(other))
    torch.testing.assert_close(net.vector(), plain.vector(), rtol=0, atol=0)


def test_two_heads_that_read_one_copy_are_refused():
    net = Net()
    balancer = balanced(net, "representation", "min_norm")
    copy = balancer.fork(net.trunk(data(2)[0]))[0]
    with pytest.raises(ValueError, match=r"loss 1 does not depend on forks\[1\]"):
        balancer.step([head(copy).square().mean() for head in net.heads])
    balancer.step(net.losses(balancer))


def test_no_fork_is_refused():
    net = Net()
    balancer = balanced(net, "representation", "min_norm")
    with pytest.raises(ValueError, match=r"needs a fork before every backward pass: forks = balancer\.fork\(z\)"):
        balancer.step([head(net.trunk(data(2)[0])).square().mean() for head in net.heads])


def test_without_gradients_a_fork_is_the_representation_itself():
    net = Net()
    balancer = balanced(net, "representation", "min_norm")
    with torch.no_grad():
        z = net.trunk(data(2)[0])
        assert all(fork is z for fork in balancer.fork(z))
    balancer.step(net.losses(balancer))


@pytest.mark.parametrize("level", ["loss", "gradient", "update"])
def test_elsewhere_a_fork_is_the_representation_itself(level):
    z = torch.ones(3, requires_grad=True)
    assert all(fork is z for fork in balanced(Net(), level, "equal").fork(z))


def test_a_tuple_is_forked_into_tuples():
    net = Net()
    balancer = balanced(net, "representation", "min_norm")
    z = net.trunk(data(2)[0])
    forks = balancer.fork((z, 2 * z))
    report = balancer.step(
        [(head(one) + head(two)).square().mean() for head, (one, two) in zip(net.heads, forks, strict=True)]
    )
    assert np.isfinite(report.weights).all()


def test_parameters_after_the_representation_that_tasks_share_are_weighted_as_heads_are():
    net = Net()
    net.behind = torch.nn.Linear(5, 5).double()
    balancer = balanced(net, "representation", "min_norm", torch.optim.SGD(net.parameters(), lr=0.0), heads="weighted")
    forks = balancer.fork(net.trunk(data(2)[0]))
    losses = [head(net.behind(fork)).square().mean() for head, fork in zip(net.heads, forks, strict=True)]
    separate = [torch.autograd.grad(loss, net.behind.weight, retain_graph=True)[0] for loss in losses]
    weights = balancer.backward(losses).weights
    joint = sum(weight * gradient for weight, gradient in zip(weights, separate, strict=True))
    torch.testing.assert_close(net.behind.weight.grad, joint)


def test_a_loss_that_reads_the_copy_of_another_task_too_is_refused():
    net = Net()
    balancer = balanced(net, "representation", "equal")
    first, second = balancer.fork(net.trunk(data(2)[0]))
    losses = [net.heads[0](first).square().mean(), (net.heads[1](second) + net.heads[0](first)).square().mean()]
    with pytest.raises(ValueError, match=r"loss 1 depends on forks\[0\] too"):
        balancer.step(losses)
