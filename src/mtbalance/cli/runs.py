"""Commands that train models, time balancers, and show runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.cli._outputs import refuse_unwritable
from mtbalance.cli.arguments import DataOption, ParametersOption, parameters_from, prepared
from mtbalance.config.by_name import FORM, record_of_try, run_named
from mtbalance.config.reading import checked
from mtbalance.config.run import RunConfig
from mtbalance.errors import UserError
from mtbalance.faults import briefly
from mtbalance.records import RecordError, RunRecord, read_run, write_record


def train(
    run: Annotated[str | None, typer.Argument(help=f"A run by its name: {FORM}.")] = None,
    set: Annotated[list[str] | None, typer.Option(help="Replace a key of RUN, such as balancer.every=5.")] = None,
    config: Annotated[
        str | None, typer.Option(help="In place of RUN: a configuration as JSON, or a file that holds it.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help=f"Where the run record goes; default, for a RUN: below {places.TRIED}, --set in its name."),
    ] = None,
    data: DataOption = None,
    params: ParametersOption = places.PARAMETERS,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Saved every few minutes and on SIGTERM; a killed run resumes.")
    ] = None,
    sample: Annotated[Path | None, typer.Option(help="Where predictions for the first test rows go (.npz).")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Where those for all test rows go (.parquet).")] = None,
    valid_predictions: Annotated[
        Path | None, typer.Option(help="Where those for all valid rows go (.parquet).")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Where the weights go (.safetensors); the schema, beside.")] = None,
    steps: Annotated[Path | None, typer.Option(help="Where numbers of every training step go (.parquet).")] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes that train it together, each on its part of every batch.")
    ] = 1,
    track: Annotated[
        bool | None, typer.Option(help="Show the run in MLflow, from its start on; default: with --config.")
    ] = None,
) -> None:
    """Train one model and write its run record.

    `mtbalance train demo/mmoe/pub/0 --set balancer.every=5` tries something: the workflow's results stay as they are.
    The workflow itself gives --config and --output.
    """
    from mtbalance.training.checkpoint import files
    from mtbalance.training.progress import ProgressBar, summary_line
    from mtbalance.training.run import train as run_it
    from mtbalance.training.watcher import Watcher, Watchers

    chosen = _chosen(run, set or [], config, params)
    output = output or record_of_try(chosen, set or [])
    track = run is None if track is None else track
    name = f"{chosen.experiment}: {chosen.dataset} {chosen.backbone.name} {chosen.balancer.name} seed {chosen.seed}"
    refuse_unwritable(output, checkpoint, sample, predictions, valid_predictions, model, steps)
    folder = prepared(chosen.dataset, data)
    watchers: list[Watcher] = []
    if track:
        from mtbalance.tracking.live import Tracker

        watchers.append(tracker := Tracker(output))
    with ProgressBar(name, chosen.training.epochs) as bar:
        record = run_it(
            chosen,
            folder,
            checkpoint=checkpoint,
            sample=sample,
            predictions=predictions,
            valid_predictions=valid_predictions,
            model=model,
            steps=steps,
            processes=processes,
            watcher=Watchers([bar, *watchers]),
        )
    typer.echo(f"{name}: {summary_line(record)}")
    write_record(output, record)
    if run is not None:
        from mtbalance.reporting.tries import beside

        typer.echo(f"its record: {output}{beside(record, output)}")
    for file in files(checkpoint) if checkpoint and places.KEEP_CHECKPOINTS not in os.environ else ():
        file.unlink(missing_ok=True)
    if track and (failure := tracker.finish()):
        from mtbalance.planning.status import UNLOGGED

        typer.echo(f"{UNLOGGED} ({failure}); later: mtbalance track {output}", err=True)


def train_several(runs: list[str]) -> None:
    """Train RUNS one after another: each the options of a `train`, as a JSON list, after the path of its log.

    A run that fails does not keep the others from being trained. Imports are done once for all of them.
    """
    from mtbalance.forkserver.in_turn import train_in_turn

    train_in_turn([json.loads(run) for run in runs], typer.echo)


def _chosen(name: str | None, changes: list[str], config: str | None, params: str) -> RunConfig:
    """The configuration of the run that was asked for."""
    if name is not None and config is None:
        return run_named(parameters_from(params), name, changes)
    if config is None or name is not None or changes:
        raise UserError("name a run (and --set its keys), or give --config")
    found: RunConfig = checked(RunConfig, config if config.lstrip().startswith("{") else _text(Path(config)))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--config {path} cannot be read: {error}") from None


def time(
    config: Annotated[str, typer.Option(help="Configurations of the runs as a JSON list, the baseline first.")],
    output: Path,
    data: DataOption = None,
    blocks: Annotated[int, typer.Option(help="Blocks of steps, all balancers taking turns.")] = 10,
    steps: Annotated[int, typer.Option(help="Steps in a block.")] = 10,
) -> None:
    """Time balancers against the baseline: training steps in turn, in one process."""
    from mtbalance.training.speed import measure

    runs: list[RunConfig] = checked(list[RunConfig], config)
    refuse_unwritable(output)
    record = measure(runs, prepared(runs[0].dataset, data), blocks, steps)
    for name, timing in record.balancers.items():
        typer.echo(f"{name}: {timing.relative_throughput:.3f} of the baseline's samples per second")
    write_record(output, record)


def references(
    dataset: str,
    output: Path,
    data: DataOption = None,
    predictions: Annotated[Path | None, typer.Option(help="Where those for all test rows go (.parquet).")] = None,
) -> None:
    """Fit a constant, logistic regression and gradient boosting to each task of the ranking data set DATASET."""
    from mtbalance.studies.references import references as fit

    refuse_unwritable(output, predictions)
    record = fit(dataset, prepared(dataset, data), predictions)
    for name, model in record.models.items():
        metric = "auc" if "auc" in model.test else "r2"
        said = ", ".join(
            f"{task} {metric} {value:.4f} ({model.chosen[task]})" for task, value in model.test[metric].items()
        )
        typer.echo(f"{name}: {said}; {model.seconds:.1f} s")
    write_record(output, record)


def track(records: list[Path]) -> None:
    """Log run RECORDS to MLflow again, as after a deleted database."""
    from mtbalance.tracking.store import Store

    if missing := [str(path) for path in records if not path.is_file()]:
        raise UserError(f"no run record {', '.join(missing)}: they are under results/runs")
    records = [path for path in records if not path.name.endswith(places.SCHEMA_ENDING)]  # a pattern may match them
    with _told("does not take the runs"):
        store = Store()
        for path in records:
            store.log(_record(path), path)
    typer.echo(f"{len(records)} runs logged; look at them with: mtbalance ui")


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Say in one line what MLflow's store has against being used."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    from mtbalance.tracking.home import database

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        named = "MLFLOW_TRACKING_URI" if "MLFLOW_TRACKING_URI" in os.environ else "the store"
        raise UserError(f"{named} {database()} {what}: {briefly(error)}; mend that, and run this again") from error


def _record(path: Path) -> RunRecord:
    """The record in a file. Only if the file is one of the workflow's a message advises to delete it."""
    try:
        return read_run(path)
    except RecordError as error:
        if places.RUNS.partition("{")[0] in f"{path.absolute()}":
            raise
        raise UserError(f"{error.fault}; name run records, such as those under results/runs") from None


def ui(
    experiment: Annotated[
        str | None, typer.Option(help="EXPERIMENT/DATASET; default: the preset's first, or the one last logged to.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Default: any free one.")] = None,
    open: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Show the runs in MLflow's pages, in a browser on this machine."""
    from mtbalance.tracking.server import serve

    active = parameters_from(params).active() if Path(params).exists() else {}  # MLflow's runs are here without it
    preset = [f"{name}/{dataset}" for name, block in active.items() for dataset in block.datasets]
    with suppress(KeyboardInterrupt), _told("cannot be read"):
        serve(experiment, port, open, typer.echo, preset)
