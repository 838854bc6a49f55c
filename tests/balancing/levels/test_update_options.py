"""What PUB's text leaves open: each option's closed form, and that it does something."""

import numpy as np
import pytest
import torch
from torch.nn import Parameter

from building import a_level, an_optimizer
from entries import rule_class
from mtbalance.balancing.levels.update import SEEN
from mtbalance.balancing.rules import GramRule

FIRST, SECOND = torch.tensor([1.0, -2, 3], dtype=torch.float64), torch.tensor([4.0, 5, 6], dtype=torch.float64)


def update_level(parameters: list[Parameter], rule="nash", optimizer: str = "adam", **options):
    own = an_optimizer(parameters, optimizer, lr=0.1)
    rule = rule_class(rule)(2) if isinstance(rule, str) else rule
    return a_level("update", rule, own, **options), own


def zeros(count: int = 3) -> Parameter:
    return Parameter(torch.zeros(count, dtype=torch.float64))


def linear(parameter: Parameter) -> list[torch.Tensor]:
    return [parameter @ FIRST, parameter @ SECOND]


# --- preconditioner (D1)


@pytest.mark.parametrize(("preconditioner", "squares"), [("present", 36 * SEEN + 9), ("delayed", 36 * SEEN)])
def test_a_delayed_divisor_has_seen_the_steps_before_only(preconditioner, squares):
    """AdaGrad, g_k = 3: the divisor is the root of (3 + 3)^2 from each step before, plus 3^2 if present."""
    parameter = zeros(1)
    level, _ = update_level([parameter], "equal", "adagrad", preconditioner=preconditioner)
    for _ in range(SEEN + 1):
        before = parameter.item()
        level.step([3 * parameter[0], 3 * parameter[0]])
    np.testing.assert_allclose(before - parameter.item(), 0.1 * 2 * 3 / np.sqrt(squares), rtol=1e-8)


@pytest.mark.parametrize("manipulation", ["none", "clippy", "adatask"])
def test_every_manipulation_can_be_delayed(setting, manipulation):
    present, delayed = (
        setting("update", "nash", options={"manipulation": manipulation, "preconditioner": chosen})
        for chosen in ("present", "delayed")
    )
    for own in (present, delayed):
        own.step()
    torch.testing.assert_close(present.parameters(), delayed.parameters(), rtol=0, atol=0)  # nothing to be delayed yet
    for own in (present, delayed):
        own.step(SEEN + 5)
    assert not torch.allclose(present.parameters(), delayed.parameters(), rtol=0, atol=1e-6)


# --- moment_weights (D3 and D11)


@pytest.mark.parametrize(
    ("rescale", "moment_weights", "factor"),
    [
        ("sum_to_K", None, 1.0),
        ("sum_to_K", "rescaled", 1.0),
        ("sum_to_K", "solved", 0.5),
        ("sum_to_1", "rescaled", 0.5),
        ("sum_to_1", "ones", 1.0),
        ("none", "rescaled", 0.5),
    ],
)
def test_the_moments_see_the_weights_that_they_are_told_to(rescale, moment_weights, factor):
    """a = (1/2, 1/2) as solved. The second step, without a search, keeps both kinds of weights."""
    parameter = zeros()
    level, own = update_level([parameter], rescale=rescale, moment_weights=moment_weights, every=2)
    for mass in (0.1, 0.19):
        level.step(linear(parameter))
        moments = own.state[parameter]["exp_avg"]
        np.testing.assert_allclose(moments, mass * factor * np.array([5.0, 3, 9]), rtol=1e-6)


@pytest.mark.parametrize(
    ("moment_weights", "factor"), [(None, 1.0), ("ones", 1.0), ("rescaled", 0.5), ("solved", 0.25)]
)
def test_adatasks_moments_see_raw_gradients_unless_they_are_told_otherwise(moment_weights, factor):
    class Fixed(GramRule):
        def weights(self, gram, losses):
            return np.full(2, 0.25)

    parameter = zeros()
    level, _ = update_level(
        [parameter], Fixed(2), manipulation="adatask", rescale="sum_to_1", moment_weights=moment_weights
    )
    level.step(linear(parameter))
    moments = level.manipulation.moments[parameter]
    expected = factor * torch.stack([FIRST, SECOND])
    torch.testing.assert_close(moments["exp_avg"], 0.1 * expected)
    torch.testing.assert_close(moments["exp_avg_sq"], 0.001 * expected**2)


# --- gram_over (D4)


