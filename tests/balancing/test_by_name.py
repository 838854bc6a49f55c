"""Options with a number for each task, given by the tasks' names."""

import json

import pytest
import torch

from mtbalance.balancing.balancer import Balancer
from mtbalance.balancing.checking import balancer_options, placed, rule_options, task_faults
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import ParametersError, parse
from mtbalance.config.run import canonical
from tiny_problems import PARAMETERS

TASKS = ["click", "conversion"]
NAMED = [
    ({"level": "loss", "rule": "fixed", "weights": {"conversion": 9, "click": 1}}, {"weights": [1, 9]}),
    ({"level": "loss", "rule": "stch", "preference": {"conversion": 2, "click": 1}}, {"preference": [1, 2]}),
    (
        {"level": "loss", "rule": "pbi", "reference": {"conversion": -1, "click": 0}, "preference": [3, 4]},
        {"reference": [0, -1], "preference": [3, 4]},
    ),
    ({"level": "loss", "rule": "famo", "min_losses": {"conversion": 0.1, "click": 0}}, {"min_losses": [0, 0.1]}),
    ({"level": "gradient", "rule": "metabalance", "target": "conversion"}, {"target": 1}),
    ({"level": "gradient", "rule": "pcd", "target": 0}, {"target": 0}),
]


@pytest.mark.parametrize(("block", "expected"), NAMED)
def test_names_become_the_order_of_the_tasks(block, expected):
    options = balancer_options(block)
    assert task_faults(options, TASKS, "balancers.mine") == []
    found = rule_options(placed(options, TASKS))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"weights": {"click": 1, "sale": 2}},
            [
                "weights.sale: is no task; there are click, conversion",
                "weights: has no value for conversion; there are click, conversion",
            ],
        ),
        ({"weights": {"click": 1}}, ["weights: has no value for conversion; there are click, conversion"]),
        ({"weights": [1, 2, 3]}, ["weights: 3 values, not 2"]),
    ],
)
def test_other_names_are_refused_with_those_of_the_tasks(options, says):
    found = task_faults(balancer_options({"level": "loss", "rule": "fixed"} | options), TASKS, "balancers.mine")
    assert found == [f"balancers.mine.{line}" for line in says]


def test_another_target_is_refused_with_the_names():
    options = balancer_options({"level": "gradient", "rule": "pcd", "target": "sale"})
    assert task_faults(options, TASKS, "b") == ["b.target: 'sale' is no task; there are click, conversion"]


@pytest.mark.parametrize("value", [{"click": -1, "conversion": 1}, {"click": "much", "conversion": 1}])
def test_values_are_checked_as_those_of_a_list(value):
    with pytest.raises(ValueError, match="weights"):
        balancer_options({"level": "loss", "rule": "fixed", "weights": value})


def test_the_library_has_no_names():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))])
    with pytest.raises(ValueError, match=r"weights: tasks have names in params\.yaml only"):
        Balancer(optimizer, 2, level="loss", rule="fixed", weights={"a": 1, "b": 2})


def with_balancer(block: dict, grid: list[str]) -> Parameters:
    experiment = PARAMETERS["experiments"]["ranking"] | {"grid": {"mmoe": ["ls", *grid]}}
    experiments = PARAMETERS["experiments"] | {"ranking": experiment}
    return parse(PARAMETERS | {"experiments": experiments, "balancers": PARAMETERS["balancers"] | {"mine": block}})


def test_a_run_is_checked_against_its_data_set():
    fixed = {"level": "loss", "rule": "fixed", "weights": {"click": 1, "conversion": 9}}
    assert with_balancer(fixed, ["mine"]).balancer("mine").weights == fixed["weights"]
    with pytest.raises(
        ParametersError, match=r"balancers\.mine\.weights\.sale: is no task; there are click, conversion"
    ):
        with_balancer(fixed | {"weights": {"click": 1, "conversion": 9, "sale": 1}}, ["mine"])


def test_a_variant_names_tasks_by_their_paths():
    variant = "mine@weights.click=1,weights.conversion=9"
    parameters = with_balancer({"level": "loss", "rule": "fixed"}, [variant])
    handed = parse(json.loads(canonical(parameters.excerpt("ranking"))))  # as jobs get it, with all defaults
    for found in (parameters, handed):
        assert found.balancer(variant).weights == {"click": 1, "conversion": 9}
