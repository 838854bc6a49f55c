"""Captions: what short names stand for."""

from __future__ import annotations

import pandas as pd
import pytest

from mtbalance.reporting import captions


@pytest.mark.parametrize(
    ("backbone", "balancer", "selection", "says"),
    [
        ("mmoe", "pub", "valid", []),
        ("mmoe", "ls", "valid", ["LS, linear scalarization: the tasks' losses count alike."]),
        (
            "single_task",
            "none",
            "valid",
            ["STL, single-task learning: each task has a model of its own, all of the epoch that is best on average."],
        ),
        ("single_task", "none", "last 10", ["STL, single-task learning: each task has a model of its own."]),
    ],
)
def test_the_words_are_those_that_the_runs_need(backbone, balancer, selection, says):
    frame = pd.DataFrame({"backbone": [backbone], "balancer": [balancer], "selection": [selection]})
    assert captions.words(frame) == says
