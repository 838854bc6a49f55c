import numpy as np
import pytest
import torch
from torch.nn import Parameter

from building import a_manipulation, a_proposer, told
from mtbalance.balancing.manipulations.clippy import clip_factors


@pytest.mark.parametrize(
    ("step", "theta", "relative", "absolute", "factor"),
    [
        ([2.0], [4.0], 0.1, 0.02, 0.21),
        ([1.0, 1.0], [1.0, 0.1], 0.1, 0.01, 0.02),
        ([0.0, 1.0], [0.0, 100.0], 0.1, 0.0, 1.0),  # what does not move does not limit
        ([1.0, 1.0], [0.0, 100.0], 0.1, 0.0, 0.0),  # what may not move stops the tensor
        ([-2.0], [-4.0], 0.1, 0.02, 0.21),
        ([], [], 0.1, 0.1, 1.0),
    ],
)
def test_factors_by_hand(step, theta, relative, absolute, factor):
    found = clip_factors(torch.tensor([step]), relative * torch.tensor(theta).abs() + absolute)
    np.testing.assert_allclose(found, [factor], rtol=1e-6)


def test_no_coordinate_moves_further_than_allowed_and_one_moves_so_far():
    generator = torch.Generator().manual_seed(0)
    parameter = Parameter(torch.randn(8, 5, generator=generator))
    proposer = a_proposer([parameter], lr=1.0)
    clippy = a_manipulation("clippy", proposer, clip={"relative": 0.1, "absolute": 0.01})
    (updates,) = clippy.propose([parameter], [torch.randn(3, 8, 5, generator=generator)])
    shares = updates.abs() / (0.1 * parameter.detach().abs() + 0.01)
    np.testing.assert_allclose(shares.flatten(1).amax(dim=1), 1, rtol=1e-5)
    assert told(clippy) == {"clip_rate": 1.0}


@pytest.mark.parametrize(("lr", "largest"), [(1.0, 1.2), (0.5, 1.4)])
def test_the_defaults_allow_a_tenth_and_the_present_learning_rate(lr, largest):
    """From zero moments RMSProp's step is 10 lr. Allowed are lr at theta 0, and 0.2 + lr at theta -2."""
    parameter = Parameter(torch.tensor([0.0, -2.0], dtype=torch.float64))
    proposer = a_proposer([parameter], "rmsprop", lr=1.0)
    clippy = a_manipulation("clippy", proposer)
    proposer.optimizer.param_groups[0]["lr"] = lr  # as a schedule does
    proposer.refresh()
    (updates,) = clippy.propose([parameter], [torch.tensor([[3.0, -1], [0, 5]], dtype=torch.float64)])
    np.testing.assert_allclose(updates, [[1, -1], [0, largest]], rtol=1e-6)
    assert told(clippy) == {"clip_rate": 1.0}


def test_the_defaults_clip_no_step_of_adam_while_gradients_stay_the_same():
    parameter = Parameter(torch.zeros(3, dtype=torch.float64))
    proposer = a_proposer([parameter], lr=1e-3)
    clippy = a_manipulation("clippy", proposer)
    gradient = torch.tensor([[3.0, -1e-3, 0]], dtype=torch.float64)
    for _ in range(300):
        torch.testing.assert_close(clippy.propose([parameter], [gradient]), proposer.propose([parameter], [gradient]))
        proposer.commit(proposer.moments(parameter), parameter, clippy.commit(parameter, gradient, np.ones(1)))
    assert told(clippy) == {"clip_rate": 0.0}
    (jump,) = clippy.propose([parameter], [100 * gradient])
    assert float(jump.abs().max()) == pytest.approx(1) and told(clippy) == {"clip_rate": 1.0}


def test_without_a_limit_it_is_the_optimizer():
    generator = torch.Generator().manual_seed(0)
    parameter, gradients = Parameter(torch.randn(4, generator=generator)), torch.randn(2, 4, generator=generator)
    proposer = a_proposer([parameter], lr=1.0)
    clippy = a_manipulation("clippy", proposer, clip={"relative": 1e9, "absolute": 1e9})
    torch.testing.assert_close(clippy.propose([parameter], [gradients]), proposer.propose([parameter], [gradients]))
    assert told(clippy) == {"clip_rate": 0.0}


def test_the_released_settings_never_clip_adam_at_its_usual_rate():
    """|m / sqrt(v)| <= 7.2703 for any gradients, so a step at lr 1e-3 stays below absolute = 0.01."""
    parameter = Parameter(torch.zeros(1, dtype=torch.float64))
    proposer = a_proposer([parameter], lr=1e-3)
    clippy = a_manipulation("clippy", proposer, clip={"relative": 0.5, "absolute": 0.01})
    worst = 0.0
    for power in range(400):  # growing geometrically is close to the worst sequence there is
        gradient = torch.full((1, 1), 1.11**power, dtype=torch.float64)
        worst = max(worst, float(clippy.propose([parameter], [gradient])[0].abs()))
        seen = clippy.commit(parameter, gradient, np.ones(1))
        proposer.commit(proposer.moments(parameter), parameter, seen)
    assert 2 < worst < 7.2703 and told(clippy) == {"clip_rate": 0.0}
