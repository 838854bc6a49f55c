"""PUB: the closed forms of its first steps, and its relation to Adam."""

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from mtbalance.levels import build_level
from mtbalance.optimizers import build_optimizer
from mtbalance.registry import load

FIRST, SECOND = torch.tensor([1.0, -2, 3], dtype=torch.float64), torch.tensor([4.0, 5, 6], dtype=torch.float64)


def pub(parameter: Parameter, rule: str = "nash", tasks: int = 2, **options):
    optimizer = build_optimizer([parameter], "adam", lr=0.1, weight_decay=0.0, decay="decoupled")
    level = build_level("update", load("mtbalance.rules", rule)(tasks), [parameter], optimizer, **options)
    return level, optimizer


def test_the_first_step_balances_signs():
    """From zero moments d_i = sign(g_i): cosine 1/3, so a = (1/2, 1/2) and the step is (1, 0, 1)."""
    parameter = Parameter(torch.zeros(3, dtype=torch.float64))
    level, optimizer = pub(parameter, rescale="none")
    report = level.step([parameter @ FIRST, parameter @ SECOND])
    np.testing.assert_allclose(report.weights, [0.5, 0.5], rtol=1e-6)
    np.testing.assert_allclose(report.diagnostics["cosine"], 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(parameter.detach(), [-0.1, 0, -0.1], atol=1e-8)
    state = optimizer.torch_optimizer.state[parameter]
    np.testing.assert_allclose(state["exp_avg"], 0.1 * np.array([2.5, 1.5, 4.5]), rtol=1e-6)
    np.testing.assert_allclose(state["exp_avg_sq"], 0.001 * np.array([6.25, 2.25, 20.25]), rtol=1e-6)


@pytest.mark.parametrize(("rescale", "total"), [("sum_to_K", 2.0), ("sum_to_1", 1.0)])
def test_rescaled_weights_have_the_sum_that_they_are_named_after(rescale, total):
    parameter = Parameter(torch.ones(3, dtype=torch.float64))
    level, _ = pub(parameter, rescale=rescale)
    report = level.step([parameter @ FIRST, (parameter @ SECOND) ** 2])
    np.testing.assert_allclose(report.weights.sum(), total)


def test_match_norm_makes_the_step_as_long_as_the_sum_of_updates():
    parameter = Parameter(torch.zeros(3, dtype=torch.float64))
    level, _ = pub(parameter, rescale="match_norm")
    report = level.step([parameter @ FIRST, parameter @ SECOND])
    np.testing.assert_allclose(report.diagnostics["joint_norm"], np.sqrt(8), rtol=1e-6)  # |sign + sign| = |(2, 0, 2)|


def test_one_task_is_adam():
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(20, generator=generator, dtype=torch.float64)
    targets = torch.randn(50, 20, generator=generator, dtype=torch.float64)
    own, reference = Parameter(start.clone()), Parameter(start.clone())
    level, _ = pub(own, tasks=1)
    adam = torch.optim.Adam([reference], lr=0.1)
    for target in targets:
        level.step([((own - target) ** 2).sum()])
        adam.zero_grad()
        ((reference - target) ** 2).sum().backward()
        adam.step()
    torch.testing.assert_close(own, reference, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("rescale", "factor"), [("sum_to_1", 1.0), ("sum_to_K", 2.0)])
def test_equal_tasks_step_like_adam_and_k_times_as_far_with_sum_to_k(rescale, factor):
    """The first step with g_1 = g_2: what makes PUB's step longer than Adam's is the scale of its weights."""
    own, reference = Parameter(torch.zeros(3, dtype=torch.float64)), Parameter(torch.zeros(3, dtype=torch.float64))
    level, _ = pub(own, rescale=rescale)
    level.step([own @ FIRST, own @ FIRST])
    adam = torch.optim.Adam([reference], lr=0.1)
    (reference @ FIRST).backward()
    adam.step()
    torch.testing.assert_close(own.detach(), factor * reference.detach(), rtol=0, atol=1e-12)


def test_equal_tasks_with_weights_that_sum_to_one_stay_on_adam():
    own, reference = Parameter(torch.ones(3, dtype=torch.float64)), Parameter(torch.ones(3, dtype=torch.float64))
    level, _ = pub(own, rescale="sum_to_1")
    adam = torch.optim.Adam([reference], lr=0.1)
    for _ in range(30):
        level.step([(own @ FIRST) ** 2, (own @ FIRST) ** 2])
        adam.zero_grad()
        ((reference @ FIRST) ** 2).backward()
        adam.step()
    torch.testing.assert_close(own, reference, rtol=0, atol=1e-12)


def test_appended_zero_coordinates_change_nothing():
    short, long = Parameter(torch.zeros(3, dtype=torch.float64)), Parameter(torch.zeros(5, dtype=torch.float64))
    for parameter in (short, long):
        level, _ = pub(parameter)
        for _ in range(5):
            level.step([parameter[:3] @ FIRST, ((parameter[:3] - 1) @ SECOND) ** 2])
    torch.testing.assert_close(long[:3].detach(), short.detach(), rtol=0, atol=1e-12)


def test_own_parameters_take_an_ordinary_step_on_their_own_gradient(setting):
    own, plain = setting("update", "nash"), setting("loss", "equal")
    before = own.model.heads[0].weight.detach().clone()
    own.step()
    plain.step()
    torch.testing.assert_close(own.model.heads[0].weight, plain.model.heads[0].weight, rtol=0, atol=1e-12)
    assert not torch.equal(own.model.heads[0].weight, before)
