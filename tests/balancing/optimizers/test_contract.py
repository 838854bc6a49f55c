"""What every optimizer must hold: a proposal is what the torch optimizer would have done."""

import copy

import pydantic
import pytest
import torch
from torch.nn import Parameter

from building import an_optimizer
from mtbalance.balancing.optimizers import MomentProposer
from mtbalance.balancing.options import OptimizerOptions
from mtbalance.balancing.proposals import build_proposer
from mtbalance.registry import available, entry
from mtbalance.training.schedule import set_rate

OPTIMIZERS = "mtbalance.balancing.optimizers"
NAMES = available(OPTIMIZERS)
WITH_DIVISOR = ["adagrad", "adam", "rmsprop"]
"""Those whose delayed divisor is worked out by hand below."""
DECAYS = {
    "none": {"weight_decay": 0.0, "decay": "decoupled"},
    "decoupled": {"weight_decay": 0.1, "decay": "decoupled"},
    "coupled": {"weight_decay": 0.1, "decay": "coupled"},
}


def trained(name: str, decay: str, steps: int) -> tuple[Parameter, torch.optim.Optimizer, MomentProposer]:
    """A parameter after some steps, its optimizer, and the proposer of that."""
    generator = torch.Generator().manual_seed(1)
    parameter = Parameter(torch.randn(4, 3, generator=generator, dtype=torch.float64))
    optimizer = an_optimizer([parameter], name, lr=0.01, **DECAYS[decay])
    for _ in range(steps):
        parameter.grad = torch.randn(4, 3, generator=generator, dtype=torch.float64)
        optimizer.step()
    optimizer.zero_grad()
    return parameter, optimizer, build_proposer(optimizer)


def proposed(proposer: MomentProposer, parameter: Parameter, gradients: torch.Tensor, **options) -> torch.Tensor:
    """The updates [K, *shape] of one parameter."""
    (updates,) = proposer.propose([parameter], [gradients], **options)
    return updates


def gradients(count: int) -> torch.Tensor:
    return torch.randn(count, 4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_file_builds_it_knows(name):
    _, optimizer, proposer = trained(name, "none", 0)
    assert type(proposer) is entry(OPTIMIZERS, name, MomentProposer) and proposer.optimizer is optimizer


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("steps", [0, 3])
def test_propose_and_take_are_the_torch_step(name, decay, steps):
    parameter, _, proposer = trained(name, decay, steps)
    twin, ordinary, _ = trained(name, decay, steps)
    for gradient in gradients(5):
        update = proposed(proposer, parameter, gradient.unsqueeze(0))[0]
        proposer.take([parameter], [update], lambda _, gradient=gradient: gradient)
        twin.grad = gradient.clone()
        ordinary.step()
        torch.testing.assert_close(parameter, twin, rtol=0, atol=1e-12)


def before_and_after_the_root(name: str, moments: dict[str, torch.Tensor], gradient: torch.Tensor):
    """By hand: numerator and divisor of an update whose divisor has not seen the gradient."""
    if name == "adam":
        step = float(moments["step"])
        first = (0.9 * moments["exp_avg"] + 0.1 * gradient) / (1 - 0.9 ** (step + 1))
        return first, (moments["exp_avg_sq"] / (1 - 0.999**step)).sqrt() + 1e-8
    return gradient, moments["sum"].sqrt() + 1e-10 if name == "adagrad" else moments["square_avg"].sqrt() + 1e-8


@pytest.mark.parametrize("name", WITH_DIVISOR)
def test_a_delayed_divisor_has_not_seen_the_gradient(name):
    parameter, optimizer, proposer = trained(name, "none", 3)
    for gradient in gradients(3):
        numerator, divisor = before_and_after_the_root(name, optimizer.state[parameter], gradient)
        delayed = proposed(proposer, parameter, gradient.unsqueeze(0), delayed=True)[0]
        torch.testing.assert_close(delayed, numerator / divisor, rtol=1e-12, atol=0)
        assert not torch.allclose(delayed, proposed(proposer, parameter, gradient.unsqueeze(0))[0])


@pytest.mark.parametrize("name", WITH_DIVISOR)
def test_a_delayed_divisor_that_has_seen_nothing_is_the_present_one(name):
    parameter, _, proposer = trained(name, "none", 0)
    first = torch.ones(4, 3, dtype=torch.float64)
    first[0] = 0
    delayed, present = (proposed(proposer, parameter, gradients(2), delayed=delayed) for delayed in (True, False))
    torch.testing.assert_close(delayed, present, rtol=0, atol=0)
    proposer.commit(proposer.moments(parameter), parameter, first)
    delayed, present = (proposed(proposer, parameter, gradients(2), delayed=delayed) for delayed in (True, False))
    torch.testing.assert_close(delayed[:, 0], present[:, 0], rtol=1e-14, atol=0)
    assert (delayed[:, 1:] != present[:, 1:]).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("decay", DECAYS)
def test_proposals_change_nothing_and_do_not_see_each_other(name, decay):
    parameter, optimizer, proposer = trained(name, decay, 3)
    before = parameter.detach().clone(), copy.deepcopy(optimizer.state_dict())
    together = proposed(proposer, parameter, gradients(3))
    alone = torch.stack([proposed(proposer, parameter, gradient.unsqueeze(0))[0] for gradient in gradients(3)])
    torch.testing.assert_close(together, alone, rtol=0, atol=0)
    torch.testing.assert_close(parameter.detach(), before[0], rtol=0, atol=0)
    torch.testing.assert_close(optimizer.state_dict()["state"], before[1]["state"], rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_decoupled_decay_spares_the_moments(name):
    parameter, _, proposer = trained(name, "decoupled", 0)
    before = parameter.detach().clone()
    update = proposed(proposer, parameter, torch.zeros(1, 4, 3, dtype=torch.float64))[0]
    proposer.take([parameter], [update], lambda _: None)
    torch.testing.assert_close(parameter.detach(), before * (1 - 0.01 * 0.1), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_state_is_taken_back(name):
    parameter, optimizer, proposer = trained(name, "decoupled", 3)
    other, fresh, other_proposer = trained(name, "decoupled", 0)
    fresh.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    other_proposer.refresh()
    torch.testing.assert_close(
        proposed(other_proposer, other, gradients(2)), proposed(proposer, parameter, gradients(2)), rtol=0, atol=0
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_rate_is_the_one_that_the_groups_have(name):
    moved = []
    for factors in ((0.5,), (0.1, 0.5)):  # the last one counts, for ordinary steps and for taken updates alike
        parameter, optimizer, proposer = trained(name, "none", 2)
        for factor in factors:
            set_rate(optimizer, factor * 0.01)
            proposer.refresh()
        before = parameter.detach().clone()
        update = proposed(proposer, parameter, gradients(1))[0]
        proposer.take([parameter], [update], lambda _: None)
        torch.testing.assert_close(before - parameter.detach(), 0.5 * 0.01 * update)
        parameter.grad = gradients(1)[0]
        before = parameter.detach().clone()
        optimizer.step()
        torch.testing.assert_close(before - parameter.detach(), 0.5 * 0.01 * update)
        moved.append(parameter.detach())
    torch.testing.assert_close(*moved, rtol=0, atol=0)


@pytest.mark.parametrize("option", [{"decay": "decopled"}, {"weight_decay": -1.0}, {"lr": 0.0}, {"name": "sdg"}])
def test_impossible_options_are_refused(option):
    with pytest.raises(pydantic.ValidationError):
        OptimizerOptions(**option)
