"""Run records with numbers chosen by hand: no model was trained for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mtbalance import places
from mtbalance.config.run import BackboneChoice, BalancerChoice, RunConfig
from mtbalance.config.training import TrainingConfig
from mtbalance.models.ranking._options import RankingSizes
from mtbalance.records import RunRecord, TimingRecord, write_record
from mtbalance.records.run import ModelSize
from mtbalance.records.timing import BalancerTiming
from mtbalance.reporting.collect import collect
from sample_records import environment, epoch_record, run_record, write_run

TASKS = {"click": "CTR", "conversion": "CTCVR"}
OPTIONS = {
    "nash_gradient": {"level": "gradient", "rule": "nash"},
    "nash_update": {"level": "update", "rule": "nash"},
    "pub_clippy": {"level": "update", "rule": "nash", "manipulation": "clippy"},
}
THROUGHPUT = {"ls": 1.0, "mgda": 0.4, "pub": 0.5}
WEIGHTS = {"ls": (1.0, 1.0), "mgda": (0.2, 0.8), "pub": (0.6, 1.4)}


def config(
    dataset: str, backbone: str, balancer: str, seed: int, lr: float = 1e-3, selection: str = "valid"
) -> RunConfig:
    """The configuration of a run; most balancers' names alone matter here."""
    return RunConfig(
        experiment="demo",
        dataset=dataset,
        backbone=BackboneChoice(name=backbone, options={"kind": "single_task"}),
        balancer=BalancerChoice(name=balancer, options=OPTIONS.get(balancer, {"level": "loss", "rule": "equal"})),
        model=RankingSizes(),
        training=TrainingConfig(epochs=3, optimizer={"lr": lr}, selection=selection),
        seed=seed,
    )


def record(run: RunConfig, auc: tuple[float, ...] | None, tasks: Mapping[str, str] = TASKS) -> RunRecord:
    """A record with the test AUC ``auc`` of each task; None: the run diverged in its second epoch."""

    def evaluation(values: tuple[float, ...], shift: float) -> dict[str, Any]:
        shifted = {task: value - shift for task, value in zip(tasks, values, strict=True)}
        return {
            "auc": shifted,
            "log_loss": {task: 1.2 - value for task, value in shifted.items()},
            "ne": {task: 1.5 - value for task, value in shifted.items()},
            "mean_auc": sum(shifted.values()) / len(shifted),
        }

    start = (*WEIGHTS.get(run.balancer.name, ()), *(1.0 for _ in tasks))[: len(tasks)]
    drift = 0.0 if run.balancer.name == "ls" else 0.05 * (1 + run.seed)
    epochs = [
        epoch_record(
            epoch,
            list(tasks),
            evaluation(auc or (0.6,) * len(tasks), {1: 0.02, 2: 0.006, 3: 0.0}[epoch]),
            train_loss=dict.fromkeys(tasks, 0.5 / epoch),
            weights={
                task: w + drift * epoch * (1 - 2 * i) for i, (task, w) in enumerate(zip(tasks, start, strict=True))
            },
            diagnostics={"cosine": 0.1 * epoch},
            searches=1,
        )
        for epoch in ((1, 2, 3) if auc else (1,))
    ]
    speed = {"ls": 1000.0, "mgda": 400.0, "pub": 500.0}.get(run.balancer.name, 900.0) * (1 + 0.1 * run.seed)
    best = {"test": {task: 0.9 - 0.02 * i for i, task in enumerate(tasks)}}
    return run_record(
        run,
        {name: (title, {"auc": 1, "log_loss": -1, "ne": -1}) for name, title in tasks.items()},
        epochs,
        evaluation(auc, 0.0) if auc else None,
        speed=speed,
        data={"best_auc": best if run.dataset.startswith("synthetic") else None},
        shares=run.backbone.name != "single_task",
    )


Results = Mapping[tuple[str, str, str], list[tuple[float, ...] | None]]

