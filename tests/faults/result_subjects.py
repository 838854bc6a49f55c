"""A small project whose runs are finished, and the commands that read what lies in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from subjects import Subject, checksums

import tiny_problems
from mtbalance import places
from mtbalance.cli import results
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import parse
from mtbalance.config.run import RunConfig, canonical
from mtbalance.data.stand_in.generated import MARK
from mtbalance.places import schema_beside
from mtbalance.records import read_run, write_record
from mtbalance.training.run import train
from mtbalance.training.speed import measure
from watched_runs import Killed, Kills, numbers

TINY = tiny_problems.PARAMETERS
PARAMETERS: dict[str, Any] = TINY | {
    "experiments": {
        "ranking": TINY["experiments"]["ranking"]
        | {
            "grid": {"mmoe": ["ls", "pub"]},
            "seeds": [0, 1],
            "timing": {"blocks": 1, "steps": 1},
            "measure": ["cosines"],
        },
        "scenes": TINY["experiments"]["scenes"] | {"grid": {"mtan": ["ls"]}, "tables": [], "figures": []},
    },
    "tables": {"baseline": "ls"},
}
ROWS, SCENES = "data/processed/synthetic_rows", "data/processed/synthetic_scenes"
DAMAGED_RUN = "results/checkpoints/run.pt"
METRICS = places.METRICS.format(experiment="ranking")


def finished_project(folder: Path) -> None:
    """A project with two prepared data sets, four runs, a timing, a killed run, a kept model and collected metrics."""
    parameters = parse(PARAMETERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path(places.PARAMETERS).write_text(yaml.safe_dump(PARAMETERS, sort_keys=False))
        for name in ("synthetic_rows", "synthetic_scenes"):
            parameters.datasets[name].prepare(name, Path(places.PREPARED.format(dataset=name)))
        for run in parameters.runs("ranking"):
            _train(run, Path(ROWS))
        timed = parameters.all_timing_runs("ranking")
        write_record(Path(places.TIMING.format(**timed[0].wildcards)), measure(timed, Path(ROWS), 1, 1))
        Path(DAMAGED_RUN).parent.mkdir(parents=True)
        with pytest.raises(Killed):
            train(_run(parameters), Path(ROWS), checkpoint=Path(DAMAGED_RUN), minutes=0, watcher=Kills(2, 0.5))
        results.collect("ranking", Path(METRICS))
        for page in (f"{places.CLAIMS}.md", places.AUDIT):
            Path(page).write_text("# Stands for what the page shows, too\n")


def _train(run: RunConfig, data: Path) -> None:
    """A run as the workflow trains it, with a kept model."""
    files = {"predictions": places.PREDICTIONS, "steps": places.STEPS, "model": places.MODEL}
    made = {name: Path(pattern.format(**run.wildcards)) for name, pattern in files.items()}
    write_record(Path(places.RECORD.format(**run.wildcards)), train(run, data, **made))


def _run(parameters: Parameters, experiment: str = "ranking") -> RunConfig:
    return parameters.runs(experiment)[-1]


def training(experiment: str, data: str, *options: str) -> tuple[str, ...]:
    config = canonical(_run(parse(PARAMETERS), experiment))
    return ("train", "--config", config, "--data", data, "--output", "out.json", "--no-track", *options)


COLLECT = ("collect", "ranking", "out.parquet")
MODEL = places.MODEL.format(**_run(parse(PARAMETERS)).wildcards)
RECORD = places.RECORD.format(**_run(parse(PARAMETERS)).wildcards)
RAW = "data/raw/synthetic_rows"
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "run records": ("results/runs/**/seed-?.json", COLLECT),
    "timing records": ("results/speed/**/*.json", COLLECT),
    "predictions": ("results/runs/**/*.predictions.parquet", COLLECT),
    "numbers of steps": ("results/runs/**/*.steps.parquet", COLLECT),
    "prepared rows": (f"{ROWS}/*.parquet", training("ranking", ROWS)),
    "prepared scenes": (f"{SCENES}/*.parquet", training("scenes", SCENES)),
    "schema.json of rows": (f"{ROWS}/schema.json", training("ranking", ROWS)),
    "schema.json of scenes": (f"{SCENES}/schema.json", training("scenes", SCENES)),
    "marks of checked files": (f"{ROWS}/.*.verified", training("ranking", ROWS)),
    "checkpoints": ("results/checkpoints/*.pt", training("ranking", ROWS, "--checkpoint", DAMAGED_RUN)),
    "collected metrics": (METRICS, ("table", "auc", METRICS, "out")),
    "kept models": (MODEL, ("predict", MODEL, f"{RAW}/test.csv", "--output", "out.csv")),
    "their schemas": (str(schema_beside(Path(MODEL))), ("predict", MODEL, f"{RAW}/test.csv", "--output", "out.csv")),
    "marks of generated files": (f"{RAW}/{MARK}", ("prepare", "synthetic_rows", "--output", "out")),
}
"""Files of a project, and the command that reads them."""


def result_subject(name: str, project: Path) -> Subject:
    """The files of that name in a finished project."""
    pattern, arguments = CASES[name]
    files = [str(path.relative_to(project)) for path in sorted(project.glob(pattern))]
    return Subject(project, files, arguments, _numbers, ("out.json", "out.parquet", "out.csv", "out"))


def _numbers(project: Path) -> Any:
    """What a command has made."""
    if (project / "out.json").exists():
        return numbers(read_run(project / "out.json"))
    if (project / "out/schema.json").exists():
        return checksums(project / "out")
    return {path.name: path.read_bytes() for path in sorted(project.glob("out*/*")) + sorted(project.glob("out.*"))}
