"""What every optimizer must hold: a proposal is what the torch optimizer would have done."""

import copy

import pytest
import torch
from torch.nn import Parameter

from building import an_optimizer
from mtbalance.balancing.optimizers import Optimizer
from mtbalance.registry import available

NAMES = available("mtbalance.balancing.optimizers")
WITH_DIVISOR = ["adagrad", "adam", "rmsprop"]
"""Those whose delayed divisor is worked out by hand below."""
DECAYS = {
    "none": {"weight_decay": 0.0, "decay": "decoupled"},
    "decoupled": {"weight_decay": 0.1, "decay": "decoupled"},
    "coupled": {"weight_decay": 0.1, "decay": "coupled"},
}


def trained(name: str, decay: str, steps: int) -> tuple[Parameter, Optimizer]:
    """A parameter after some steps, and its optimizer."""
    generator = torch.Generator().manual_seed(1)
    parameter = Parameter(torch.randn(4, 3, generator=generator, dtype=torch.float64))
    optimizer = an_optimizer([parameter], name, lr=0.01, **DECAYS[decay])
    for _ in range(steps):
        parameter.grad = torch.randn(4, 3, generator=generator, dtype=torch.float64)
        optimizer.step()
    return parameter, optimizer


def gradients(count: int) -> torch.Tensor:
    return torch.randn(count, 4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("steps", [0, 3])
def test_propose_apply_commit_is_the_torch_step(name, decay, steps):
    parameter, optimizer = trained(name, decay, steps)
    twin, ordinary = trained(name, decay, steps)
    for gradient in gradients(5):
        update = optimizer.propose(parameter, gradient.unsqueeze(0))[0]
        optimizer.commit(parameter, gradient)
        optimizer.apply(parameter, update)
        twin.grad = gradient.clone()
        ordinary.step()
        torch.testing.assert_close(parameter, twin, rtol=0, atol=1e-12)


def before_and_after_the_root(name: str, optimizer: Optimizer, parameter: Parameter, gradient: torch.Tensor):
    """By hand: numerator and divisor of an update whose divisor has not seen the gradient."""
    state = optimizer.torch_optimizer.state[parameter]
    if name == "adam":
        step = float(state["step"])
        first = (0.9 * state["exp_avg"] + 0.1 * gradient) / (1 - 0.9 ** (step + 1))
        return first, (state["exp_avg_sq"] / (1 - 0.999**step)).sqrt() + 1e-8
    return gradient, state["sum"].sqrt() + 1e-10 if name == "adagrad" else state["square_avg"].sqrt() + 1e-8


@pytest.mark.parametrize("name", WITH_DIVISOR)
def test_a_delayed_divisor_has_not_seen_the_gradient(name):
    parameter, optimizer = trained(name, "none", 3)
    for gradient in gradients(3):
        numerator, divisor = before_and_after_the_root(name, optimizer, parameter, gradient)
        delayed = optimizer.propose(parameter, gradient.unsqueeze(0), delayed=True)[0]
        torch.testing.assert_close(delayed, numerator / divisor, rtol=1e-12, atol=0)
        assert not torch.allclose(delayed, optimizer.propose(parameter, gradient.unsqueeze(0))[0])


@pytest.mark.parametrize("name", WITH_DIVISOR)
def test_a_delayed_divisor_that_has_seen_nothing_is_the_present_one(name):
    parameter, optimizer = trained(name, "none", 0)
    first = torch.ones(4, 3, dtype=torch.float64)
    first[0] = 0
    torch.testing.assert_close(
        optimizer.propose(parameter, gradients(2), delayed=True),
        optimizer.propose(parameter, gradients(2)),
        rtol=0,
        atol=0,
    )
    optimizer.commit(parameter, first)
    delayed, present = (optimizer.propose(parameter, gradients(2), delayed=delayed) for delayed in (True, False))
    torch.testing.assert_close(delayed[:, 0], present[:, 0], rtol=0, atol=0)
    assert (delayed[:, 1:] != present[:, 1:]).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("decay", DECAYS)
def test_proposals_change_nothing_and_do_not_see_each_other(name, decay):
    parameter, optimizer = trained(name, decay, 3)
    before = parameter.detach().clone(), copy.deepcopy(optimizer.state_dict())
    together = optimizer.propose(parameter, gradients(3))
    alone = torch.stack([optimizer.propose(parameter, gradient.unsqueeze(0))[0] for gradient in gradients(3)])
    torch.testing.assert_close(together, alone, rtol=0, atol=0)
    torch.testing.assert_close(parameter.detach(), before[0], rtol=0, atol=0)
    torch.testing.assert_close(optimizer.state_dict()["state"], before[1]["state"], rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_decoupled_decay_spares_the_moments(name):
    parameter, optimizer = trained(name, "decoupled", 0)
    before = parameter.detach().clone()
    optimizer.apply(parameter, optimizer.propose(parameter, torch.zeros(1, 4, 3, dtype=torch.float64))[0])
    torch.testing.assert_close(parameter.detach(), before * (1 - 0.01 * 0.1), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_state_is_taken_back(name):
    parameter, optimizer = trained(name, "decoupled", 3)
    other, fresh = trained(name, "decoupled", 0)
    fresh.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    torch.testing.assert_close(
        fresh.propose(other, gradients(2)), optimizer.propose(parameter, gradients(2)), rtol=0, atol=0
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_rate_is_scaled_from_what_it_was_made_with(name):
    moved = []
    for factors in ((0.5,), (0.1, 0.5)):  # the last one counts, for ordinary steps and for applied updates alike
        parameter, optimizer = trained(name, "none", 2)
        for factor in factors:
            optimizer.scale_rate(factor)
        before = parameter.detach().clone()
        update = optimizer.propose(parameter, gradients(1))[0]
        optimizer.apply(parameter, update)
        torch.testing.assert_close(before - parameter.detach(), 0.5 * 0.01 * update)
        parameter.grad = gradients(1)[0]
        optimizer.step()
        moved.append(parameter.detach())
    torch.testing.assert_close(*moved, rtol=0, atol=0)
