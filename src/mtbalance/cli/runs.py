"""Commands that train models, time balancers, and log runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbalance.cli.arguments import DataOption, prepared
from mtbalance.config.reading import checked
from mtbalance.config.run import RunConfig
from mtbalance.errors import UserError
from mtbalance.records import RunRecord, read_run, write_record


def train(
    config: Annotated[str, typer.Option(help="The run's configuration as JSON; `snakemake -p` prints it.")],
    output: Annotated[Path, typer.Option(help="Where the run record goes.")],
    data: DataOption = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Saved after each epoch; a killed run resumes.")] = None,
    sample: Annotated[Path | None, typer.Option(help="Where predictions for the first test rows go (.npz).")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Where those for all test rows go (.parquet).")] = None,
    steps: Annotated[Path | None, typer.Option(help="Where numbers of every training step go (.parquet).")] = None,
    track: Annotated[bool, typer.Option(help="Log the record to MLflow.")] = True,
) -> None:
    """Train one model and write its run record."""
    from mtbalance.training.progress import ProgressBar, summary_line
    from mtbalance.training.run import train as run

    chosen: RunConfig = checked(RunConfig, config)
    name = f"{chosen.dataset} {chosen.backbone.name} {chosen.balancer.name} seed {chosen.seed}"
    folder = prepared(chosen.dataset, data)
    with ProgressBar(name, chosen.training.epochs) as bar:
        kept = {"checkpoint": checkpoint, "sample": sample, "predictions": predictions, "steps": steps}
        record = run(chosen, folder, **kept, watcher=bar)
    typer.echo(f"{name}: {summary_line(record)}")
    write_record(output, record)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    if track:
        _track(record, output)


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
    record = measure(runs, prepared(runs[0].dataset, data), blocks, steps)
    for name, timing in record.balancers.items():
        typer.echo(f"{name}: {timing.relative_throughput:.3f} of the baseline's samples per second")
    write_record(output, record)


def track(records: list[Path]) -> None:
    """Log run RECORDS to MLflow again, as after a deleted database."""
    from mtbalance.tracking import log_record

    if missing := [str(path) for path in records if not path.is_file()]:
        raise UserError(f"no run record {', '.join(missing)}: they are under results/runs")
    for path in records:
        log_record(read_run(path), path)
    typer.echo(f"{len(records)} runs logged; look at them with: mlflow ui")


def _track(record: RunRecord, path: Path) -> None:
    """Log a run to MLflow. A failure is printed, with the command that repeats it; the run itself still counts."""
    try:
        from mtbalance.tracking import log_record

        log_record(record, path)
    except Exception as error:  # noqa: BLE001  nothing depends on the store
        typer.echo(f"not logged to MLflow ({type(error).__name__}: {error}); later: mtbalance track {path}", err=True)
