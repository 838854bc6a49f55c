import numpy as np
import torch

from matrices import J2, J3, J3C
from mtbalance.balancing.rules.graddrop import GradDrop


def drops(rows: np.ndarray, times: int = 4000, **options) -> np.ndarray:
    rule = GradDrop(len(rows), **options)
    return np.array([rule.combine([torch.tensor(rows)], None)[0][0].numpy() for _ in range(times)])


def test_each_coordinate_is_all_of_one_sign_with_the_right_chance():
    drawn = drops(J2)
    assert set(drawn[:, 0]) == {6.0, -4.0} and (drawn[:, 1:] == 2).all()
    np.testing.assert_allclose((drawn[:, 0] == 6).mean(), 0.6, atol=0.03)
    np.testing.assert_allclose((drops(J3)[:, 0] == 3).mean(), 0.75, atol=0.03)


def test_the_mean_is_the_sum_of_rows():
    np.testing.assert_allclose(drops(J3C).mean(axis=0), J3C.sum(axis=0), atol=0.1)


def test_a_leak_of_one_drops_nothing_and_half_a_leak_half():
    np.testing.assert_allclose(drops(J2, 10, leak=1.0), np.tile([2.0, 2, 2], (10, 1)))
    assert set(drops(J2, 100, leak=0.5)[:, 0]) == {4.0, -1.0}


def test_a_coordinate_that_is_zero_for_all_stays_zero():
    assert (drops(np.zeros((2, 3)), 5) == 0).all()


def test_one_task_passes_unchanged():
    np.testing.assert_array_equal(drops(np.array([[1.0, -2, 0]]), 5), np.tile([1.0, -2, 0], (5, 1)))


def test_heads_weigh_one():
    np.testing.assert_array_equal(GradDrop(2).combine([torch.tensor(J2)], None)[1], [1, 1])
