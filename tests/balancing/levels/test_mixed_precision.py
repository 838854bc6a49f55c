"""bfloat16 by autocast, and float16 with a gradient scaler: the weights are those of unscaled rows."""

import numpy as np
import pytest
import torch

from loops import PAIRS, Net, adamw, balanced, relative

SCALE = 2.0**12


def scaler(**options) -> torch.amp.GradScaler:
    return torch.amp.GradScaler("cpu", init_scale=SCALE, growth_interval=3, **options)


@pytest.mark.parametrize(("level", "rule"), PAIRS)
def test_autocast_to_bfloat16_trains_in_float32(level, rule):
    net = Net(dtype=torch.float32)
    balancer = balanced(net, level, rule)

    def losses():
        with torch.autocast("cpu", torch.bfloat16):
            return [loss.float() for loss in net.losses(balancer)]

    first = balancer.step(losses(), again=losses).losses.sum()
    for _ in range(60):
        report = balancer.step(losses(), again=losses)
    assert report.losses.sum() < 0.9 * first
    assert all(parameter.dtype == torch.float32 for parameter in net.parameters())


@pytest.mark.parametrize(("level", "rule"), PAIRS)
def test_a_gradient_scaler_changes_nothing(level, rule):
    """Its scale is a power of two, and grows on the way."""
    plain, scaled = Net(), Net()
    one, other = balanced(plain, level, rule), balanced(scaled, level, rule)
    amp = scaler()
    for _ in range(5):
        told = one.step(plain.losses(one), again=lambda: plain.losses(one))
        report = other.backward(scaled.losses(other), amp)
        if level != "update":
            np.testing.assert_allclose(report.weights, told.weights, rtol=1e-9)
        amp.step(other, again=lambda: scaled.losses(other))
        amp.update()
    assert amp.get_scale() > SCALE
    assert relative(scaled.vector(), plain.vector()) < 1e-9


@pytest.mark.parametrize("clears", [True, False])
@pytest.mark.parametrize(("level", "rule"), [(level, rule) for level, rule in PAIRS if rule != "famo"])
def test_a_skipped_step_stays_skipped(level, rule, clears):
    """A batch whose gradients overflow: the scale falls, nothing moves, and the rule is as it was."""
    plain, scaled = Net(), Net()
    one, other = balanced(plain, level, rule), balanced(scaled, level, rule)
    amp = scaler()
    for step in range(4):
        if step == 2:
            before, losses = scaled.vector(), scaled.losses(other)
            losses[1] = losses[1] * float("inf")
            other.backward(losses, amp)
            amp.step(other)
            amp.update()
            assert amp.get_scale() < SCALE
            torch.testing.assert_close(scaled.vector(), before, rtol=0, atol=0)
            if clears:
                other.zero_grad()
        one.step(plain.losses(one))
        other.backward(scaled.losses(other), amp)
        amp.step(other)
        amp.update()
    assert relative(scaled.vector(), plain.vector()) < 1e-9


@pytest.mark.parametrize("level", ["loss", "representation", "gradient"])
def test_the_scaler_may_drive_the_optimizer_itself(level):
    """With unscaling and clipping by the user, as in a loop without a balancer."""
    plain, scaled = Net(), Net()
    optimizer, other_optimizer = adamw(plain), adamw(scaled)
    one, other = balanced(plain, level, "equal", optimizer), balanced(scaled, level, "equal", other_optimizer)
    amp = scaler()
    for _ in range(3):
        one.backward(plain.losses(one))
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.1)
        optimizer.step()
        optimizer.zero_grad()
        other.backward(scaled.losses(other), amp)
        amp.unscale_(other_optimizer)
        torch.nn.utils.clip_grad_norm_(scaled.parameters(), 0.1)
        amp.step(other_optimizer)
        amp.update()
        other_optimizer.zero_grad()
    assert relative(scaled.vector(), plain.vector()) < 1e-9


def test_a_fused_optimizer_that_skips_by_itself_does_not_count_the_step():
    net = Net(dtype=torch.float32)
    optimizer = adamw(net, fused=True)
    balancer = balanced(net, "gradient", "nash", optimizer, every=2)
    amp = scaler()
    for step in range(3):
        losses = net.losses(balancer)
        if step == 1:
            losses = [loss * float("inf") for loss in losses]
        balancer.backward(losses, amp)
        amp.step(optimizer)
        amp.update()
        optimizer.zero_grad()
    assert balancer.level.steps == 2


@pytest.mark.parametrize("level", ["loss", "representation", "gradient", "update"])
def test_scaled_gradients_are_never_taken_for_a_step(level):
    net = Net()
    balancer = balanced(net, level, "equal")
    before = net.vector()
    balancer.backward(net.losses(balancer), scaler())
    with pytest.raises(RuntimeError, match=r"call scaler\.step\(balancer\) in place of balancer\.step\(\)"):
        balancer.step()
    torch.testing.assert_close(net.vector(), before, rtol=0, atol=0)
    balancer.zero_grad()
    balancer.backward(net.losses(balancer), scaler(enabled=False))
    balancer.step()
    assert not torch.equal(net.vector(), before)


@pytest.mark.parametrize("level", ["loss", "representation", "gradient", "update"])
def test_gradients_are_unscaled_for_the_balancer_and_once(level):
    net = Net()
    optimizer = adamw(net)
    balancer = balanced(net, level, "equal", optimizer)
    before, amp = net.vector(), scaler()
    balancer.backward(net.losses(balancer), amp)
    amp.unscale_(optimizer)
    with pytest.raises(RuntimeError, match=r"unscaled twice.*call scaler\.unscale_\(balancer\) in place"):
        amp.step(balancer)
    assert torch.equal(net.vector(), before)


@pytest.mark.parametrize("level", ["loss", "gradient"])
def test_an_overflow_is_never_taken_for_a_step(level):
    net = Net()
    balancer = balanced(net, level, "equal")
    before, amp = net.vector(), scaler()
    balancer.backward([loss * float("inf") for loss in net.losses(balancer)], amp)
    amp.unscale_(balancer)
    with pytest.raises(RuntimeError, match=r"overflowed: call scaler\.step\(balancer\), which skips such a step"):
        balancer.step()
    assert torch.equal(net.vector(), before)


@pytest.mark.parametrize("level", ["loss", "update"])
def test_all_parts_of_a_batch_come_with_the_scaler_or_none(level):
    net = Net()
    balancer = balanced(net, level, "equal")
    balancer.backward(net.losses(balancer), scaler())
    with pytest.raises(ValueError, match="give the same one with every part"):
        balancer.backward(net.losses(balancer))


def test_max_norm_with_a_scaler_is_refused():
    net = Net()
    balancer = balanced(net, "loss", "equal", max_norm=1.0)
    with pytest.raises(ValueError, match="max_norm would shorten scaled gradients"):
        balancer.backward(net.losses(balancer), scaler())
