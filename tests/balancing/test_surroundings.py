"""What lies around a balancer in an ordinary loop: options that change, other optimizers, hooks, copies, closures."""

import copy
import gc
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributed.optim import _apply_optimizer_in_backward
from torch.utils.checkpoint import checkpoint

from mtbalance import Balancer
from mtbalance.balancing.options import LEVELS


class Net(nn.Module):
    """A trunk and two heads."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Sequential(nn.Linear(6, 8), nn.Tanh())
        self.trunk = nn.Sequential(nn.Linear(8, 5), nn.Tanh())
        self.heads = nn.ModuleList(nn.Linear(5, 1) for _ in range(2))
        self.double()

    def losses(self, balancer=None, hidden=None):
        generator = torch.Generator().manual_seed(1)
        inputs, targets = (torch.randn(*shape, 16, 1, generator=generator).double() for shape in ((6,), (2,)))
        z = self.trunk(self.first(inputs.squeeze(2).T)) if hidden is None else self.trunk(hidden)
        forks = balancer.fork(z) if balancer else [z] * 2
        return [(1 + k) * ((self.heads[k](forks[k]) - targets[k]) ** 2).mean() for k in range(2)]

    def vector(self):
        return torch.cat([parameter.detach().flatten().clone() for parameter in self.parameters()])


def plainly(net, optimizer, steps=4, after=lambda: None):
    """Train with the sum of the losses."""
    for _ in range(steps):
        sum(net.losses()).backward()
        optimizer.step()
        optimizer.zero_grad()
        after()
    return net.vector()


def alike(one, other):
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", [torch.optim.RMSprop, torch.optim.SGD, torch.optim.Adam])
def test_options_that_change_after_the_balancer_was_made_count(kind):
    """Such as those of OneCycleLR, which sets a momentum, or of a state that was loaded."""
    plain, net = Net(), Net()
    optimizers = [kind(one.parameters(), lr=0.01) for one in (plain, net)]
    balancer = Balancer(optimizers[1], 2, level="update", rule="fixed", weights=[1, 1])
    for optimizer in optimizers:
        optimizer.param_groups[0]["maximize"] = True
        if kind is torch.optim.RMSprop:
            optimizer.param_groups[0]["momentum"] = 0.9
    expected = plainly(plain, optimizers[0], steps=1)
    balancer.step(net.losses(balancer))
    trunk = sum(parameter.numel() for part in (net.heads,) for parameter in part.parameters())
    alike(net.vector()[-trunk:], expected[-trunk:])  # heads take the optimizer's own step
    other = Net()
    late = kind(other.parameters(), lr=0.01)
    late.param_groups[0].update({name: optimizers[1].param_groups[0][name] for name in ("maximize",)})
    if kind is torch.optim.RMSprop:
        late.param_groups[0]["momentum"] = 0.9
    made_later = Balancer(late, 2, level="update", rule="fixed", weights=[1, 1])
    made_later.step(other.losses(made_later))
    alike(net.vector(), other.vector())


@pytest.mark.parametrize("level", ["gradient", "update"])
@pytest.mark.parametrize("every", [1, 2])
def test_parameters_of_another_optimizer_get_their_gradients(level, every):
    net, plain = Net(), Net()
    sum(plain.losses()).backward()
    rest = [*net.trunk.parameters(), *net.heads.parameters()]
    balancer = Balancer(torch.optim.SGD(rest, lr=0.0), 2, level=level, rule="fixed", weights=[1, 1])
    if every == 2:
        balancer = (
            Balancer(torch.optim.SGD(rest, lr=0.0), 2, level=level, rule="nash", every=2, rescale="none")
            if level == "update"
            else Balancer(torch.optim.SGD(rest, lr=0.0), 2, level=level, rule="nash", every=2)
        )
    for step in range(2):
        for parameter in net.first.parameters():
            parameter.grad = torch.ones_like(parameter)
        balancer.step(net.losses(balancer))
        found = [parameter.grad - 1 for parameter in net.first.parameters()]
        assert all(float(gradient.abs().sum()) > 0 for gradient in found), step
        if every == 1:
            for gradient, parameter in zip(found, plain.first.parameters(), strict=True):
                alike(gradient, parameter.grad)


def test_weighted_heads_of_another_optimizer_get_their_gradients():
    """Their passes name parameters, and named those of the balancer's optimizer alone."""
    net, plain = Net(), Net()
    one, other = plain.losses()
    (0.5 * one + 1.5 * other).backward()
    optimizer = torch.optim.SGD([*net.first.parameters(), *net.trunk.parameters()], lr=0.1)
    options = {"rule": "fixed", "weights": [0.5, 1.5], "heads": "weighted"}
    balancer = Balancer(optimizer, 2, level="representation", **options)
    balancer.backward(net.losses(balancer))
    for parameter, expected in zip(net.parameters(), plain.parameters(), strict=True):
        alike(parameter.grad, expected.grad)


