import numpy as np

from mtbalance.balancing.rules.igb import IGB
from mtbalance.balancing.rules.scale_invariant import ScaleInvariant


def after(history: list[list[float]], losses: list[float], window: int) -> np.ndarray:
    rule = IGB(len(losses), window=window)
    for each in history:
        rule.weights(np.array(each))
    return rule.weights(np.array(losses))


def test_the_mean_of_the_second_window_is_the_base():
    """The base is (2, 4), so that the ratios are ln 3 and 0: 3/4 and 1/4 of K, over the losses."""
    losses = [2 * np.log(3), 1e-12]
    weights = after([[100, 100], [7, 7], [1, 2], [3, 6]], losses, window=2)
    np.testing.assert_allclose(weights * losses, [1.5, 0.5])


def test_until_then_it_is_a_sum_of_logarithms():
    rule, losses = IGB(2, window=3), np.array([0.5, 20])
    for _ in range(6):
        np.testing.assert_array_equal(rule.weights(losses), ScaleInvariant(2).weights(losses))
    assert not np.allclose(rule.weights(losses / [1, 10]), ScaleInvariant(2).weights(losses / [1, 10]))


def test_the_base_does_not_move_afterwards():
    history = [[1.0, 1], [1, 1], [9, 1], [1, 9]]
    np.testing.assert_array_equal(after(history, [1, 2], 1), after(history[:2], [1, 2], 1))
