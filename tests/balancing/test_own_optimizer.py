"""Any torch optimizer of the user's own: groups, schedulers, and optimizers that nobody has foreseen."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from loops import LEVELS, Net, balanced, relative
from mtbalance import Balancer
from mtbalance.balancing.optimizers import MomentProposer
from mtbalance.balancing.proposals import RunningProposer, build_proposer


class Lion(torch.optim.Optimizer):
    """An optimizer as a user writes one."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})
        self.calls = [0]

    @torch.no_grad()
    def step(self, closure=None):
        self.calls[0] += 1
        for group in self.param_groups:
            for p in (p for p in group["params"] if p.grad is not None):
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(torch.sign(m.lerp(p.grad, 1 - group["betas"][0])), alpha=-group["lr"])
                m.lerp_(p.grad, 1 - group["betas"][1])


KNOWN = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.1, weight_decay=0.1),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1),
    "adamw, fused": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, fused=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1, initial_accumulator_value=0.1, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, weight_decay=0.1),
}
OTHERS = {
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.01, weight_decay=0.1, decoupled_weight_decay=True),
    "radam": lambda p: torch.optim.RAdam(p, lr=0.01),
    "adafactor": lambda p: torch.optim.Adafactor(p, lr=0.01, weight_decay=0.1),
    "adamax": lambda p: torch.optim.Adamax(p, lr=0.01),
    "amsgrad": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "centered rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True, momentum=0.9),
    "lion": lambda p: Lion(p, lr=0.01, weight_decay=0.1),
}


class Matrices(nn.Module):
    """A network of matrices alone, for Muon."""

    def __init__(self, tasks: int) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.trunk = nn.Sequential(nn.Linear(6, 8, bias=False), nn.Tanh(), nn.Linear(8, 5, bias=False))
        self.heads = nn.ModuleList(nn.Linear(5, 1, bias=False) for _ in range(tasks))

    losses, vector = Net.losses, Net.vector


def muon(parameters):
    return torch.optim.Muon(parameters, lr=0.01, weight_decay=0.1)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("delayed", [False, True])
def test_known_proposals_are_those_of_a_running_copy(name, delayed):
    """After some steps of the optimizer itself, and again after a step that was taken by the proposer."""
    net = Net()
    optimizer = KNOWN[name](net.parameters())
    for _ in range(3):
        sum(net.losses(balanced(net, "loss", "equal"))).backward()
        optimizer.step()
        optimizer.zero_grad()
    known = build_proposer(optimizer)
    assert isinstance(known, MomentProposer)
    shared = list(net.trunk.parameters())
    gradients = [torch.randn(3, *parameter.shape, dtype=torch.float64) for parameter in shared]
    for _ in range(2):
        for mine, copied in zip(
            known.propose(shared, gradients), RunningProposer(optimizer).propose(shared, gradients), strict=True
        ):
            decayed = name.startswith("adamw")
            torch.testing.assert_close(mine, copied, rtol=1e-9, atol=1e-12)
            assert not decayed or optimizer.param_groups[0]["weight_decay"]
        updates = [update[0] for update in known.propose(shared, gradients)]
        known.take(shared, updates, lambda parameter: gradients[[p is parameter for p in shared].index(True)][0])
        if delayed:
            break


@pytest.mark.parametrize("name", [*KNOWN, *OTHERS])
@pytest.mark.parametrize("level", LEVELS)
def test_every_optimizer_trains_at_every_level(name, level):
    net = Net()
    balancer = balanced(net, level, "equal", (KNOWN | OTHERS)[name](net.parameters()))
    first = balancer.step(net.losses(balancer)).losses.sum()
    for _ in range(40):
        report = balancer.step(net.losses(balancer))
    assert report.losses.sum() < 0.9 * first


@pytest.mark.parametrize("make", [muon, lambda p: Lion(p, lr=0.01, weight_decay=0.1)], ids=["Muon", "a user's Lion"])
@pytest.mark.parametrize("level", LEVELS)
def test_one_task_is_plain_training_bit_for_bit(make, level):
    own, plain = Matrices(1), Matrices(1)
    balancer = balanced(own, level, "nash" if level != "loss" else "equal", make(own.parameters()))
    optimizer = make(plain.parameters())
    for _ in range(10):
        balancer.step(own.losses(balancer))
        plain.losses(balanced(plain, "loss", "equal", torch.optim.SGD(plain.parameters()))).pop().backward()
        optimizer.step()
        optimizer.zero_grad()
    assert torch.equal(own.vector(), plain.vector())


