"""Tables and figures of tasks that the data sets of an experiment do not have are refused before anything runs."""

import pytest

from mtbalance.config.reading import ParametersError, parse
from tiny_problems import PARAMETERS

BINARY = {"column": "a", "positive": [1]}
NUMBER = {"column": "b", "kind": "regression"}


def experiment(tasks: dict, **changes):
    table = {
        "adapter": "table",
        "files": {"all": {"path": "data/raw/t.csv"}},
        "categorical": ["c"],
        "tasks": tasks,
        "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
    }
    chosen = PARAMETERS["experiments"]["ranking"] | {"datasets": ["t"]} | changes
    return parse(
        PARAMETERS
        | {"preset": "p", "presets": {"p": ["ranking"]}, "experiments": {"ranking": chosen}}
        | {"datasets": PARAMETERS["datasets"] | {"t": table}}
    )


@pytest.mark.parametrize(
    ("tasks", "changes", "says"),
    [
        ({"n": NUMBER}, {}, r"ranking\.tables: 'auc' shows a binary task, and t has none; .*\[regression, cost\]"),
        ({"n": NUMBER}, {"tables": ["regression"]}, r"ranking\.figures: 'seesaw' shows a binary task, .*\[curves, "),
        ({"a": BINARY}, {"tables": ["auc", "regression"]}, r"tables: 'regression' shows a regression, and t has none"),
    ],
)
def test_what_shows_no_task_is_refused(tasks, changes, says):
    with pytest.raises(ParametersError, match=says):
        experiment(tasks, **changes)


@pytest.mark.parametrize(
    ("tasks", "changes"),
    [
        ({"a": BINARY}, {}),
        ({"a": BINARY, "n": NUMBER}, {"tables": ["auc", "ne", "regression", "cost"]}),
        ({"n": NUMBER}, {"tables": ["regression", "cost"], "figures": ["curves", "weights", "speed"]}),
    ],
)
def test_what_shows_a_task_is_accepted(tasks, changes):
    assert experiment(tasks, **changes).datasets["t"].task_names() == tuple(tasks)


PAIRS = {"tables": ["pairs"], "measure": ["cosines"]}


@pytest.mark.parametrize(
    ("tasks", "grid"),
    [({"a": BINARY}, {"mmoe": ["ls", "pub"]}), ({"a": BINARY, "n": NUMBER}, {"mmoe": ["ls"]})],
)
def test_pairs_of_methods_that_nothing_can_make_are_refused(tasks, grid):
    with pytest.raises(ParametersError, match=r"ranking\.tables: 'pairs' compares methods on a backbone that shares"):
        experiment(tasks, **PAIRS, grid=grid)
    both = {"a": BINARY, "n": NUMBER}, {"mmoe": ["ls", "pub"]}
    assert experiment(both[0], **PAIRS, grid=both[1]).experiments["ranking"].tables == ("pairs",)
