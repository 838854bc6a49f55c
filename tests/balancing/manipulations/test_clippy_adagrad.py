"""Clippy in its original form: AdaGrad with a delayed accumulator that begins at 0.1 (Tang et al. 2023)."""

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from building import a_manipulation, a_proposer, told
from mtbalance import Balancer

ROOT = float(np.sqrt(0.1 + 1e-7))
"""Of the accumulator that has seen nothing: lr 1 and a gradient of ROOT times x are a step of x."""


def clippy(theta, lr: float = 1.0, **options):
    parameter = Parameter(torch.tensor(theta, dtype=torch.float64))
    proposer = a_proposer([parameter], "adagrad", lr=lr)
    preconditioner = options.pop("preconditioner", None)
    return parameter, proposer, a_manipulation("clippy", proposer, clip=options, preconditioner=preconditioner)


def proposed(theta, steps, **options) -> torch.Tensor:
    """sigma Delta of one task whose unclipped step from a fresh accumulator is ``steps``."""
    parameter, _, own = clippy(theta, **options)
    return updates(own, parameter, ROOT * torch.tensor([steps], dtype=torch.float64))[0]


def updates(own, parameter, gradients) -> torch.Tensor:
    (found,) = own.propose([parameter], [gradients])
    return found


@pytest.mark.parametrize(
    ("steps", "theta", "options", "expected"),
    [
        ([2.0], [4.0], {"relative": 0.1, "absolute": 0.02}, [0.42]),  # sigma .21
        ([1.0, 1.0], [1.0, 0.1], {"relative": 0.1, "absolute": 0.01}, [0.02, 0.02]),  # sigma .02
        ([0.0, 1.0], [0.0, 100.0], {"relative": 0.1, "absolute": 0.0}, [0.0, 1.0]),  # what does not move: no limit
        ([1.0, 1.0], [0.0, 100.0], {"relative": 0.1, "absolute": 0.0}, [0.0, 0.0]),  # nothing allowed: sigma 0
        ([-2.0], [0.0], {"relative": 0.0, "absolute": 0.0, "accumulator": 0.5}, [-0.5 / ROOT]),
        ([2.0], [4.0], {"relative": 0.1, "absolute": 0.02, "accumulator": 0.1}, [0.42 + 0.1 / ROOT]),
        ([3.0], [0.0], {}, [1e-7]),  # the authors' absolute
        ([3.0], [2.0], {}, [0.2 + 1e-7]),  # and relative
    ],
)
def test_first_steps_by_hand(steps, theta, options, expected):
    np.testing.assert_allclose(proposed(theta, steps, **options), expected, rtol=1e-8)


def test_without_a_limit_it_is_delayed_adagrad():
    """theta <- theta - lr g / sqrt(v + eps), and only then v <- v + g^2."""
    parameter, proposer, own = clippy([1.0, -2.0, 0.5], lr=0.3, relative=1e12)
    theta, total = parameter.detach().clone(), torch.full((3,), 0.1, dtype=torch.float64)
    for gradient in torch.randn(10, 3, dtype=torch.float64):
        update = updates(own, parameter, gradient.unsqueeze(0))[0]
        seen = own.commit(parameter, gradient.unsqueeze(0), np.ones(1))
        proposer.take([parameter], [update], lambda _, seen=seen: seen)
        theta -= 0.3 * gradient / (total + 1e-7).sqrt()
        total += gradient**2
        torch.testing.assert_close(parameter.detach(), theta, rtol=1e-8, atol=0)
    assert told(own) == {"clip_rate": 0.0}


def test_the_standard_order_has_seen_the_gradient():
    parameter, _, own = clippy([1.0], preconditioner="present", relative=1e12)
    gradient = torch.tensor([[2.0]], dtype=torch.float64)
    np.testing.assert_allclose(updates(own, parameter, gradient)[0], 2 / np.sqrt(4.1 + 1e-7), rtol=1e-8)


