import numpy as np
import pytest
from pydantic import ValidationError

from matrices import J3C, gram
from mtbalance.balancing.checking import balancer_options, task_faults
from mtbalance.balancing.rules.fixed import Fixed
from rule_cases import apply


def test_weights_are_as_given_whatever_comes_in():
    rule = Fixed(3, weights=[0.0, 0.5, 2])
    for seen in ((np.ones(3),), (np.zeros(3),), (gram(J3C), np.ones(3))):
        found = rule.weights(*seen)
        np.testing.assert_array_equal(found, [0, 0.5, 2])
        found[:] = 7  # which leaves the rule's own as they are
    np.testing.assert_allclose(apply(rule, J3C, np.ones(3))[0], [-2.5, -1, 0.5, 4])


def test_without_weights_all_tasks_weigh_one():
    np.testing.assert_array_equal(Fixed(4).weights(np.arange(4.0)), np.ones(4))


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1], [0.0, 0], [1.0, np.inf], [[1.0, 1], [1, 1]]])
def test_lists_that_are_no_weights_are_refused(weights):
    with pytest.raises(ValueError, match=r"weights must"):
        Fixed(2, weights=weights)


def test_a_list_for_another_number_of_tasks_is_told_before_training():
    options = balancer_options({"level": "loss", "rule": "fixed", "weights": [1.0, 2, 0.5]})
    assert task_faults(options, ["a", "b", "c"], "balancers.mine") == []
    assert task_faults(options, ["a", "b"], "balancers.mine") == ["balancers.mine.weights: 3 values, not 2"]
    with pytest.raises(ValidationError):
        balancer_options({"level": "loss", "rule": "fixed", "weights": [1.0, -2]})


@pytest.mark.parametrize("option", [{"every": 2}, {"gram_over": "all"}])
def test_there_is_nothing_to_search(option):
    with pytest.raises(ValueError, match=f"{next(iter(option))}: rule fixed has the same weights"):
        balancer_options({"level": "gradient", "rule": "fixed", **option})
