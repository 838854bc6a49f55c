import numpy as np
import pytest

from mtbalance.balancing.rules.scale_invariant import ScaleInvariant
from mtbalance.balancing.rules.stch import STCH


def warm(rule: STCH, losses: np.ndarray) -> STCH:
    for _ in range(rule.warmup):
        rule.weights(losses)
    return rule


def test_by_hand():
    """The losses are 4 and 1 times the nadir (0.5, 3); with mu = 1 their shares are 4/5 and 1/5, times K / L."""
    weights = warm(STCH(2), np.array([0.5, 3])).weights(np.array([2.0, 3]))
    np.testing.assert_allclose(weights, [2 * 0.8 / 2, 2 * 0.2 / 3])


def test_half_the_smoothness_squares_the_ratios():
    weights = warm(STCH(2, mu=0.5), np.array([0.5, 3])).weights(np.array([2.0, 3]))
    np.testing.assert_allclose(weights, [2 * (16 / 17) / 2, 2 * (1 / 17) / 3])


def test_it_begins_with_the_sum_of_logarithms_and_tends_to_it_as_mu_grows():
    losses = np.array([2.0, 0.1, 30])
    logarithms = ScaleInvariant(3).weights(losses)
    np.testing.assert_allclose(STCH(3).weights(losses), logarithms)
    np.testing.assert_allclose(warm(STCH(3, mu=1e9), np.ones(3)).weights(losses), logarithms)
    preferring = STCH(3, preference=[1.0, 1, 4])
    np.testing.assert_allclose(preferring.weights(losses), logarithms * [0.5, 0.5, 2])


def test_as_mu_becomes_small_the_worst_task_has_all_the_weight():
    weights = warm(STCH(3, mu=1e-3), np.ones(3)).weights(np.array([0.5, 0.8, 0.7]))
    np.testing.assert_allclose(weights, [0, 3 / 0.8, 0], atol=1e-12)


def test_the_nadir_is_the_mean_in_the_window_at_the_end_of_the_warm_up():
    rule = STCH(2, warmup=4, window=2)
    for losses in ([100.0, 1], [50, 1], [3, 1], [5, 3], [7, 7]):
        rule.weights(np.array(losses))
    np.testing.assert_allclose(rule.nadir, [4, 2])
    whole = STCH(2, warmup=4)
    for losses in ([100.0, 1], [50, 1], [3, 1], [5, 3], [7, 7]):
        whole.weights(np.array(losses))
    np.testing.assert_allclose(whole.nadir, [39.5, 1.5])


def test_the_scale_of_a_loss_cancels():
    """The gradient of the weighted loss, weight times loss, is the same."""
    scales, losses = np.array([1e-9, 1, 1e6]), np.array([0.5, 0.8, 0.7])
    straight = warm(STCH(3), np.array([1.0, 2, 3])).weights(losses) * losses
    scaled = warm(STCH(3), scales * [1.0, 2, 3]).weights(scales * losses) * scales * losses
    np.testing.assert_allclose(scaled, straight)


@pytest.mark.parametrize("loss", [0.0, -1.0])
def test_a_loss_that_is_not_positive_is_refused(loss):
    with pytest.raises(FloatingPointError, match=r"stch needs positive losses, not \[1.0, "):
        STCH(2).weights(np.array([1.0, loss]))
