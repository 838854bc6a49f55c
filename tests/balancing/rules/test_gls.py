import numpy as np
import pytest
import torch

from mtbalance.balancing.rules.gls import GLS
from mtbalance.balancing.rules.scale_invariant import ScaleInvariant


def test_by_hand():
    np.testing.assert_allclose(GLS(3).weights(np.array([1.0, 2, 4])), [2, 1, 0.5])


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_gradient_of_the_geometric_mean_under_autograd(seed):
    losses = torch.tensor(np.random.default_rng(seed).uniform(0.1, 5, 4), requires_grad=True)
    (4 * losses.prod() ** 0.25).backward()
    np.testing.assert_allclose(GLS(4).weights(losses.detach().numpy()), losses.grad.numpy())


def test_the_direction_is_that_of_the_sum_of_logarithms_and_the_product_of_weights_is_one():
    losses = np.array([0.3, 7, 2e-5, 1e4])
    weights = GLS(4).weights(losses)
    np.testing.assert_allclose(weights / ScaleInvariant(4).weights(losses), np.prod(losses) ** 0.25)
    np.testing.assert_allclose(weights.prod(), 1)


def test_a_common_scale_changes_nothing_where_the_product_overflows():
    losses = np.array([1.0, 3, 0.5])
    for scale in (1e-200, 1e200):
        np.testing.assert_allclose(GLS(3).weights(scale * losses), GLS(3).weights(losses))


@pytest.mark.parametrize("loss", [0.0, -1.0])
def test_a_loss_that_is_not_positive_is_refused(loss):
    with pytest.raises(FloatingPointError, match=r"gls needs positive losses, not \[1.0, "):
        GLS(2).weights(np.array([1.0, loss]))