@pytest.mark.parametrize("make", [muon, *OTHERS.values()], ids=["muon", *OTHERS])
def test_equal_tasks_with_weights_that_sum_to_one_are_plain_training(make):
    """Every proposal is then the optimizer's own step, so PUB goes the optimizer's way, with decay once."""
    own, plain = Matrices(2), Matrices(2)
    balancer = balanced(own, "update", "nash", make(own.parameters()), rescale="sum_to_1", heads="own")
    optimizer = make(plain.parameters())
    for _ in range(5):
        for net, step in ((own, balancer.step), (plain, None)):
            loss = net.losses(balanced(net, "loss", "equal", torch.optim.SGD(net.parameters())))[0]
            if step:
                step([loss, loss.clone()])
            else:
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    assert relative(own.vector(), plain.vector()) < 1e-6


@pytest.mark.parametrize("make", [*KNOWN.values(), *OTHERS.values()], ids=[*KNOWN, *OTHERS])
@pytest.mark.parametrize("level", LEVELS)
def test_a_learning_rate_of_zero_moves_nothing(make, level):
    net = Net()
    optimizer = make(net.parameters())
    balancer = balanced(net, level, "equal", optimizer)
    balancer.step(net.losses(balancer))
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = net.vector()
    balancer.step(net.losses(balancer))
    assert torch.equal(net.vector(), before)


@pytest.mark.parametrize("name", ["lion", "nadam", "adamw"])
def test_a_search_at_a_learning_rate_of_zero_finds_weights(name):
    """A warm-up may begin with a rate of 0, and the weights of its first search are kept until the next one."""
    found = []
    for rate in (0.0, 0.01):
        net = Net(2)
        optimizer = (KNOWN | OTHERS)[name](net.parameters())
        balancer = balanced(net, "update", "min_norm", optimizer, every=3)
        optimizer.param_groups[0]["lr"] = rate
        before = net.vector()
        found.append(balancer.step(net.losses(balancer)).weights)
        assert torch.equal(net.vector(), before) == (rate == 0)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
    assert np.ptp(found[0]) > 1e-6


@pytest.mark.parametrize("make", [KNOWN["adamw"], KNOWN["momentum"], OTHERS["lion"]], ids=["adamw", "momentum", "lion"])
def test_groups_keep_their_rates_and_options(make):
    """A group at rate zero stays, and the others go as they would without it; rates by a scheduler count."""
    own, plain = Net(), Net()
    for net in (own, plain):
        net.groups = [
            {"params": net.trunk[0].parameters(), "lr": 0.0},
            {"params": net.trunk[2].parameters(), "lr": 0.02, "weight_decay": 0.5},
            {"params": net.heads.parameters()},
        ]
    one, optimizer = make(own.groups), make(plain.groups)
    schedules = [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10) for optimizer in (one, optimizer)]
    balancer = balanced(own, "update", "equal", one, rescale="sum_to_1", heads="own")
    first = own.trunk[0].weight.detach().clone()
    for _ in range(4):
        loss = own.losses(balancer)[0]
        balancer.step([loss + own.losses(balancer)[1], loss + own.losses(balancer)[1]])
        sum(plain.losses(balanced(plain, "loss", "equal", torch.optim.SGD(plain.parameters())))).backward()
        optimizer.step()
        optimizer.zero_grad()
        for schedule in schedules:
            schedule.step()
    assert torch.equal(own.trunk[0].weight, first)
    assert relative(own.vector(), plain.vector()) < 1e-9


def test_a_group_can_be_added_later():
    net = Net()
    optimizer = torch.optim.AdamW(net.trunk.parameters(), lr=0.01)
    balancer = balanced(net, "update", "nash", optimizer)
    balancer.step(net.losses(balancer))
    before = net.heads[0].weight.detach().clone()
    optimizer.add_param_group({"params": net.heads.parameters()})
    balancer.step(net.losses(balancer))
    assert not torch.equal(net.heads[0].weight, before)