@pytest.mark.parametrize("level", ["gradient", "update"])
def test_parameters_of_another_optimizer_that_not_every_batch_reaches(level):
    """Batches of two kinds, each in three parts, so that the hundredth pass is none of a first part."""
    net, tables = Net(), nn.ModuleList(nn.Linear(6, 8).double() for _ in range(2))
    balancer = Balancer(torch.optim.SGD(net.parameters(), lr=0.0), 2, level=level, rule="fixed", weights=[1, 1])
    inputs = torch.randn(16, 6, dtype=torch.float64)
    for step in range(36):
        table = tables[step % 2]
        table.bias.requires_grad_(step < 20)
        (expected,) = torch.autograd.grad(sum(net.losses(hidden=table(inputs))), table.weight)
        for _ in range(3):
            balancer.backward([loss / 3 for loss in net.losses(balancer, table(inputs))])
        alike(table.weight.grad, expected)
        balancer.step()
        tables.zero_grad()


@pytest.mark.parametrize("level", ["representation", "gradient", "update"])
def test_after_rows_that_are_not_finite_the_batch_has_not_been_for_another_optimizer_either(level):
    def trained(factors):
        net, last = Net(), nn.Linear(5, 5).double()
        other = torch.optim.Adam([*net.first.parameters(), *last.parameters()], lr=0.1)
        own = torch.optim.Adam([*net.trunk.parameters(), *net.heads.parameters()], lr=0.1)
        balancer = Balancer(own, 2, level=level, rule="min_norm", heads="own")
        for factor in factors:
            hidden = [last(fork) for fork in balancer.fork(net.trunk(net.first(torch.ones(16, 6).double())))]
            hidden[1].register_hook(factor.__mul__)
            losses = [head(one).square().mean() for head, one in zip(net.heads, hidden, strict=True)]
            if factor.isfinite():
                balancer.step(losses)
                other.step()
            else:
                with pytest.raises(FloatingPointError, match="rows are not finite"):
                    balancer.step(losses)
        return torch.cat([net.vector(), last.weight.detach().flatten()])

    alike(trained([torch.tensor(np.inf), torch.tensor(1.0)]), trained([torch.tensor(1.0)]))


@pytest.mark.parametrize("level", ["gradient", "update"])
def test_reentrant_checkpoints_and_accumulation_hooks_are_refused(level):
    net = Net()
    balancer = Balancer(torch.optim.SGD(net.parameters(), lr=0.1), 2, level=level, rule="nash")
    inputs = torch.randn(16, 6, dtype=torch.float64, requires_grad=True)
    with pytest.raises(ValueError, match="use_reentrant=False"):
        balancer.step(net.losses(balancer, checkpoint(net.first, inputs, use_reentrant=True)))
    hook = net.first[0].weight.register_post_accumulate_grad_hook(lambda _: None)
    other = Balancer(torch.optim.SGD(net.parameters(), lr=0.1), 2, level=level, rule="nash")
    with pytest.raises(ValueError, match="register_post_accumulate_grad_hook"):
        other.step(net.losses(other))
    hook.remove()


