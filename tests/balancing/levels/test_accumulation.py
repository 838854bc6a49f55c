"""Gradients of the parts of a batch, accumulated by the user, are those of the whole batch, or are refused."""

import numpy as np
import pytest
import torch

from loops import PAIRS, Net, adamw, balanced, relative, weights_close

HALVES = (slice(0, 8), slice(8, 16))
KEEPS_GRADIENTS = ("gradient", "update")


def in_parts(balancer, net):
    for rows in HALVES:
        report = balancer.backward(net.losses(balancer, rows, share=0.5))
    again = lambda: [sum(parts) for parts in zip(*(net.losses(balancer, rows, 0.5) for rows in HALVES), strict=True)]  # noqa: E731
    return balancer.step(again=again) or report


@pytest.mark.parametrize(("level", "rule"), PAIRS)
def test_two_halves_are_the_whole_batch_or_are_refused(level, rule):
    whole, parts = Net(), Net()
    one, other = balanced(whole, level, rule), balanced(parts, level, rule)
    for _ in range(4):
        told = one.step(whole.losses(one), again=lambda: whole.losses(one))
        try:
            report = in_parts(other, parts)
        except ValueError as error:
            assert level not in KEEPS_GRADIENTS and "cannot be accumulated at this level" in str(error)
            return
        assert weights_close(report.weights, told.weights) and weights_close(report.losses, told.losses)
        assert relative(parts.vector(), whole.vector()) < 1e-6


@pytest.mark.parametrize("level", ["loss", "representation"])
@pytest.mark.parametrize("rule", ["equal"])
def test_weights_that_do_not_depend_on_the_batch_are_accumulated_at_every_level(level, rule):
    net = Net()
    balancer = balanced(net, level, rule)
    in_parts(balancer, net)


@pytest.mark.parametrize("heads", ["own", "weighted"])
@pytest.mark.parametrize("level", KEEPS_GRADIENTS)
def test_parts_between_two_searches_and_with_either_heads(level, heads):
    for between in ("weighted_loss", "task_updates"):
        options = {"every": 3, "between": between, "heads": heads}
        whole, parts = Net(3), Net(3)
        one, other = balanced(whole, level, "nash", **options), balanced(parts, level, "nash", **options)
        for _ in range(5):
            one.step(whole.losses(one))
            in_parts(other, parts)
        assert relative(parts.vector(), whole.vector()) < 1e-9


@pytest.mark.parametrize("level", ["loss", "representation", "gradient"])
def test_backward_fills_the_gradients_and_the_user_steps(level):
    """Clipping, the optimizer's step and the schedule are the user's; here against the balancer's own step."""
    own, user = Net(), Net()
    one = balanced(own, level, "equal", max_norm=0.1)
    optimizer = adamw(user)
    other = balanced(user, level, "equal", optimizer)
    for _ in range(3):
        one.step(own.losses(one))
        other.backward(user.losses(other))
        torch.nn.utils.clip_grad_norm_(user.parameters(), 0.1)
        optimizer.step()
        optimizer.zero_grad()
    torch.testing.assert_close(user.vector(), own.vector(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("to_none", [True, False])
@pytest.mark.parametrize(("level", "rule"), [(level, rule) for level, rule in PAIRS if rule != "famo"])
def test_a_step_that_the_user_gives_up_leaves_no_trace(level, rule, to_none):
    """Gradients are cleared instead of a step: random numbers, averages and counts are as they were."""
    plain, tried = Net(), Net()
    optimizer = adamw(tried)
    one, other = balanced(plain, level, rule), balanced(tried, level, rule, optimizer)
    for step in range(4):
        if step == 2:
            other.backward(tried.losses(other, HALVES[0]))
            optimizer.zero_grad(set_to_none=to_none)
        one.step(plain.losses(one))
        other.step(tried.losses(other))
    torch.testing.assert_close(tried.vector(), plain.vector(), rtol=0, atol=0)


@pytest.mark.parametrize("level", ["loss", "representation", "gradient", "update"])
def test_a_gradient_that_is_there_already_is_added(level):
    """As torch does: here that of a penalty on all parameters, against the penalty as a part of the losses."""
    net, reference = Net(), Net()
    optimizer, plain = (torch.optim.SGD(one.parameters(), lr=0.1) for one in (net, reference))
    balancer = balanced(net, level, "equal", optimizer)
    for _ in range(2):
        sum(parameter.square().sum() for parameter in net.parameters()).backward()
        balancer.step(net.losses(balancer))
        total = sum(reference.losses(balanced(reference, "loss", "equal")))
        (total + sum(parameter.square().sum() for parameter in reference.parameters())).backward()
        plain.step()
        plain.zero_grad()
    torch.testing.assert_close(net.vector(), reference.vector(), rtol=0, atol=1e-12)


def test_gradients_changed_between_two_calls_are_refused():
    net = Net()
    balancer = balanced(net, "gradient", "min_norm")
    balancer.backward(net.losses(balancer, HALVES[0]))
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1e-3)
    with pytest.raises(ValueError, match="changed between two backward calls"):
        balancer.backward(net.losses(balancer, HALVES[1]))
    balancer.step(net.losses(balancer))  # the step was given up


def test_without_a_backward_pass_there_is_nothing_to_step_on():
    net = Net()
    balancer = balanced(net, "gradient", "min_norm")
    with pytest.raises(ValueError, match="nothing to step on: call backward"):
        balancer.step()


def test_after_the_optimizers_step_there_is_nothing_to_step_on_and_no_row_is_kept():
    net = Net()
    optimizer = adamw(net)
    balancer = balanced(net, "gradient", "min_norm", optimizer)
    balancer.backward(net.losses(balancer))
    optimizer.step()
    assert not balancer.level.gradients
    with pytest.raises(ValueError, match="nothing to step on"):
        balancer.step()


def test_at_the_update_level_the_optimizer_may_not_step_alone():
    net, optimizer = Net(), None
    optimizer = adamw(net)
    balancer = balanced(net, "update", "nash", optimizer)
    balancer.backward(net.losses(balancer))
    before = net.vector()
    with pytest.raises(RuntimeError, match=r"call balancer\.step\(\)"):
        optimizer.step()
    np.testing.assert_array_equal(net.vector(), before)
