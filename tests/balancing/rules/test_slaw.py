import numpy as np
import pandas as pd
import pytest

from mtbalance.balancing.rules.slaw import SLAW

HISTORY = np.random.default_rng(0).normal(3, 1, (400, 3)) * [1, 10, 0.1]


def last(history: np.ndarray, **options) -> np.ndarray:
    rule = SLAW(history.shape[1], **options)
    return [rule.weights(losses) for losses in history][-1]


def test_at_first_weights_are_inverse_standard_deviations_of_all_losses():
    inverse = 1 / HISTORY[:40].std(axis=0)
    np.testing.assert_allclose(last(HISTORY[:40]), 3 * inverse / inverse.sum())


def test_later_averages_are_exponential():
    """The first 1 / (1 - beta) steps weigh alike; from there pandas averages the moments as the paper does."""
    beta = 0.9
    moments = [np.vstack([power[:10].mean(axis=0), power[10:]]) for power in (HISTORY, HISTORY**2)]
    mean, square = (pd.DataFrame(each).ewm(alpha=1 - beta, adjust=False).mean().iloc[-1] for each in moments)
    inverse = 1 / np.sqrt(square - mean**2)
    np.testing.assert_allclose(last(HISTORY, beta=beta), 3 * inverse / inverse.sum())


def test_the_first_step_is_equal_and_a_common_scale_does_not_matter():
    np.testing.assert_array_equal(last(HISTORY[:1]), [1, 1, 1])
    np.testing.assert_allclose(last(1e-9 * HISTORY), last(HISTORY))


@pytest.mark.parametrize(("constant", "weights"), [(2.0, [0, 2]), (0.0, [2, 0])])
def test_a_constant_loss_outweighs_all_unless_it_is_zero(constant, weights):
    history = np.column_stack([HISTORY[:, 0], np.full(400, constant)])
    np.testing.assert_allclose(last(history), weights, atol=1e-3)
