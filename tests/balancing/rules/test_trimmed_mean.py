import numpy as np
import pytest
import torch
from scipy.stats import trim_mean

from matrices import random_rows
from mtbalance.balancing.rules.trimmed_mean import TrimmedMean


def joint(rows: np.ndarray, **options) -> np.ndarray:
    (found,), weights = TrimmedMean(len(rows), **options).combine([torch.tensor(rows)], np.ones(len(rows)))
    np.testing.assert_array_equal(weights, 1)
    return found.numpy()


def test_by_hand():
    rows = np.array([[1.0, -9, 0], [2, 1, 0], [9, 2, 0], [3, 3, 1]])
    np.testing.assert_allclose(joint(rows), 2 * np.array([5, 3, 0]))


@pytest.mark.parametrize(("tasks", "trim"), [(3, 1), (5, 1), (5, 2), (8, 3)])
def test_it_is_scipys(tasks, trim):
    rows = random_rows(tasks, 0)
    np.testing.assert_allclose(joint(rows, trim=trim), tasks * trim_mean(rows, trim / tasks + 1e-9))


def test_all_that_can_be_dropped_leave_the_median():
    for tasks in (3, 4, 7):
        rows = random_rows(tasks, 1)
        np.testing.assert_allclose(joint(rows, trim=(tasks - 1) // 2), tasks * np.median(rows, axis=0))


@pytest.mark.parametrize("tasks", [1, 2])
def test_one_or_two_tasks_are_summed(tasks):
    np.testing.assert_allclose(joint(random_rows(tasks, 0)), random_rows(tasks, 0).sum(axis=0))


def test_a_row_however_far_cannot_leave_the_others_range():
    rows = random_rows(5, 2)
    for far in (1e3, -1e12):
        rows[4] = far
        found = joint(rows) / 5
        assert (found >= rows[:4].min(axis=0)).all() and (found <= rows[:4].max(axis=0)).all()
