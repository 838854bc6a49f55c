"""A task without a label in a batch has a loss of 0 and no gradient: every balancer goes on."""

import numpy as np
import pytest
import torch
from torch import nn

from entries import rule_class
from mtbalance.balancing.balancer import Balancer
from mtbalance.balancing.losses import without_zeros
from mtbalance.balancing.options import LEVELS
from mtbalance.registry import available

RULES = [name for name in available("mtbalance.balancing.rules") if name != "torchjd"]
PAIRS = [(level, rule) for rule in RULES for level in LEVELS if level in rule_class(rule).levels]
TARGETS = torch.randn(6, 3, 8, generator=torch.Generator().manual_seed(1))


def losses_of(model, balancer, step):
    """Three squared errors; the second task has no label in steps 0, 3 and 4."""
    inputs = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
    forks = balancer.fork(model["trunk"](inputs))
    losses = [
        (head(fork).squeeze(1) - target).square().mean()
        for head, fork, target in zip(model["heads"], forks, TARGETS[step], strict=True)
    ]
    return [losses[0], losses[1] * 0 if step in (0, 3, 4) else losses[1], losses[2]]


def trained(level, rule, steps=6):
    torch.manual_seed(0)
    model = nn.ModuleDict({"trunk": nn.Linear(4, 5), "heads": nn.ModuleList(nn.Linear(5, 1) for _ in range(3))})
    balancer = Balancer(torch.optim.Adam(model.parameters()), 3, level=level, rule=rule)
    reports = []
    for step in range(steps):
        again = lambda step=step: losses_of(model, balancer, step)  # noqa: E731
        reports.append(balancer.step(losses_of(model, balancer, step), again=again))
    return model, balancer, reports


@pytest.mark.parametrize(("level", "rule"), PAIRS)
def test_every_balancer_goes_on(level, rule):
    model, _, reports = trained(level, rule)
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())
    assert all(np.isfinite(report.weights).all() for report in reports)
    assert [report.losses[1] == 0 for report in reports] == [True, False, False, True, True, False]


@pytest.mark.parametrize("rule", ["scale_invariant", "gls", "famo"])
def test_a_rule_sees_the_last_loss_in_the_place_of_a_zero(rule):
    *_, reports = trained("loss", rule)
    before, without = reports[2], reports[3]
    shares = [report.weights * np.where(report.losses == 0, before.losses, report.losses) for report in reports[2:4]]
    if rule != "famo":  # it moves its own weights between steps
        assert shares[0] / shares[0][0] == pytest.approx(shares[1] / shares[1][0])
    assert without.weights[1] < 10 * before.weights[1]


def test_famo_takes_no_change_from_a_task_without_a_label():
    _, balancer, _ = trained("loss", "famo", steps=3)
    rule, seen = balancer.level.rule, []
    observe = rule.observe
    rule.observe = lambda losses: (seen.append(losses[1] - rule.margins[1]), observe(losses))
    model, _, _ = trained("loss", "famo", steps=0)
    balancer.step(losses_of(model, balancer, 3), again=lambda: losses_of(model, balancer, 3))
    assert seen[0] == pytest.approx(0, abs=1e-6)


def test_the_first_step_has_the_mean_of_the_others():
    np.testing.assert_array_equal(without_zeros(np.array([1.0, 0.0, 3.0]), None), [1, 2, 3])
    np.testing.assert_array_equal(without_zeros(np.zeros(2), None), [1, 1])
    np.testing.assert_array_equal(without_zeros(np.array([1.0, 0.0]), np.array([5.0, 6.0])), [1, 6])


def test_what_was_seen_is_kept_with_the_state():
    _, balancer, _ = trained("loss", "scale_invariant", steps=3)
    _, other, _ = trained("loss", "scale_invariant", steps=0)
    other.load_state_dict(balancer.state_dict())
    assert other.level._seen.tolist() == balancer.level._seen.tolist()
