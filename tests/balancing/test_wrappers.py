"""Optimizers that wrap another one. Each class behaves as one of a package that is not installed here."""

from collections import OrderedDict

import pytest
import torch

from loops import LEVELS, Net, adamw, balanced
from mtbalance import Balancer


class Accelerated(torch.optim.Optimizer):
    """As accelerate's AcceleratedOptimizer, torch_optimizer's Lookahead or ScheduleFreeWrapper: without hooks."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    @property
    def param_groups(self):
        return self.optimizer.param_groups

    def step(self, closure=None):
        self.optimizer.step(closure)

    def zero_grad(self, set_to_none=True):
        self.optimizer.zero_grad(set_to_none)


class Delegating:
    """As Fabric's: it is of the wrapped class, and gives whatever else it is asked from the optimizer inside."""

    def __init__(self, optimizer):
        self._optimizer = optimizer
        self.__class__ = type("Fabric" + type(optimizer).__name__, (Delegating, type(optimizer)), {})

    @property
    def optimizer(self):
        return self._optimizer

    def step(self, closure=None):
        return self.optimizer.step(closure)

    def __getattr__(self, name):
        return getattr(self._optimizer, name)


class Sam(torch.optim.Optimizer):
    """As SAM, whose two steps no hook of its own sees."""

    def __init__(self, base):
        super().__init__([p for group in base.param_groups for p in group["params"]], {})
        self.base_optimizer = base

    @torch.no_grad()
    def first_step(self):
        self.moves = [0.05 * p.grad / (p.grad.norm() + 1e-12) for p in self.param_groups[0]["params"]]
        for p, move in zip(self.param_groups[0]["params"], self.moves, strict=True):
            p.add_(move)
        self.zero_grad()

    @torch.no_grad()
    def second_step(self):
        for p, move in zip(self.param_groups[0]["params"], self.moves, strict=True):
            p.sub_(move)
        self.base_optimizer.step()
        self.zero_grad()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("kind", "name"), [(Accelerated, "optimizer"), (Sam, "base_optimizer")])
def test_a_wrapper_is_refused_with_the_optimizer_inside(kind, name, level):
    net = Net()
    with pytest.raises(ValueError, match=rf"{kind.__name__} wraps another .* Balancer\(optimizer\.{name}, \.\.\.\)"):
        balanced(net, level, "equal", kind(adamw(net)))


@pytest.mark.parametrize(("level", "options"), [("update", {}), ("loss", {"manipulation": "clippy"})])
def test_a_wrapper_is_not_copied(level, options):
    """A copy of a wrapper would decay weights once more, and call the hooks twice, so that it moves twice as far."""
    net = Net()
    with pytest.raises(ValueError, match=r"FabricAdamW wraps another .* Balancer\(optimizer\.optimizer, \.\.\.\)"):
        balanced(net, level, "equal", Delegating(adamw(net)), **options)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", [Accelerated, Delegating])
def test_the_wrapper_around_a_balanced_optimizer_steps_as_without_it(kind, level):
    own, plain = Net(), Net()
    one, other = (balanced(net, level, "equal" if level == "loss" else "min_norm") for net in (own, plain))
    wrapper = kind(one.level.optimizer)
    for _ in range(4):
        one.backward(own.losses(one))
        if level == "update":
            one.step()
        else:
            wrapper.step()
            wrapper.zero_grad()
        other.step(plain.losses(other))
    assert torch.equal(own.vector(), plain.vector())
    assert one.level.steps == 4


def test_two_steps_of_sam_are_one_step_of_the_balancer():
    net = Net()
    wrapper = Sam(torch.optim.SGD(net.parameters(), lr=0.1))
    balancer = Balancer(wrapper.base_optimizer, 2, level="gradient", rule="min_norm", every=2)
    searched = []
    for _ in range(4):
        balancer.backward(net.losses(balancer))
        wrapper.first_step()
        searched.append(bool(balancer.backward(net.losses(balancer)).diagnostics))
        wrapper.second_step()
    assert searched == [True, False, True, False]


def test_an_optimizer_without_hooks_is_refused():
    class Bare(torch.optim.Optimizer):
        def __init__(self, parameters):
            self.param_groups = [{"params": list(parameters), "lr": 0.1}]

    net = Net()
    with pytest.raises(ValueError, match=r"Bare has no hooks.*super\(\)\.__init__"):
        balanced(net, "gradient", "equal", Bare(net.parameters()))


class Combined(torch.optim.Optimizer):
    """As torchrec's CombinedOptimizer: its groups are those of several optimizers."""

    def __init__(self, optimizers):
        self.optimizers = optimizers
        self._optimizer_step_pre_hooks, self._optimizer_step_post_hooks = OrderedDict(), OrderedDict()
        self._patch_step_function()

    @property
    def param_groups(self):
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    @property
    def state(self):
        return {key: value for optimizer in self.optimizers for key, value in optimizer.state.items()}

    def step(self, closure=None):
        for optimizer in self.optimizers:
            optimizer.step()

    def zero_grad(self, set_to_none=True):
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none)


@pytest.mark.parametrize("level", LEVELS)
def test_optimizers_that_are_combined_step_together_or_are_refused_in_words(level):
    net, plain = Net(), Net()
    parts = [[torch.optim.SGD(part.parameters(), lr=0.1) for part in (one.trunk, one.heads)] for one in (net, plain)]
    balancer = balanced(net, level, "equal", Combined(parts[0]))
    losses = net.losses(balancer)
    if level == "update":
        with pytest.raises(ValueError, match=r"Combined cannot be copied for each task.*step after the balancer"):
            balancer.step(losses)
        return
    balancer.step(losses)
    sum(plain.losses(balanced(plain, "loss", "equal"))).backward()
    for optimizer in parts[1]:
        optimizer.step()
    torch.testing.assert_close(net.vector(), plain.vector())
