"""Printed names, and which runs are single-task learning."""

import pandas as pd
import pytest

from mtbalance.reporting.names import is_single_task, method_name

STL = {"backbone": "single_task", "balancer": "ls", "shares": False, "level": "loss", "rule": "equal"}
STL |= {"manipulation": "none"}


def test_single_task_learning_is_known_by_what_is_shared_and_not_by_its_name():
    assert is_single_task(pd.Series(STL))
    assert is_single_task(pd.Series(STL | {"backbone": "any name", "balancer": "plain"}))
    assert not is_single_task(pd.Series(STL | {"shares": True}))


@pytest.mark.parametrize(
    "other", [{"rule": "scale_invariant"}, {"manipulation": "clippy"}, {"level": "update", "rule": "nash"}]
)
def test_models_of_their_own_with_another_balancer_are_no_single_task_learning(other):
    assert not is_single_task(pd.Series(STL | other))


def test_a_row_is_named_after_its_backbone_and_balancer():
    assert method_name(pd.Series(STL), "ls") == "STL"
    shared = STL | {"backbone": "mmoe", "shares": True}
    assert method_name(pd.Series(shared), "ls") == "MMOE (LS)"
    assert method_name(pd.Series(shared | {"balancer": "pub"}), "ls") == "MMOE+PUB"
    assert method_name(pd.Series(shared | {"backbone": "mine", "balancer": "my_rule"}), "ls") == "mine+my_rule"
