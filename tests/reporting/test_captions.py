"""Captions: what short names stand for."""

from __future__ import annotations

import pandas as pd
import pytest

from mtbalance.reporting import captions


@pytest.mark.parametrize(
    ("backbone", "balancer", "selection", "metric", "says"),
    [
        ("mmoe", "pub", "valid", "auc", []),
        ("mmoe", "ls", "valid", "auc", ["LS, linear scalarization: the tasks' losses count alike."]),
        (
            "single_task",
            "none",
            "valid",
            captions.OWN_BEST_EPOCH,
            ["STL, single-task learning: each task has a model of its own, of its own best epoch."],
        ),
        (  # as older records have it
            "single_task",
            "none",
            "valid",
            "auc",
            ["STL, single-task learning: each task has a model of its own, all of the epoch that is best on average."],
        ),
        ("single_task", "none", "last 10", "auc", ["STL, single-task learning: each task has a model of its own."]),
    ],
)
def test_the_words_are_those_that_the_runs_need(backbone, balancer, selection, metric, says):
    row = {"backbone": backbone, "balancer": balancer, "selection": selection, "metric": metric}
    frame = pd.DataFrame([row])
    assert captions.words(frame) == says