class SplitLookupFunction_sgd_Op(torch.autograd.Function):
    """Named as the tables of fbgemm are in a graph."""

    @staticmethod
    def forward(_, inputs):
        return inputs.clone()

    @staticmethod
    def backward(_, gradient):
        return gradient


@pytest.mark.parametrize(
    ("level", "heads"),
    [("gradient", "own"), ("update", "own"), ("representation", "weighted"), ("representation", "own")],
)
@pytest.mark.parametrize("kind", ["hook", "optimizer", "table"])
def test_optimizers_that_step_in_the_backward_pass_are_refused_where_they_would_not(level, heads, kind):
    net, last = Net(), nn.Linear(5, 5).double()
    balancer = Balancer(torch.optim.SGD(net.parameters(), lr=0.1), 2, level=level, rule="min_norm", heads=heads)
    steps = []
    if kind == "hook":
        last.weight.register_post_accumulate_grad_hook(steps.append)
    elif kind == "optimizer":
        _apply_optimizer_in_backward(torch.optim.SGD, last.parameters(), {"lr": 0.1})
    before = last.weight.detach().clone()
    forks = [last(fork) for fork in balancer.fork(net.trunk(net.first(torch.ones(16, 6).double())))]
    if kind == "table":
        forks = [SplitLookupFunction_sgd_Op.apply(fork) for fork in forks]
    losses = [head(fork).square().mean() for head, fork in zip(net.heads, forks, strict=True)]
    if level == "representation" and heads == "own":
        balancer.step(losses)
        assert len(steps) == (kind == "hook") and torch.equal(last.weight, before) is (kind != "optimizer")
        return
    with pytest.raises(
        ValueError, match=r"of fbgemm.*beside" if kind == "table" else r"in the backward pass.*after the"
    ):
        balancer.step(losses)


@pytest.mark.parametrize(("level", "options"), [("update", {}), ("gradient", {"max_norm": 0.1})])
def test_a_step_through_a_closure_is_not_taken_for_a_balanced_one(level, options):
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    balancer = Balancer(optimizer, 2, level=level, rule="nash", **options)
    with pytest.raises(RuntimeError, match=r"in the closure of optimizer\.step, which has now stepped without"):
        optimizer.step(lambda: balancer.backward(net.losses(balancer)).losses.sum())


@pytest.mark.parametrize("level", ["loss", "representation", "gradient"])
@pytest.mark.parametrize("trained", [True, False])
def test_a_closure_that_clears_the_balanced_gradients_is_refused(level, trained):
    """As Lightning's automatic optimization, which clears gradients after training_step and then trains its result."""
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    balancer = Balancer(optimizer, 2, level=level, rule="equal")

    def closure():
        balancer.backward(net.losses(balancer))
        optimizer.zero_grad()
        if trained:
            sum(net.losses()).backward()

    with pytest.raises(RuntimeError, match=r"without its cleared gradients.*self\.automatic_optimization = False"):
        optimizer.step(closure)
    assert balancer.level.steps == 0


def test_lbfgs_takes_a_closure():
    net = Net()
    balancer = Balancer(torch.optim.LBFGS(net.parameters()), 2, level="gradient", rule="nash")
    with pytest.raises(ValueError, match="LBFGS evaluates losses within its step"):
        balancer.step(net.losses(balancer))


def weighted_heads(losses, scaler=None, before=lambda net: None):
    """Head gradients' effect of one step of SGD with heads that are weighted 0.5 and 1.5."""
    net = Net()
    balancer = Balancer(
        torch.optim.SGD(net.parameters(), lr=0.1), 2, level="update", rule="fixed", weights=[0.5, 1.5], heads="weighted"
    )
    before(net)
    if scaler is None:
        balancer.step(losses(net, balancer))
    else:
        balancer.backward(losses(net, balancer), scaler)
        scaler.step(balancer)
        scaler.update()
    return net.vector()


