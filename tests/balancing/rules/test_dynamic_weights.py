import numpy as np
import pytest

from mtbalance.balancing.rules.dynamic_weights import DynamicWeights


def after(history: list[list[float]], **options) -> np.ndarray:
    rule = DynamicWeights(len(history[0]), **options)
    for losses in history:
        rule.weights(np.array(losses))
    return rule.weights(np.full(rule.tasks, 1e3))  # the step's own losses do not count


def test_the_task_that_falls_more_slowly_gains_weight():
    np.testing.assert_allclose(after([[1, 1], [0.5, 1]], window=1), [0.875647, 1.124353], atol=1e-6)


def test_windows_are_averaged_and_move_with_each_step():
    history = [[9, 9], [1, 2], [3, 2], [1, 1], [1, 3]]  # averages (2, 2), then (1, 2)
    np.testing.assert_allclose(after(history, window=2), [0.875647, 1.124353], atol=1e-6)


def test_equal_rates_weigh_equally():
    np.testing.assert_allclose(after([[1, 100], [0.3, 30]], window=1), [1, 1])


def test_the_first_two_windows_are_equal():
    rule = DynamicWeights(2)
    for step in range(50):
        np.testing.assert_array_equal(rule.weights(np.array([1.0, 1.0 + step])), [1, 1])
    assert rule.weights(np.ones(2))[1] > 1.01


def test_a_high_temperature_weighs_equally():
    np.testing.assert_allclose(after([[1, 1], [0.1, 5]], window=1, temperature=1e9), [1, 1])


@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_the_scale_of_a_loss_does_not_matter(factor):
    history = np.random.default_rng(0).uniform(1, 2, (10, 3))
    scaled = history * [factor, 1, 1]
    np.testing.assert_allclose(after(scaled.tolist(), window=5), after(history.tolist(), window=5))
