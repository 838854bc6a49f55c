"""Options of levels: what gradients are shortened, what rows a search sees, and weights that change slowly."""

import numpy as np
import pytest
import torch

from loops import Net, balanced


def seen_by_the_optimizer(level: str, **options) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradients of the trunk and of the heads as the optimizer's step finds them."""
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    balancer = balanced(net, level, "equal", optimizer, **options)
    seen = {}
    optimizer.register_step_pre_hook(lambda *_: seen.update({p: p.grad.clone() for p in net.parameters()}))
    balancer.step(net.losses(balancer))
    trunk, heads = (torch.cat([seen[p].flatten() for p in module.parameters()]) for module in (net.trunk, net.heads))
    return trunk, heads


@pytest.mark.parametrize("level", ["loss", "representation", "gradient"])
def test_max_norm_can_be_over_the_shared_parameters_alone(level):
    trunk, heads = seen_by_the_optimizer(level)
    short, same = seen_by_the_optimizer(level, max_norm=0.1, clip_over="shared")
    torch.testing.assert_close(same, heads, rtol=0, atol=0)
    torch.testing.assert_close(short, trunk * (0.1 / trunk.norm()), rtol=1e-4, atol=0)
    assert trunk.norm() > 0.1


@pytest.mark.parametrize("level", ["gradient", "update"])
def test_a_search_can_see_the_tasks_own_parameters(level):
    """They make each row longer, and leave the inner products as they are."""
    reports = {}
    for over in ("shared", "all"):
        net = Net()
        balancer = balanced(net, level, "min_norm", torch.optim.SGD(net.parameters(), lr=0.1), gram_over=over)
        balancer.level.rule.weights = lambda gram, losses, over=over: reports.update({over: gram}) or np.ones(2)
        losses = net.losses(balancer)
        own = [
            sum(float((g**2).sum()) for g in torch.autograd.grad(loss, list(head.parameters()), retain_graph=True))
            for loss, head in zip(losses, net.heads, strict=True)
        ]
        balancer.step(losses)
    np.testing.assert_allclose(reports["all"], reports["shared"] + np.diag(own), rtol=1e-9)


@pytest.mark.parametrize(("level", "rule"), [("loss", "random_weights"), ("gradient", "nash"), ("update", "nash")])
def test_smoothing_mixes_the_weights_of_a_search_with_the_last_ones(level, rule):
    plain, smooth = Net(), Net()
    options = {"rescale": "none"} if level == "update" else {}
    one = balanced(plain, level, rule, torch.optim.SGD(plain.parameters(), lr=0.0), **options)
    other = balanced(smooth, level, rule, torch.optim.SGD(smooth.parameters(), lr=0.0), smoothing=0.9, **options)
    expected = None
    for _ in range(4):
        solved = one.step(plain.losses(one)).weights
        expected = solved if expected is None else 0.9 * expected + 0.1 * solved
        np.testing.assert_allclose(other.step(smooth.losses(other)).weights, expected)


def test_smoothing_goes_on_from_a_saved_state():
    net, again = Net(), Net()
    one, other = (balanced(n, "loss", "random_weights", smoothing=0.5) for n in (net, again))
    one.step(net.losses(one))
    other.load_state_dict(one.state_dict())
    again.load_state_dict(net.state_dict())
    np.testing.assert_array_equal(one.step(net.losses(one)).weights, other.step(again.losses(other)).weights)