def test_an_accumulator_can_begin_elsewhere():
    parameter, _, own = clippy([1.0], initial_accumulator=4.0, relative=1e12)
    np.testing.assert_allclose(updates(own, parameter, torch.ones(1, 1, dtype=torch.float64))[0], 0.5, rtol=1e-7)


@pytest.mark.parametrize("accumulator", [0.0, 1e-3])
def test_no_coordinate_moves_further_than_allowed_and_the_clip_rate_is_told(accumulator):
    parameter, proposer, own = clippy(torch.randn(6, 4).tolist(), lr=0.05, absolute=1e-3, accumulator=accumulator)
    clipped = 0
    for gradients in torch.randn(20, 3, 6, 4, dtype=torch.float64) * torch.logspace(-3, 1, 20).view(-1, 1, 1, 1):
        seen = proposer.moments(parameter)["sum"] + 0.1
        allowed = 0.1 * parameter.detach().abs() + 1e-3 + accumulator / seen.sqrt()
        steps = 0.05 * updates(own, parameter, gradients)
        assert (steps.abs() <= allowed * (1 + 1e-12)).all()
        free = 0.05 * gradients / (seen + 1e-7).sqrt()
        clipped += int(((free.abs() > allowed).flatten(1).any(dim=1)).sum())
        seen = own.commit(parameter, gradients, np.ones(3))
        proposer.take([parameter], [steps[0] / 0.05], lambda _, seen=seen: seen)
    assert 0 < clipped < 60 and told(own) == {"clip_rate": clipped / 60}


def test_an_empty_tensor_is_left_alone():
    parameter, _, own = clippy([])
    assert updates(own, parameter, torch.zeros(2, 0, dtype=torch.float64)).shape == (2, 0)
    assert told(own) == {"clip_rate": 0.0}


# --- at its two levels


def trained(level: str, steps: int, **clip):
    theta = Parameter(torch.tensor([4.0, -1.0], dtype=torch.float64))
    optimizer = torch.optim.Adagrad([theta], lr=1.0)
    balancer = Balancer(optimizer, tasks=2, level=level, rule="equal", manipulation="clippy", clip=clip)
    for _ in range(steps):
        report = balancer.step([ROOT * theta[0] * 2.0, ROOT * theta[1] * 0.5])
    return theta.detach(), report, balancer


def test_at_the_loss_level_the_joint_update_is_clipped():
    """The step (2, .5) on (4, -1) may be (.42, .12): sigma .21 for both coordinates."""
    theta, report, balancer = trained("loss", 1, relative=0.1, absolute=0.02)
    np.testing.assert_allclose(theta, [4 - 0.42, -1 - 0.105], rtol=1e-8)
    assert report.diagnostics["clip_rate"] == 1.0
    (state,) = balancer.state_dict()["optimizer"]["state"].values()
    np.testing.assert_allclose(state["sum"], 0.1 * np.array([4, 0.25]), rtol=1e-6)  # what is added is not clipped


def test_at_the_update_level_each_tasks_update_is():
    """Task 1 moves the first coordinate by 2, of which .21 is left; task 2 the second by .5, of which .24 is."""
    theta, report, _ = trained("update", 1, relative=0.1, absolute=0.02)
    np.testing.assert_allclose(theta, [4 - 0.42, -1 - 0.12], rtol=1e-8)
    assert report.diagnostics["clip_rate"] == 1.0


@pytest.mark.parametrize("level", ["loss", "update"])
def test_the_authors_values_clip_and_train(level):
    """At lr 1, the paper's form, on a quadratic: far steps are cut to a tenth of the parameter."""
    theta = Parameter(torch.tensor([3.0, -2.0], dtype=torch.float64))
    optimizer = torch.optim.Adagrad([theta], lr=1.0)
    balancer = Balancer(optimizer, tasks=2, level=level, rule="equal", manipulation="clippy")
    losses = []
    for _ in range(60):
        report = balancer.step([((theta - target) ** 2).sum() for target in (1.0, -1.0)])
        losses.append((report.losses.sum(), report.diagnostics["clip_rate"]))
    assert losses[0][1] == 1.0 and losses[-1][0] < 0.5 * losses[0][0]
