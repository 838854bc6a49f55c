"""A variant: a balancer with some options replaced, named in an experiment's grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mtbalance.balancing.checking import balancer_schema
from mtbalance.balancing.options import LEVELS, RULES
from mtbalance.balancing.rules import Rule
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import ParametersError, parse
from mtbalance.config.training import TrainingConfig
from mtbalance.config.variants import parsed
from mtbalance.registry import available, entry
from mtbalance.reporting.names import balancer_name

ROOT = Path(__file__).parents[2]


def with_variant(*names: str) -> Parameters:
    raw: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["experiments"]["demo"]["grid"] = {"mmoe": ["ls", *names]}
    return parse(raw)


def test_a_variant_replaces_options_of_its_balancer_alone():
    parameters = with_variant("pub@rescale=sum_to_1,every=1")
    plain, variant = parameters.balancers["pub"], parameters.balancer("pub@rescale=sum_to_1,every=1")
    assert plain.rescale != "sum_to_1" and plain.every != 1
    assert variant == plain.model_copy(update={"rescale": "sum_to_1", "every": 1})


def test_a_variant_replaces_options_of_training():
    name = "clippy_adam@clip.relative=0.5,optimizer.lr=0.006,epochs=2"
    parameters = with_variant(name)
    run = parameters.run("demo", "synthetic_nl", "mmoe", name, seed=0)
    assert run.balancer.options.clip.relative == 0.5
    assert (run.training.optimizer.lr, run.training.epochs) == (0.006, 2)
    assert run.training.optimizer.weight_decay == 1e-6
    assert parameters.run("demo", "synthetic_nl", "mmoe", "ls", seed=0).training.epochs == 25


def test_a_variant_is_a_run_of_its_own_with_its_own_name():
    parameters = with_variant("ls@optimizer.lr=0.006")
    runs = parameters.runs("demo")
    assert {run.balancer.name for run in runs} == {"ls", "ls@optimizer.lr=0.006"}
    assert len({run.digest() for run in runs}) == len(runs)
    assert parse(parameters.excerpt("demo").model_dump(mode="json")).runs("demo") == runs


def test_a_value_can_be_a_list():
    found = parsed("fixed@preference=[0.1,0.9],optimizer.lr=0.002")
    assert found == ("fixed", {"preference": [0.1, 0.9]}, {"optimizer.lr": 0.002})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pub@evry=1", "pub@evry=1: evry: unknown key; .*did you mean every"),
        ("pbu@every=1", "'pbu' is not defined; .*did you mean pub"),
        ("pub@every", "a variant is written name@key=value,key=value"),
        ("pub@", "a variant is written name@key=value,key=value"),
        ("pub@every=1,every=2", "'every=2' is not key=value with a key of its own"),
        ("pub@every=0", "pub@every=0: every: Input should be greater than or equal to 1, not 0"),
        ("ls@optimizer.lrr=2", "lrr: unknown key; .*did you mean lr"),
        ("pub@rule=equal", "rule equal has the same weights at every step"),
    ],
)
def test_a_variant_that_is_not_possible_is_named(name: str, message: str):
    with pytest.raises(ParametersError, match=f"experiments.demo.grid.mmoe: .*{message}"):
        with_variant(name)


def test_a_key_is_either_a_balancers_or_a_trainings():
    """A variant's keys are told apart by what `training` has, so no balancer may have an option of that name."""
    for level in LEVELS:
        for rule in available(RULES):
            if level in entry(RULES, rule, Rule).levels:
                assert not set(balancer_schema(level, rule).model_fields) & set(TrainingConfig.model_fields)


def test_tables_name_a_variant_by_what_is_changed():
    assert balancer_name("pub@rescale=sum_to_1,every=1") == "PUB (rescale sum_to_1, every 1)"
    assert balancer_name("ls@optimizer.lr=0.006") == "LS (lr 0.006)"
    assert balancer_name("pub") == "PUB"
