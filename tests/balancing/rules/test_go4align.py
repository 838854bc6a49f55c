import itertools

import numpy as np
import pytest

from mtbalance.balancing.rules.go4align import GO4Align
from mtbalance.balancing.solvers.grouping import group_means


def test_by_hand():
    """q begins equal and shrinks by 1/2, 1/4 and 1/8 to 4/7, 2/7 and 1/7; times 6 / L it is 24/7, 6/7 and 2/7."""
    rule = GO4Align(3, groups=3, step_size=np.log(2))
    np.testing.assert_allclose(rule.weights(np.array([1.0, 2, 3])), np.array([24, 6, 2]) / 7)
    rule = GO4Align(3, groups=2, step_size=np.log(2))
    np.testing.assert_allclose(rule.weights(np.array([1.0, 2, 3])), np.array([24, 4, 4]) / 7)


def test_without_groups_the_weighted_losses_have_the_sum_of_the_losses():
    rule, rng = GO4Align(4, groups=4, step_size=0.1), np.random.default_rng(0)
    for _ in range(20):
        losses = rng.uniform(0.1, 5, 4)
        assert rule.weights(losses) @ losses == pytest.approx(losses.sum())


def test_one_group_weighs_all_tasks_alike():
    weights = GO4Align(3, groups=1).weights(np.array([1.0, 2, 30]))
    assert len(set(weights)) == 1 and weights[0] > 1


def sum_of_squares(parts: list[np.ndarray]) -> float:
    return sum(np.square(part - part.mean()).sum() for part in parts)


@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_no_partition_into_as_many_groups_is_better(groups):
    rng = np.random.default_rng(groups)
    for values in [rng.normal(size=6) for _ in range(10)] + [np.array([2.0, 2, 2, 7, 7, 9]), 1e6 + rng.normal(size=6)]:
        partitions = [np.array(each) for each in itertools.product(range(groups), repeat=6) if len(set(each)) == groups]
        best = min(sum_of_squares([values[each == group] for group in range(groups)]) for each in partitions)
        means = group_means(values, groups)
        assert np.square(values - means).sum() == pytest.approx(best, rel=1e-6, abs=1e-12)
        assert len(set(means)) <= groups and means.mean() == pytest.approx(values.mean())
