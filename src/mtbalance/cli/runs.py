"""Commands that train models, time balancers, and show runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from mtbalance.cli.arguments import DataOption, prepared
from mtbalance.config.reading import checked
from mtbalance.config.run import RunConfig
from mtbalance.errors import UserError
from mtbalance.records import read_run, write_record


def train(
    config: Annotated[str, typer.Option(help="The run's configuration as JSON; `snakemake -p` prints it.")],
    output: Annotated[Path, typer.Option(help="Where the run record goes.")],
    data: DataOption = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Saved after each epoch; a killed run resumes.")] = None,
    sample: Annotated[Path | None, typer.Option(help="Where predictions for the first test rows go (.npz).")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Where those for all test rows go (.parquet).")] = None,
    steps: Annotated[Path | None, typer.Option(help="Where numbers of every training step go (.parquet).")] = None,
    track: Annotated[bool, typer.Option(help="Show the run in MLflow, from its start on.")] = True,
) -> None:
    """Train one model and write its run record."""
    from mtbalance.training.progress import ProgressBar, summary_line
    from mtbalance.training.run import train as run
    from mtbalance.training.watcher import Watcher, Watchers

    chosen: RunConfig = checked(RunConfig, config)
    name = f"{chosen.dataset} {chosen.backbone.name} {chosen.balancer.name} seed {chosen.seed}"
    folder = prepared(chosen.dataset, data)
    watchers: list[Watcher] = []
    if track:
        from mtbalance.tracking.live import Tracker

        watchers.append(tracker := Tracker())
    with ProgressBar(name, chosen.training.epochs) as bar:
        kept = {"checkpoint": checkpoint, "sample": sample, "predictions": predictions, "steps": steps}
        record = run(chosen, folder, **kept, watcher=Watchers([bar, *watchers]))
    typer.echo(f"{name}: {summary_line(record)}")
    write_record(output, record)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    if track and (failure := tracker.finish(output)):
        typer.echo(f"not logged to MLflow ({failure}); later: mtbalance track {output}", err=True)


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
    from mtbalance.tracking.store import Store

    if missing := [str(path) for path in records if not path.is_file()]:
        raise UserError(f"no run record {', '.join(missing)}: they are under results/runs")
    store = Store()
    for path in records:
        store.log(read_run(path), path)
    typer.echo(f"{len(records)} runs logged; look at them with: mtbalance ui")


def ui(
    experiment: Annotated[str | None, typer.Option(help="EXPERIMENT/DATASET; default: the one last logged to.")] = None,
    port: Annotated[int | None, typer.Option(help="Default: any free one.")] = None,
    open: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Show the runs in MLflow's pages, in a browser on this machine."""
    from mtbalance.tracking.server import serve

    with suppress(KeyboardInterrupt):
        serve(experiment, port, open, typer.echo)
