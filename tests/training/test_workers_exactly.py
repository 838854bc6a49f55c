"""Several processes give the record of one, in float64: what is left in float32 is rounding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mtbalance.config.reading import read_parameters
from mtbalance.config.run import RunConfig
from mtbalance.records.run import RunRecord
from mtbalance.training.run import train
from tiny_problems import configure as tiny
from tiny_problems import prepared

PARAMETERS = read_parameters(Path(__file__).parents[2] / "params.yaml")
ON_ROWS, ON_SCENES = PARAMETERS.experiments["demo"].grid["mmoe"], PARAMETERS.experiments["demo_scenes"].grid["mtan"]
QUICK = ("nashmtl", "graddrop")
EXACTLY = {"epochs": 2, "batch_size": 255, "precision": "float64"}
"""Batches of odd sizes, whose parts differ by a row."""


def some(balancers: list[str]) -> list[Any]:
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in balancers]


def numbers(record: RunRecord) -> dict[str, float]:
    """Every number of the record but times and memory."""
    epochs = [epoch.model_dump(exclude={"seconds"}) for epoch in record.epochs]
    return dict(_leaves({"epochs": epochs, "best": record.best_epoch, "test": record.test}))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if children is None:
        yield name, value
    else:
        for key, child in children:
            yield from _leaves(child, f"{name}.{key}")


def check(config: RunConfig, data: Path, relative: float) -> None:
    alone, two = train(config, data), train(config, data, processes=2)
    assert (alone.environment.processes, two.environment.processes) == (1, 2)
    assert numbers(two) == pytest.approx(numbers(alone), rel=relative, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("balancer", some(ON_ROWS))
def test_every_balancer_of_the_demo_gives_the_record_of_one_process(configure, data, balancer):
    own = PARAMETERS.run("demo", "synthetic_nl", "mmoe", balancer, 0)
    config = configure(**EXACTLY, optimizer=own.training.optimizer.model_dump()).model_copy(
        update={"balancer": own.balancer, "model": own.model}
    )
    check(config, data, 1e-9)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("balancer", ON_SCENES)
def test_every_balancer_of_the_demo_s_scenes_gives_the_record_of_one_process(tmp_path, balancer):
    own = PARAMETERS.run("demo_scenes", "synthetic_scenes", "mtan", balancer, 0)
    config = tiny("scenes", "ls", epochs=2, batch_size=5, precision="float64").model_copy(
        update={"balancer": own.balancer}
    )
    check(config, prepared("scenes", tmp_path), 1e-6)  # metrics are of outputs in float32
