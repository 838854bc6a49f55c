import numpy as np
import pytest
import torch

from mtbalance.studies.toy import SMALLEST, evaluate, loss
from mtbalance.studies.toy_methods import STARTS

AT_STARTS = [(6.552, 7.901), (0.0, 0.0), (7.944, 6.691), (0.389, -4.754), (-8.831, 2.814)]


def as_printed(theta: torch.Tensor, task: int) -> torch.Tensor:
    """The definition in torch, term by term."""
    x1, x2 = theta
    arguments = (0.5 * (-x1 - 7) - torch.tanh(-x2), 0.5 * (-x1 + 3) + torch.tanh(-x2) + 2)
    bowls = tuple(((-x1 + center) ** 2 + 0.1 * (-x2 - 8) ** 2) / 10 - 20 for center in (7, -7))
    above, below = torch.tanh(0.5 * x2).clamp(0), torch.tanh(-0.5 * x2).clamp(0)
    return (arguments[task].abs().clamp(SMALLEST).log() + 6) * above + bowls[task] * below


def gradient(function, point, *options) -> list[float]:
    theta = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(function(theta, *options), theta)[0].tolist()


@pytest.mark.parametrize(("start", "expected"), list(zip(STARTS, AT_STARTS, strict=True)))
def test_losses_at_the_starts_are_those_tabulated(start, expected):
    assert [float(evaluate(np.array(start), task)[0]) for task in (0, 1)] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("task", [0, 1])
def test_value_and_gradient_are_those_of_the_definition(task):
    for point in (*STARTS, (-5.2, 0.3), (3.0, 1e-9), (7.0, -8.4), (-7.0, 0.0), (4.0, 0.0), (8.0, -0.0)):
        expected = as_printed(torch.tensor(point, dtype=torch.float64), task)
        assert float(loss(torch.tensor(point, dtype=torch.float64), task)) == pytest.approx(float(expected), abs=1e-12)
        assert gradient(loss, point, task) == pytest.approx(gradient(as_printed, point, task), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("task", [0, 1])
def test_the_gradient_is_the_slope(task):
    points = np.random.default_rng(0).uniform(-9, 9, (2, 200))
    _, slopes = evaluate(points, task)
    for axis, step in enumerate(1e-6 * np.eye(2)):
        rise = evaluate(points + step[:, None], task)[0] - evaluate(points - step[:, None], task)[0]
        np.testing.assert_allclose(slopes[axis], rise / 2e-6, rtol=1e-5, atol=1e-6)


def test_tasks_are_mirror_images():
    points = np.random.default_rng(0).uniform(-9, 9, (2, 50))
    np.testing.assert_allclose(evaluate(points, 0)[0], evaluate(points * [[-1], [1]], 1)[0], rtol=0, atol=1e-12)


def test_scale_multiplies_the_first_task_only():
    point = torch.tensor([-7.5, -0.5], dtype=torch.float64)
    assert float(loss(point, 0, 0.1)) == pytest.approx(0.1 * float(loss(point, 0)))
    assert float(loss(point, 1, 0.1)) == float(loss(point, 1))
    assert gradient(loss, point.tolist(), 0, 0.1) == pytest.approx(
        [0.1 * part for part in gradient(loss, point.tolist(), 0)]
    )


def test_at_the_kink_the_gradient_is_the_sum_of_both_sides():
    """Half the difference of log(3.5) + 6 and 5.54 - 20, downhill for both tasks, so that (0, 0) is left downwards."""
    for task in (0, 1):
        assert gradient(loss, (0.0, 0.0), task) == pytest.approx([0.0, (np.log(3.5) + 6 + 14.46) / 2])


def test_where_the_logarithm_is_cut_its_gradient_is_zero():
    """x1 = -7 + 2 tanh 5 makes the argument of f_1 vanish (up to rounding); what is left is the slope of c_1."""
    point = (-7 + 2 * np.tanh(5.0), 5.0)
    steering = (np.log(SMALLEST) + 6) * (1 - np.tanh(2.5) ** 2) / 2
    assert gradient(loss, point, 0) == pytest.approx([0.0, steering])
    assert float(evaluate(np.array(point), 0)[0]) == pytest.approx((np.log(SMALLEST) + 6) * np.tanh(2.5))