@pytest.mark.parametrize(("gram_over", "squares"), [("shared", (3, 3)), ("all", (5, 4))])
def test_the_release_counts_the_updates_of_a_tasks_own_parameters(gram_over, squares):
    """From zero moments every coordinate's update is 1: three shared ones, two of task 1 and one of task 2."""
    shared, one, two = zeros(), zeros(2), zeros(1)
    level, _ = update_level([shared, one, two], rescale="none", gram_over=gram_over)
    report = level.step([shared @ FIRST + one.sum(), shared @ SECOND - two.sum()])
    cosine = 1 / np.sqrt(squares[0] * squares[1])
    np.testing.assert_allclose(report.diagnostics["cosine"], cosine, rtol=1e-6)
    np.testing.assert_allclose(report.weights, 1 / np.sqrt(np.array(squares) * (1 + cosine)), rtol=1e-6)


def test_own_parameters_step_alike_whether_they_are_counted_or_not(setting):
    counted, plain = (setting("update", "nash", options={"gram_over": over}) for over in ("all", "shared"))
    for own in (counted, plain):
        own.step()
    for one, other in zip(counted.model.heads, plain.model.heads, strict=True):
        torch.testing.assert_close(one.weight, other.weight, rtol=0, atol=0)
    assert not torch.equal(counted.model.trunk.weight, plain.model.trunk.weight)


# --- first_search (D6)


def test_the_first_search_can_wait_and_tasks_weigh_the_same_until_then(setting):
    late = setting("update", "nash", options={"every": 4, "first_search": 2, "rescale": "sum_to_1"})
    equal = setting("update", "equal", options={"rescale": "sum_to_1"})
    reports = [late.step()]
    equal.step()
    torch.testing.assert_close(late.parameters(), equal.parameters(), rtol=0, atol=0)
    reports += [late.step() for _ in range(6)]
    assert [bool(report.diagnostics) for report in reports] == [False, True, False, False, False, True, False]
    np.testing.assert_array_equal(reports[0].weights, [0.5, 0.5])
    assert not np.array_equal(reports[1].weights, reports[0].weights)


def test_a_plain_first_step_is_the_optimizers_where_steps_between_searches_are(setting):
    """As in the release: one ordinary step of Adam on the summed loss, and then the first search."""
    late = setting("update", "nash", options={"every": 10, "first_search": 2, "between": "weighted_loss"})
    plain = setting("loss", "equal")
    late.step()
    plain.step()
    torch.testing.assert_close(late.parameters(), plain.parameters(), rtol=0, atol=1e-12)


# --- rescale (D2) where there is no scale


class Signed(GramRule):
    """Weights of both signs, as IMTL-G and Aligned-MTL may give from three tasks on."""

    given = np.array([1.0, -2.0])

    def weights(self, gram, losses):
        return self.given


@pytest.mark.parametrize("rescale", ["sum_to_K", "sum_to_1"])
@pytest.mark.parametrize("given", [(1.0, -2.0), (1.0, -1.0)])
def test_weights_without_a_positive_sum_stay_as_solved_and_are_counted(rescale, given):
    rule = Signed(2)
    rule.given = np.array(given)
    parameter = zeros()
    level, _ = update_level([parameter], rule, rescale=rescale)
    report = level.step(linear(parameter))
    np.testing.assert_array_equal(report.weights, given)
    assert report.diagnostics["unscaled"] == 1
    expected = -0.1 * (given[0] * FIRST.sign() + given[1] * SECOND.sign())
    torch.testing.assert_close(parameter.detach(), expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("rule", "rescale"),
    [("aligned_mtl", "sum_to_K"), ("aligned_mtl", "sum_to_1"), ("min_norm", "match_norm"), ("imtl_g", "match_norm")],
)
def test_opposed_updates_leave_the_parameters_where_they_are(rule, rescale):
    """Aligned-MTL's weights are then zero, and the others' joint update is: neither can be made longer."""
    parameter = zeros()
    level, _ = update_level([parameter], rule, rescale=rescale)
    report = level.step([parameter @ FIRST, -(parameter @ FIRST)])
    assert report.diagnostics["unscaled"] == 1 and np.isfinite(report.weights).all()
    torch.testing.assert_close(parameter.detach(), torch.zeros(3, dtype=torch.float64), rtol=0, atol=1e-9)


@pytest.mark.parametrize("rescale", ["sum_to_K", "sum_to_1", "match_norm", "none"])
def test_ordinary_searches_are_not_counted(rescale):
    level, _ = update_level([parameter := zeros()], rescale=rescale)
    assert level.step(linear(parameter)).diagnostics["unscaled"] == 0