@pytest.mark.parametrize("stack", [list, torch.stack])
def test_weighted_heads_are_unscaled_and_leave_what_was_there(stack):
    expected = weighted_heads(lambda net, balancer: net.losses(balancer))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    alike(weighted_heads(lambda net, balancer: stack(net.losses(balancer)), scaler), expected)
    filled = weighted_heads(
        lambda net, balancer: stack(net.losses(balancer)), before=lambda net: net.heads[0].weight.sum().backward()
    )
    moved = expected - filled
    assert torch.count_nonzero(moved.abs() > 1e-9) == 5
    alike(moved[moved.abs() > 1e-9], torch.full((5,), 0.1, dtype=torch.float64))


@pytest.mark.parametrize(("level", "rule"), [("gradient", "multibalance"), ("update", "nash"), ("gradient", "nash")])
def test_a_deep_copy_goes_on_as_the_original_does(level, rule):
    net = Net()
    options = {} if rule == "multibalance" else {"every": 3}
    balancer = Balancer(torch.optim.Adam(net.parameters(), lr=0.01), 2, level=level, rule=rule, **options)
    for _ in range(3):
        balancer.step(net.losses(balancer))
    other, twin = copy.deepcopy((net, balancer))
    for _ in range(5):
        one, two = balancer.step(net.losses(balancer)), twin.step(other.losses(twin))
    assert twin.level.steps == balancer.level.steps == 8
    np.testing.assert_array_equal(one.weights, two.weights)
    alike(other.vector(), net.vector())


def test_an_abandoned_balancer_leaves_the_optimizer():
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    balancer = Balancer(optimizer, 2, level="update", rule="nash")
    balancer.backward(net.losses(balancer))
    alive = weakref.ref(balancer.level)
    del balancer
    gc.collect()
    assert alive() is None and not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks
    optimizer.step()


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.SGD])
@pytest.mark.parametrize("maximize", [False, True])
def test_fused_optimizers_get_gradients_in_the_layout_of_parameters(kind, maximize):
    def moved(balanced):
        torch.manual_seed(0)
        parameter = nn.Parameter(torch.randn(6, 4).t())
        optimizer = kind([parameter], lr=0.1, fused=True, maximize=maximize)
        loss = (parameter * torch.arange(24.0).view(4, 6).sub(7)).sum()
        if balanced:
            Balancer(optimizer, 1, level="update", rule="equal").step([loss])
        else:
            loss.backward()
            optimizer.step()
        return parameter.detach()

    torch.testing.assert_close(moved(True), moved(False))


def test_a_view_of_a_parameter_can_be_the_representation_of_several_parts():
    torch.manual_seed(0)
    latent = nn.Parameter(torch.randn(4))
    heads = nn.ModuleList(nn.Linear(4, 1) for _ in range(2))
    balancer = Balancer(torch.optim.SGD([latent, *heads.parameters()], lr=0.1), 2, level="representation", rule="equal")
    expected = torch.zeros(4)
    for part in (1.0, 3.0):
        whole = sum(((head(latent.unsqueeze(0)) - part) ** 2).mean() for head in heads)
        expected += torch.autograd.grad(whole, latent)[0]
        forks = balancer.fork(latent.unsqueeze(0))
        balancer.backward([((head(z) - part) ** 2).mean() for head, z in zip(heads, forks, strict=True)])
    torch.testing.assert_close(latent.grad, expected)


def test_complex_parameters_are_pairs_of_real_ones():
    def rows(own):
        return [own.abs().square().sum(), (own.real - 2 * own.imag).square().sum()]

    torch.manual_seed(0)
    start = torch.randn(7, dtype=torch.complex128)
    for level in ("gradient", "update"):
        pairs = nn.Parameter(torch.view_as_real(start).clone())
        own = nn.Parameter(start.clone())
        one = Balancer(torch.optim.Adam([pairs], lr=0.1), 2, level=level, rule="min_norm")
        two = Balancer(torch.optim.Adam([own], lr=0.1), 2, level=level, rule="min_norm")
        for _ in range(3):
            expected = one.step(rows(torch.view_as_complex(pairs)))
            np.testing.assert_allclose(two.step(rows(own)).weights, expected.weights, rtol=1e-7)
        torch.testing.assert_close(torch.view_as_real(own.detach()), pairs.detach())


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.NAdam])
def test_hooks_after_the_step_see_and_change_the_real_parameters(kind):
    net = Net()
    optimizer = kind(net.parameters(), lr=0.01)
    seen = []

    def clamp(*_):
        seen.append(net.vector())
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.clamp_(min=0)

    optimizer.register_step_post_hook(clamp)
    balancer = Balancer(optimizer, 2, level="update", rule="nash")
    balancer.step(net.losses(balancer))
    alike(seen[0].clamp(min=0), net.vector())
    assert float(net.vector().min()) >= 0