@pytest.mark.parametrize("name", [*KNOWN, *OTHERS])
def test_proposals_leave_the_optimizer_alone(name):
    net = Net()
    optimizer = (KNOWN | OTHERS)[name](net.parameters())
    balancer = balanced(net, "update", "equal", optimizer)
    balancer.step(net.losses(balancer))
    before, state = net.vector(), copy.deepcopy(optimizer.state_dict())
    balancer.level.proposer.propose(
        list(net.trunk.parameters()), [torch.randn(2, *p.shape, dtype=torch.float64) for p in net.trunk.parameters()]
    )
    assert torch.equal(net.vector(), before)
    torch.testing.assert_close(optimizer.state_dict(), state, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"manipulation": "adatask"}, "manipulation: adatask needs the formula of the update"),
        ({"preconditioner": "delayed"}, "preconditioner: delayed needs the formula of the update"),
    ],
)
def test_what_needs_a_known_update_is_refused_for_others(options, message):
    net = Net()
    with pytest.raises(ValueError, match=message):
        balanced(net, "update", "nash", Lion(net.parameters()), **options)


def test_a_copy_has_what_the_state_holds_beside_parameters():
    """As MADGRAD, which counts its steps in ``state["k"]``."""

    class Counting(torch.optim.SGD):
        @torch.no_grad()
        def step(self, closure=None):
            count = self.state.setdefault("k", torch.zeros(()))
            for p in (p for p in self.param_groups[0]["params"] if p.grad is not None):
                p.sub_(p.grad, alpha=self.param_groups[0]["lr"] / (1 + float(count)))
            count += 1

    net = Net()
    balancer = balanced(net, "update", "equal", Counting(net.parameters(), lr=0.1))
    for count in (1, 2, 3):
        before, losses = net.trunk[0].weight.detach().clone(), net.losses(balancer)
        (gradient,) = torch.autograd.grad(sum(losses), net.trunk[0].weight, retain_graph=True)
        balancer.step(losses)
        torch.testing.assert_close(before - net.trunk[0].weight, 0.1 / count * gradient, rtol=1e-9, atol=1e-12)


def test_clippy_acts_on_the_updates_of_any_optimizer():
    net = Net()
    limits = {"absolute": 1e-4}
    balancer = balanced(net, "update", "nash", Lion(net.parameters(), lr=0.01), manipulation="clippy", clip=limits)
    assert balancer.step(net.losses(balancer)).diagnostics["clip_rate"] > 0


def test_an_optimizer_that_needs_a_closure_is_refused_at_the_update_level():
    net = Net()
    with pytest.raises(ValueError, match="LBFGS evaluates the loss within its step"):
        balanced(net, "update", "nash", torch.optim.LBFGS(net.parameters()))


def test_what_is_no_optimizer_is_refused_with_an_example():
    with pytest.raises(TypeError, match=r"optimizer must be a torch optimizer, such as torch\.optim\.AdamW"):
        Balancer(Net().parameters(), 2, level="loss", rule="equal")


def test_a_rule_made_elsewhere_can_be_given():
    from mtbalance.balancing.rules.nash import Nash

    named, made = Net(), Net()
    one, other = balanced(named, "update", "nash"), balanced(made, "update", Nash(2))
    for _ in range(3):
        weights = one.step(named.losses(one)).weights
        np.testing.assert_array_equal(other.step(made.losses(other)).weights, weights)


def test_shared_parameters_that_the_optimizer_does_not_have_are_refused():
    net = Net()
    for shared in (Net().trunk.parameters(), net.trunk.named_parameters()):
        with pytest.raises(ValueError, match="shared must list parameters of the optimizer"):
            balanced(net, "gradient", "nash", shared=shared)


def test_a_rule_given_as_a_class_is_refused_with_the_instance():
    from mtbalance.balancing.rules.nash import Nash

    with pytest.raises(TypeError, match=r"an instance such as Nash\(tasks=2\)"):
        balanced(Net(), "gradient", Nash)
