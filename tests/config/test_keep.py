"""What an experiment can keep, and tables that need it."""

from __future__ import annotations

from typing import Any

import pytest

from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import ParametersError, parse
from tiny_problems import PARAMETERS


def experiment(name: str, **changes: Any) -> Parameters:
    changed = PARAMETERS["experiments"][name] | changes
    return parse(PARAMETERS | {"experiments": PARAMETERS["experiments"] | {name: changed}})


def test_what_is_kept_is_no_part_of_a_run_or_of_what_its_metrics_depend_on():
    plain, kept = experiment("ranking"), experiment("ranking", keep=["model", "valid_predictions"])
    assert kept.experiments["ranking"].keep == ("model", "valid_predictions")
    assert [run.digest() for run in kept.runs("ranking")] == [run.digest() for run in plain.runs("ranking")]
    assert kept.excerpt("ranking") == plain.excerpt("ranking")


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("ranking", {"keep": ["models"]}, r"experiments\.ranking\.keep\.0: .*'model' or 'valid_predictions'"),
        ("ranking", {"keep": ["model", "model"]}, r"experiments\.ranking\.keep: model: named more than once"),
        ("scenes", {"keep": ["valid_predictions"]}, r"keep: this kind of problem has no valid split"),
        (
            "ranking",
            {"tables": ["auc", "calibration"]},
            r"experiments\.ranking\.tables: 'calibration' needs `keep: \[valid_predictions\]` in this experiment",
        ),
        (
            "ranking",
            {"figures": ["calibration"], "keep": ["model"]},
            r"experiments\.ranking\.figures: 'calibration' needs `keep: \[valid_predictions\]`",
        ),
    ],
)
def test_what_cannot_be_is_refused(name: str, changes: dict[str, Any], said: str):
    with pytest.raises(ParametersError, match=said):
        experiment(name, **changes)
