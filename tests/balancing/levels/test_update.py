"""PUB: the closed forms of its first steps, and its relation to Adam."""

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from building import a_level, an_optimizer
from entries import rule_class
from mtbalance.balancing.proposals import build_proposer

FIRST, SECOND = torch.tensor([1.0, -2, 3], dtype=torch.float64), torch.tensor([4.0, 5, 6], dtype=torch.float64)


def pub(parameter: Parameter, rule: str = "nash", tasks: int = 2, optimizer: str = "adam", **options):
    optimizer = an_optimizer([parameter], optimizer, lr=0.1)
    level = a_level("update", rule_class(rule)(tasks), optimizer, **options)
    return level, optimizer


@pytest.mark.parametrize(
    ("optimizer", "weight", "moments"),
    [
        ("adam", 0.5, {"exp_avg": 0.1, "exp_avg_sq": 0.001}),
        ("adagrad", 0.5, {"sum": 1.0}),
        ("rmsprop", 0.05, {"square_avg": 0.01}),  # d_i = sign(g_i) / sqrt(1 - b) = 10 sign(g_i)
    ],
)
def test_the_first_step_balances_signs(optimizer, weight, moments):
    """From zero moments d_i is along sign(g_i): cosine 1/3, so a = (1/2, 1/2) on signs, and the step is (1, 0, 1)."""
    parameter = Parameter(torch.zeros(3, dtype=torch.float64))
    level, own = pub(parameter, rescale="none", optimizer=optimizer)
    report = level.step([parameter @ FIRST, parameter @ SECOND])
    np.testing.assert_allclose(report.weights, [weight, weight], rtol=1e-6)
    np.testing.assert_allclose(report.diagnostics["cosine"], 1 / 3, rtol=1e-6)
    np.testing.assert_allclose(parameter.detach(), [-0.1, 0, -0.1], atol=1e-8)
    seen = weight * np.array([5.0, 3, 9])
    for name, factor in moments.items():
        expected = factor * (seen if name == "exp_avg" else seen**2)
        np.testing.assert_allclose(own.state[parameter][name], expected, rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "rmsprop"])
def test_two_tasks_have_the_closed_form_at_every_search(optimizer):
    """a_i = 1 / (|d_i| sqrt(1 + rho)), of updates from moments that have a past; then |D a| = sqrt(2)."""
    parameter = Parameter(torch.ones(3, dtype=torch.float64))
    level, own = pub(parameter, rescale="none", optimizer=optimizer)
    for _ in range(4):
        losses = [parameter @ FIRST, ((parameter - 1.5) @ SECOND) ** 2]
        gradients = torch.stack([torch.autograd.grad(loss, parameter, retain_graph=True)[0] for loss in losses])
        updates = build_proposer(own).propose([parameter], [gradients])[0]
        norms = updates.norm(dim=1)
        cosine = updates[0] @ updates[1] / norms.prod()
        report = level.step(losses)
        np.testing.assert_allclose(report.weights, 1 / (norms * (1 + cosine).sqrt()), rtol=1e-9)
        np.testing.assert_allclose(report.diagnostics["joint_norm"], np.sqrt(2), rtol=1e-9)


def test_permuting_the_tasks_permutes_the_weights():
    """Three tasks, where the weights come from Newton's method; the parameters go the same way."""
    third = torch.tensor([-3.0, 1, 0.5], dtype=torch.float64)
    reports = {}
    for order in ((0, 1, 2), (2, 0, 1)):
        parameter = Parameter(torch.ones(3, dtype=torch.float64))
        level, _ = pub(parameter, tasks=3)
        for _ in range(5):
            losses = [parameter @ FIRST, ((parameter - 1) @ SECOND) ** 2, parameter @ third]
            report = level.step([losses[task] for task in order])
        reports[order] = report.weights, parameter.detach()
    one, other = reports.values()
    np.testing.assert_allclose(other[0], one[0][[2, 0, 1]], rtol=1e-9)
    torch.testing.assert_close(other[1], one[1], rtol=0, atol=1e-12)
    assert np.ptp(one[0]) > 0.01


def test_scaling_a_loss_changes_updates_from_the_second_step_on():
    """Joint moments: the first step does not see the scale (signs), later ones do (with AdaTask none does)."""
    paths = []
    for scale in (1.0, 100.0):
        parameter = Parameter(torch.ones(3, dtype=torch.float64))
        level, _ = pub(parameter)
        path = []
        for _ in range(2):
            level.step([((parameter - 2) @ FIRST) ** 2, scale * ((parameter + 1) @ SECOND) ** 2])
            path.append(parameter.detach().clone())
        paths.append(path)
    torch.testing.assert_close(paths[0][0], paths[1][0], rtol=0, atol=1e-8)
    assert (paths[0][1] - paths[1][1]).abs().max() > 1e-3


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_clippy_without_a_limit_is_pub(setting, optimizer):
    limitless = {"manipulation": "clippy", "clip": {"relative": 1e9, "absolute": 1e9}}
    own, plain = (setting("update", "nash", options=chosen, optimizer=optimizer) for chosen in (limitless, {}))
    own.step(10)
    plain.step(10)
    torch.testing.assert_close(own.parameters(), plain.parameters(), rtol=0, atol=0)


@pytest.mark.parametrize(("steps", "every", "searches"), [(10, 4, 3), (8, 4, 2), (9, 4, 3), (5, 1, 5), (3, 10, 1)])
def test_t_steps_have_t_over_n_searches_rounded_up(setting, steps, every, searches):
    own = setting("update", "nash", options={"every": every})
    reports = [own.step() for _ in range(steps)]
    assert sum(bool(report.diagnostics) for report in reports) == searches
    assert len({report.weights.tobytes() for report in reports}) == searches


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
