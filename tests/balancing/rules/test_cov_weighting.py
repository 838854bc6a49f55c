import numpy as np
import pytest

from mtbalance.balancing.rules.cov_weighting import CoVWeighting

HISTORY = np.random.default_rng(0).uniform(0.5, 2, (30, 3)) * [1, 10, 0.1]


def after(history: np.ndarray) -> np.ndarray:
    rule = CoVWeighting(history.shape[1])
    for losses in history:
        rule.weights(losses)
    return rule.weights(np.ones(history.shape[1]))  # the step's own losses do not count


def test_weights_are_coefficients_of_variation_of_the_ratios_to_the_mean_before():
    before = [HISTORY[: max(step, 1)].mean(axis=0) for step in range(30)]
    ratios = HISTORY / before
    variations = ratios.std(axis=0) / ratios.mean(axis=0)
    np.testing.assert_allclose(after(HISTORY), 3 * variations / variations.sum())


def test_the_first_two_steps_are_equal_and_the_scale_of_a_loss_does_not_matter():
    rule = CoVWeighting(3)
    assert [rule.weights(losses).tolist() for losses in HISTORY[:2]] == [[1, 1, 1]] * 2
    np.testing.assert_allclose(after(HISTORY * [1e9, 1, 1e-9]), after(HISTORY))


def test_a_loss_that_does_not_vary_weighs_nothing():
    history = np.column_stack([HISTORY[:, 0], np.full(30, 0.7)])
    np.testing.assert_allclose(after(history), [2, 0], atol=1e-12)
    np.testing.assert_array_equal(after(np.full((5, 2), 0.5)), [1, 1])


def test_a_negative_loss_is_refused():
    with pytest.raises(FloatingPointError, match=r"not negative, not \[1\.0, -1\.0"):
        CoVWeighting(2).weights(np.array([1.0, -1.0]))
