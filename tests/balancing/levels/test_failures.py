"""What a failed batch leaves behind: nothing."""

import numpy as np
import pytest
import torch

from loops import PAIRS, Net, balanced

NO_LOSS = [(level, rule) for level, rule in PAIRS if level != "loss"]


def spoiled(losses: list[torch.Tensor], how: str) -> list[torch.Tensor]:
    if how == "a loss that is not finite":
        return [losses[0] * float("nan"), *losses[1:]]
    return [losses[0], losses[1] + (losses[1] - losses[1].detach()).abs().sqrt()]  # finite, with an infinite slope


@pytest.mark.parametrize(("level", "rule"), PAIRS)
@pytest.mark.parametrize("how", ["a loss that is not finite", "rows that are not finite"])
def test_after_a_bad_batch_the_next_step_is_as_if_it_had_not_been(level, rule, how):
    if level == "loss" and how.startswith("rows"):
        pytest.skip("level loss has no rows")
    plain, tried = Net(), Net()
    one, other = balanced(plain, level, rule), balanced(tried, level, rule)
    for step in range(4):
        if step in (0, 2):
            with pytest.raises(FloatingPointError, match=f"not finite at step {step + 1}"):
                other.step(spoiled(tried.losses(other), how), again=lambda: tried.losses(other))
        one.step(plain.losses(one), again=lambda: plain.losses(one))
        other.step(tried.losses(other), again=lambda: tried.losses(other))
    torch.testing.assert_close(tried.vector(), plain.vector(), rtol=0, atol=0)


def test_a_missing_second_look_is_found_before_parameters_move():
    net = Net()
    balancer = balanced(net, "loss", "famo")
    before = net.vector()
    with pytest.raises(ValueError, match="needs the losses after the step: pass `again`"):
        balancer.step(net.losses(balancer))
    torch.testing.assert_close(net.vector(), before, rtol=0, atol=0)


def test_a_second_look_that_is_not_finite_does_not_poison_the_weights():
    net = Net()
    balancer = balanced(net, "loss", "famo")
    balancer.step(net.losses(balancer), again=lambda: [torch.tensor(float("nan"))] * 2)
    report = balancer.step(net.losses(balancer), again=lambda: net.losses(balancer))
    assert np.isfinite(report.weights).all()


def test_a_step_without_the_second_look_is_noticed():
    net = Net()
    balancer = balanced(net, "loss", "famo")
    balancer.backward(net.losses(balancer))
    balancer.level.optimizer.step()
    with pytest.raises(ValueError, match=r"was not told the losses after the last step: use balancer\.step"):
        balancer.backward(net.losses(balancer))


@pytest.mark.parametrize("level", ["loss", "representation", "gradient", "update"])
def test_losses_without_a_graph_are_refused(level):
    net = Net()
    balancer = balanced(net, level, "equal")
    with pytest.raises(ValueError, match="no loss depends on a parameter"):
        balancer.step([torch.tensor(1.0), torch.tensor(2.0)])


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        (torch.ones(2, 2), "losses of shape"),
        (torch.ones(3), "3 losses for a rule of 2 tasks"),
        ([torch.ones(4), torch.ones(1)], "loss 0 has shape"),
    ],
)
def test_losses_of_another_shape_are_refused(losses, message):
    net = Net()
    with pytest.raises(ValueError, match=message):
        balanced(net, "gradient", "equal").step(losses)


@pytest.mark.parametrize("losses", [{"a": 1}, None, "ab", [None, 1.0]])
def test_what_is_no_list_of_losses_is_refused(losses):
    net = Net()
    with pytest.raises(TypeError, match=r"loss(es)? must be a"):
        balanced(net, "gradient", "equal").backward(losses)


def test_a_number_is_a_loss_without_a_graph():
    net = Net()
    balancer = balanced(net, "gradient", "equal")
    report = balancer.step([net.losses(balancer)[0], 0.0])
    assert report.losses[1] == 0