DEMO: Results = {
    ("synthetic_nl", "single_task", "ls"): [(0.700, 0.800), (0.702, 0.804), (0.701, 0.799)],
    ("synthetic_nl", "mmoe", "ls"): [(0.710, 0.810), (0.712, 0.806), (0.711, 0.811)],
    ("synthetic_nl", "mmoe", "mgda"): [(0.700, 0.812), None, (0.706, 0.815)],
    ("synthetic_nl", "mmoe", "pub"): [(0.715, 0.816), (0.718, 0.813), (0.7155, 0.8175)],
    ("synthetic_nl", "ple", "ls"): [(0.711, 0.808), (0.713, 0.811), (0.712, 0.812)],
    ("synthetic_nl", "ple", "mgda"): [None, None, None],
    ("synthetic_nl", "ple", "pub"): [(0.716, 0.809), (0.718, 0.812), (0.717, 0.813)],
}
"""Test AUC by seed. PLE+PUB is better by the same in each seed: nothing to test."""

Written = tuple[list[Path], list[RunConfig]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Written]:
    """Write the records of ``results``; returns their paths and the configurations."""

    def write_records(results: Results, tasks: Mapping[str, str] = TASKS, selection: str = "valid") -> Written:
        runs, paths = [], []
        for (dataset, backbone, balancer), values in results.items():
            for seed, auc in enumerate(values):
                run = config(dataset, backbone, balancer, seed, selection=selection)
                runs.append(run)
                paths.append(write_run(tmp_path, run, record(run, auc, tasks)))
        return paths, runs

    return write_records


@pytest.fixture
def collected(tmp_path: Path, write: Callable[..., Written]) -> Callable[..., Path]:
    """Write records and collect them; returns the Parquet file."""

    def write_and_collect(results: Results = DEMO, **options: Any) -> Path:
        paths, runs = write(results, **options)
        collect(paths, runs, write_timings(tmp_path, runs), runs, tmp_path / "results/metrics/demo.parquet")
        return tmp_path / "results/metrics/demo.parquet"

    return write_and_collect


@pytest.fixture
def timings(tmp_path: Path) -> Callable[[list[RunConfig]], list[Path]]:
    """Write the timings of runs; returns their paths."""
    return lambda runs: write_timings(tmp_path, runs)


def write_timings(folder: Path, runs: list[RunConfig]) -> list[Path]:
    """A timing for each data set and backbone that has a balancer besides ls: ls 1, mgda 0.4, pub 0.5."""
    groups: dict[tuple[str, str], list[RunConfig]] = {}
    for run in runs:
        if run.seed == 0:
            groups.setdefault((run.dataset, run.backbone.name), []).append(run)
    paths = []
    for (dataset, backbone), members in groups.items():
        methods = {run.balancer.name: run.balancer.name.partition("@")[0] for run in members}
        speeds = {name: THROUGHPUT.get(method, 0.9) for name, method in methods.items()}
        if set(methods.values()) > {"ls"}:
            cell = {"experiment": "demo", "dataset": dataset, "backbone": backbone}
            paths.append(folder / places.TIMING.format(**cell))
            write_record(paths[-1], timing(members, speeds))
    return paths


def timing(members: list[RunConfig], speeds: dict[str, float]) -> TimingRecord:
    """A timing in which each balancer has the given share of the throughput of ls, and 0.1 more with data."""
    return TimingRecord(
        experiment="demo",
        dataset=members[0].dataset,
        backbone=members[0].backbone.name,
        baseline="ls",
        digests={run.balancer.name: run.digest() for run in members},
        blocks=3,
        steps=10,
        batch_size=4096,
        synthetic=members[0].dataset.startswith("synthetic"),
        train_rows=81_920,
        model=ModelSize(parameters=10, shared=8, private=2),
        environment=environment(device="another"),
        seconds_a_batch_from_data=0.1,
        balancers={
            name: BalancerTiming(
                seconds_a_step=1 / speed,
                seconds_a_search=0.3 if name == "pub" else None,
                relative_throughput=speed,
                quartiles=(speed - 0.02, speed + 0.01),
                relative_throughput_with_data=speed + 0.1,
                quartiles_with_data=(speed + 0.08, speed + 0.11),
            )
            for name, speed in speeds.items()
        },
    )


@pytest.fixture
def demo() -> Results:
    """The results that most tests use."""
    return DEMO
