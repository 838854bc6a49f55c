"""What would cost a run, or block it, is refused when parameters are read."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from mtbalance.balancing.checking import balancer_schema
from mtbalance.balancing.options import LEVELS, RULES, ClippyOptions, OptimizerOptions
from mtbalance.balancing.rules import Rule
from mtbalance.blocks import Block, extended
from mtbalance.config.datasets import ADAPTERS, Dataset, HashSplit
from mtbalance.config.kinds import kind, kinds
from mtbalance.config.models import BackboneBlock, backbone_kinds
from mtbalance.config.parameters import Tables
from mtbalance.config.reading import ParametersError, parse
from mtbalance.config.training import ScheduleConfig, TrainingConfig
from mtbalance.config.tuning import Tuning
from mtbalance.data.ranking.table_split import TableSplit
from mtbalance.data.ranking.table_tasks import TableTask
from mtbalance.registry import available, declaration, entry
from workflow_tree import TINY

TABLE = {
    "adapter": "table",
    "files": {"all": {"path": "data/raw/t.csv"}},
    "categorical": ["c"],
    "tasks": {"t": {"column": "y", "positive": [1]}},
    "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
}
REFUSED = {
    "experiments.tiny.training.optimizer.lr": [math.inf, math.nan, "1e400", 0, -1],
    "experiments.tiny.training.optimizer.weight_decay": [math.inf, -1],
    "experiments.tiny.training.schedule": [{"warmup": math.nan}, {"every": 1, "factor": math.inf}],
    "experiments.tiny.training.epochs": [0, math.inf, 10**30, None],
    "experiments.tiny.training.batch_size": [0, 2**31],
    "experiments.tiny.model.dropout": [1.0, -0.1, math.nan],
    "experiments.tiny.model.expert": [[0], [math.inf], 8],
    "experiments.tiny.seeds": [[0, 0], [-1], [2**32], [0.5], None],
    "experiments.tiny.grid": [{}, {"mmoe": []}, {"mmoe": ["ls", "ls"]}, None],
    "experiments.tiny.datasets": [[], ["synthetic_a", "synthetic_a"]],
    "presets.tiny": [[], ["tiny", "tiny"]],
    "balancers.pub.every": [0, math.inf],
    "balancers.ls": [{"level": "loss", "rule": "equal", "max_norm": math.inf}, None],
    "balancers.mgda.max_norm": [math.inf, math.nan, 0],
    "backbones.mmoe.experts": [0, math.nan, 2**40],
    "datasets.synthetic_a.signal": [math.inf],
    "datasets.synthetic_a.seed": [-1, 2**32],
    "datasets.synthetic_a.split": [{"valid": 0}, {"test": 0.0}, {"valid": math.nan}, {"valid": 2}],
    "datasets.mine.split": [{"train": 0.6, "valid": 0.2, "test": 0.3}, {"train": 1, "valid": 0, "test": 0}],
    "datasets.mine.tasks": [{}, None],
    "datasets.mine.tasks.t": [{"column": "y", "above": math.inf}, {"column": "y"}, None],
    "datasets.mine.categorical": [[], ["c", "c"], None],
    "tables.significance": [math.nan, 2],
}
"""Values that are refused with the path of their key."""


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in REFUSED.items() for value in values])
def test_a_value_that_makes_no_run_is_refused_by_its_key(path: str, value: Any):
    raw = copy.deepcopy(TINY)
    raw["datasets"]["mine"] = copy.deepcopy(TABLE)
    *parents, last = path.split(".")
    block = raw
    for parent in parents:
        block = block[parent]
    block[last] = value
    with pytest.raises(ParametersError) as caught:
        parse(raw)
    where = path.removesuffix(".categorical").removesuffix(".t")
    assert all(line.startswith(where) and len(line) < 500 for line in str(caught.value).split("\n")), caught.value


@pytest.mark.parametrize("balancer", ["pub@clip.relative=.inf", "mgda@max_norm=.nan", "ls@optimizer.lr=.inf"])
def test_so_is_the_value_of_a_variant(balancer: str):
    raw = copy.deepcopy(TINY)
    raw["experiments"]["tiny"]["grid"] = {"mmoe": ["ls", balancer]}
    with pytest.raises(ParametersError, match=r"^experiments\.tiny\.grid\.mmoe: .*finite number"):
        parse(raw)


def blocks() -> Iterator[type[Block]]:
    """Every block with numbers that params.yaml can have."""
    yield from (OptimizerOptions, ClippyOptions, ScheduleConfig, TrainingConfig, Tables, Tuning)
    yield from (HashSplit, TableSplit, TableTask)
    yield from (kind(name).sizes for name in kinds())
    yield from (entry(ADAPTERS, name, Dataset) for name in available(ADAPTERS))
    yield from (extended(BackboneBlock, name, declaration(of, name).options) for name, of in backbone_kinds().items())
    for rule in available(RULES):
        yield from (balancer_schema(level, rule) for level in LEVELS if level in entry(RULES, rule, Rule).levels)


def has_numbers(annotation: Any) -> bool:
    return annotation in (int, float) or any(map(has_numbers, get_args(annotation)))


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_number_of_any_block_can_be_infinite_or_none(value: float):
    asked = 0
    for block in blocks():
        for key, field in block.model_fields.items():
            if has_numbers(field.annotation):
                texts = block is TableSplit  # a list there holds texts of cells, such as inf
                for given in (value, {"t": value}, {"t": [value]}) if texts else (value, [value], {"t": [value]}):
                    with pytest.raises(ValidationError) as caught:
                        block.model_validate({key: given})
                    assert any(fault["loc"][:1] == (key,) for fault in caught.value.errors()), (block, key, given)
                asked += 1
    assert asked > 300