def test_a_backward_pass_that_ends_at_the_forks_is_no_step():
    """Else heads would train alone, without a word."""
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    balancer = Balancer(optimizer, 2, level="representation", rule="equal")
    before = net.vector()
    sum(net.losses(balancer)).backward()
    with pytest.raises(RuntimeError, match="ended at the forks, so the trunk has no gradient"):
        optimizer.step()
    alike(net.vector(), before)
    balancer.step(net.losses(balancer))
    with torch.enable_grad():
        net.losses(balancer)  # a forward pass alone, as for a metric
    optimizer.step()


def test_a_loss_that_reads_another_fork_later_is_found(monkeypatch):
    monkeypatch.setattr("mtbalance.balancing.levels._rows.LOOKS_EVERY", 3)
    net = Net()
    balancer = Balancer(
        torch.optim.SGD(net.parameters(), lr=0.1), 2, level="representation", rule="fixed", weights=[2, 0.5]
    )
    balancer.step(net.losses(balancer))
    with pytest.raises(ValueError, match=r"loss 0 depends on forks\[1\] too"):
        for _ in range(3):
            first, second = net.losses(balancer)
            balancer.step([first + second, second])


@pytest.mark.parametrize(
    ("level", "where"),
    [*((level, "backward") for level in LEVELS), *((level, "step") for level in LEVELS if level != "update")],
)
def test_an_interrupted_step_is_given_up(level, where):
    """Else the gradients of its batch would be added to those of the next one. (Level update moves the trunk first.)"""

    def interrupt(*_):
        raise KeyboardInterrupt

    vectors = []
    for interrupted in (True, False):
        net = Net()
        optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
        balancer = Balancer(optimizer, 2, level=level, rule="equal")
        if interrupted:
            at_step = optimizer.register_step_pre_hook
            hook = net.trunk[0].weight.register_hook(interrupt) if where == "backward" else at_step(interrupt)
            with pytest.raises(KeyboardInterrupt):
                balancer.step([3 * loss for loss in net.losses(balancer)])
            hook.remove()
        balancer.step(net.losses(balancer))
        vectors.append(net.vector())
    alike(*vectors)


def test_cleared_gradients_are_no_step_and_a_state_has_no_half_step():
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    balancer = Balancer(optimizer, 2, level="update", rule="nash")
    balancer.backward(net.losses(balancer))
    optimizer.zero_grad()
    with pytest.raises(ValueError, match="gradients were cleared after backward"):
        balancer.step()
    other = Balancer(torch.optim.SGD(net.parameters(), lr=0.1), 2, level="gradient", rule="multibalance")
    other.step(net.losses(other))
    before = other.state_dict()["rule"]
    other.backward(net.losses(other))
    assert str(other.state_dict()["rule"]) == str(before)


def test_rows_are_not_multiplied_in_bfloat16_within_autocast():
    def weights(autocast):
        torch.manual_seed(0)
        shared = nn.Parameter(torch.randn(400))
        balancer = Balancer(torch.optim.SGD([shared], lr=0.1), 5, level="gradient", rule="nash")
        losses = [(shared * torch.randn(400)).sum() for _ in range(5)]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            return balancer.step(losses).weights

    np.testing.assert_allclose(weights(True), weights(False), rtol=1e-6)


def test_a_number_of_numpy_is_a_loss_without_a_graph():
    net = Net()
    balancer = Balancer(torch.optim.SGD(net.parameters(), lr=0.1), 2, level="gradient", rule="nash")
    balancer.step(net.losses(balancer))
    balancer.step([net.losses(balancer)[0], np.float32(0)])
