"""Records with numbers chosen by hand: no model was trained for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtbalance import places
from mtbalance.config.run import BackboneChoice, BalancerChoice, RunConfig
from mtbalance.config.training import TrainingConfig
from mtbalance.models.ranking._options import RankingSizes
from mtbalance.records import RunRecord, write_record
from mtbalance.records.evaluation import Evaluation
from mtbalance.records.parts import Environment
from mtbalance.records.run import DataFacts, EpochRecord, EpochSeconds, ModelSize, RunName, Speed, TaskFacts


def environment(**changed: Any) -> Environment:
    """A machine without a name."""
    facts = {"python": "3", "mtbalance": "0", "torch": "2", "numpy": "2", "pyarrow": "25", "cpu": "any"}
    facts |= {"instruction_set": "DEFAULT", "device": "cpu", "threads": 1, "deterministic": True, "commit": None}
    return Environment(**facts | changed)


def epoch_record(number: int, tasks: Sequence[str], evaluation: Evaluation, **changed: Any) -> EpochRecord:
    """An epoch of 3 seconds with losses and weights of 1, unless told otherwise."""
    facts = {
        "train_loss": dict.fromkeys(tasks, 1.0),
        "weights": dict.fromkeys(tasks, 1.0),
        "diagnostics": {},
        "searches": 0,
        "samples": 1000,
        "seconds": EpochSeconds(data=0.5, step=2.0, evaluation=0.5),
    }
    return EpochRecord(epoch=number, evaluation=evaluation, **facts | changed)


def ranking_run(experiment: str, dataset: str, backbone: str, balancer: str, seed: int, epochs: int) -> RunConfig:
    """The configuration of a run on rankings; of the backbone and the balancer the names alone matter."""
    return RunConfig(
        experiment=experiment,
        dataset=dataset,
        backbone=BackboneChoice(name=backbone, options={"kind": backbone}),
        balancer=BalancerChoice(name=balancer, options={"level": "loss", "rule": "equal"}),
        model=RankingSizes(),
        training=TrainingConfig(epochs=epochs),
        seed=seed,
    )


def run_record(
    run: RunConfig,
    tasks: Mapping[str, tuple[str, Mapping[str, int]]],
    epochs: Sequence[EpochRecord],
    test: Evaluation | None,
    *,
    speed: float | None = 1.0,
    data: Mapping[str, Any] | None = None,
    shares: bool = True,
) -> RunRecord:
    """The record of ``run``, which diverged where ``test`` is None; ``tasks`` have a title and metrics each."""
    facts = {"synthetic": run.dataset.startswith("synthetic"), "sha256": {"train": "a", "test": "b"}, "rows": {}}
    selection = run.training.selection
    return RunRecord(
        run=RunName.model_validate(run.wildcards),
        config=run.model_dump(mode="json"),
        digest=run.digest(),
        code="c" * 64,
        tasks=[TaskFacts(name=name, title=title, metrics=dict(metrics)) for name, (title, metrics) in tasks.items()],
        data=DataFacts(**facts | dict(data or {})),
        environment=environment(),
        model=ModelSize(parameters=10, shared=8 if shares else 0, private=2 if shares else 10),
        epochs=list(epochs),
        evaluated="test" if selection == "last" else selection,
        selection=selection,
        best_epoch=len(epochs) if test else 0,
        test=test,
        speed=Speed(samples_per_second=speed, samples_per_second_with_data=speed and 0.8 * speed),
        peak_memory_mb=100.0,
        rows_mb=0.0,
        status="finished" if test else "diverged",
    )


def write_run(folder: Path, run: RunConfig, record: RunRecord) -> Path:
    """Write a record where the workflow has it, in the project ``folder``."""
    path = folder / places.RECORD.format(**run.wildcards)
    write_record(path, record)
    return path
