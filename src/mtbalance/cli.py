"""The command ``mtbalance``: what the workflow's rules call, and what a person can call by hand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mtbalance.config import Dataset, RawFile, RunConfig
from mtbalance.errors import UserError
from mtbalance.params import Parameters, ParametersError, fault_lines, load, parse

app = typer.Typer(
    help="Balance the training of one model on several tasks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
toy = typer.Typer(help="Balancers on the toy problem: two losses of two numbers.", no_args_is_help=True)
app.add_typer(toy, name="toy")
DATA = Path("data/processed")
ParamsOption = Annotated[str, typer.Option("--params", help="A params.yaml, or parameters as JSON.", show_default=True)]


@app.command()
def check(params: ParamsOption = "params.yaml") -> None:
    """Check the parameters and say what the chosen preset will run."""
    parameters = _parameters(params)
    for name, experiment in parameters.active().items():
        runs = parameters.runs(name)
        typer.echo(f"{name}: {experiment.title}: {len(runs)} runs on {', '.join(experiment.datasets)}")


@app.command()
def reproduce() -> None:
    """Run the preset of params.yaml from data to tables, and say what was made."""
    from mtbalance.reproduce import reproduce as run

    run(_parameters("params.yaml"))


@app.command()
def fetch(path: str, url: Annotated[list[str] | None, typer.Option()] = None, sha256: str | None = None) -> None:
    """Download one raw file to PATH, from the first address that answers; its checksum decides."""
    from mtbalance.data.download import fetch as download

    download(RawFile(path=path, urls=url or [], sha256=sha256))


@app.command()
def generate(dataset: str, output: Path, config: str | None = None, params: ParamsOption = "params.yaml") -> None:
    """Write the raw files of a synthetic data set into the folder OUTPUT."""
    from mtbalance.data import generate as write

    write(dataset, _dataset(dataset, config, params), output)


@app.command()
def prepare(
    dataset: str, output: Path | None = None, config: str | None = None, params: ParamsOption = "params.yaml"
) -> None:
    """Turn the raw files of DATASET into Parquet, in OUTPUT or data/processed/DATASET."""
    from mtbalance.data import prepare as write

    schema = write(dataset, _dataset(dataset, config, params), output or DATA / dataset)
    for line in schema.lines():
        typer.echo(line)


@app.command()
def train(
    config: Annotated[str, typer.Option(help="The run's configuration as JSON; `snakemake -p` prints it.")],
    output: Annotated[Path, typer.Option(help="Where the run record goes.")],
    data: Annotated[Path | None, typer.Option(help="Folder of the prepared data set.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Saved after each epoch; a killed run goes on.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Where a picture of predictions goes (scenes).")] = None,
    track: Annotated[bool, typer.Option(help="Log the record to MLflow.")] = True,
) -> None:
    """Train one model and write its run record."""
    from mtbalance.console import ProgressBar
    from mtbalance.training.record import summary_line
    from mtbalance.training.run import train as run

    chosen = _validated(RunConfig, config)
    name = f"{chosen.dataset} {chosen.backbone.name} {chosen.balancer.name} seed {chosen.seed}"
    with ProgressBar(name, chosen.training.epochs) as progress:
        record = run(chosen, data or DATA / chosen.dataset, checkpoint, progress.line, progress.step, picture)
    typer.echo(f"{name}: {summary_line(record)}")
    write_json(record, output)
    if checkpoint:
        checkpoint.unlink(missing_ok=True)
    if track:
        _track(record, output)


@app.command()
def time(
    config: Annotated[str, typer.Option(help="Configurations of the runs as a JSON list, the baseline first.")],
    output: Path,
    data: Path | None = None,
    blocks: int = 10,
    steps: int = 10,
) -> None:
    """Time balancers against the baseline: training steps in turn, in one process."""
    from mtbalance.training.speed import measure

    runs = _validated(list[RunConfig], config)
    result = measure(runs, data or DATA / runs[0].dataset, blocks, steps)
    for name, numbers in result["balancers"].items():
        typer.echo(f"{name}: {numbers['relative_throughput']:.3f} of the baseline's samples per second")
    write_json(result, output)


@app.command()
def track(records: list[Path]) -> None:
    """Log run RECORDS to MLflow again, as after a deleted database."""
    from mtbalance.tracking import log_record

    if missing := [str(path) for path in records if not path.is_file()]:
        raise UserError(f"no run record {', '.join(missing)}: they are under results/runs")
    for path in records:
        log_record(json.loads(path.read_text()), path)
    typer.echo(f"{len(records)} runs logged; look at them with: mlflow ui")


@app.command()
def collect(
    experiment: str, output: Path, params: ParamsOption = "params.yaml", results: Path = Path("results")
) -> None:
    """Collect the run records and timings of EXPERIMENT into one Parquet file; stale ones are refused."""
    from mtbalance.reporting.collect import collect as write

    parameters = _parameters(params)
    if experiment not in parameters.experiments:
        raise UserError(f"no experiment {experiment!r}; there are {', '.join(parameters.experiments)}")
    expected = parameters.runs(experiment)
    records = [results / "runs" / f"{run.cell}.json" for run in expected]
    timings = [results / "speed" / experiment / d / f"{b}.json" for d, b in parameters.timed(experiment)]
    write(records, expected, timings, output)


@app.command()
def summarize(metrics: list[Path], output: Annotated[Path, typer.Option()]) -> None:
    """Write the mean test metrics of collected METRICS as JSON, for `dvc metrics diff`."""
    from mtbalance.reporting.summary import summary

    summary(metrics, output)


@app.command()
def table(
    name: str, metrics: Path, folder: Path, title: str = "", baseline: str = "ls", significance: float = 0.05
) -> None:
    """Write table NAME (such as auc) from collected METRICS into FOLDER, as CSV, Markdown and LaTeX."""
    from mtbalance.reporting.tables import write_table

    write_table(name, metrics, folder / name, title=title, baseline=baseline, significance=significance)


@app.command()
def figure(name: str, metrics: Path, folder: Path, title: str = "", baseline: str = "ls") -> None:
    """Draw figure NAME (such as curves) from collected METRICS into FOLDER, as PNG and PDF."""
    from mtbalance.reporting.figures import write_figure

    write_figure(name, metrics, folder / name, title=title, baseline=baseline)


@toy.command("landscape")
def toy_landscape(output: Path, scale: float = 1.0) -> None:
    """Write the toy problem's losses on a grid, its Pareto front and its balanced optimum, as Parquet."""
    from mtbalance.studies.toy_landscape import landscape

    landscape(scale).to_parquet(output)


@toy.command("run")
def toy_run(method: str, output: Path, scale: float = 1.0, steps: int = 30_000) -> None:
    """Follow METHOD from the five starts of the toy problem, and write its trajectories as Parquet."""
    from mtbalance.studies.toy_methods import METHODS
    from mtbalance.studies.toy_trajectory import trajectories

    if method not in METHODS:
        raise UserError(f"the toy problem has no method {method}; there are {', '.join(METHODS)}")
    trajectories(method, scale=scale, steps=steps).to_parquet(output)


@toy.command("report")
def toy_report(stem: Path, landscape: Path, trajectories: list[Path]) -> None:
    """Draw TRAJECTORIES on LANDSCAPE (STEM .png and .pdf), and write where they end (STEM .csv)."""
    from mtbalance.reporting.toy import write_report

    write_report(landscape, trajectories, stem)


def write_json(content: dict, path: Path) -> None:
    """Write JSON under its final name only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    partial.replace(path)


def main() -> None:
    """Run the command; what a user can put right is printed without a traceback."""
    try:
        app()
    except UserError as error:
        typer.secho(f"mtbalance: {error}", err=True, fg=typer.colors.RED)
        sys.exit(1)


def _parameters(params: str) -> Parameters:
    return parse(_json(params)) if params.lstrip().startswith("{") else load(Path(params))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ParametersError(f"this is not JSON ({error}): {text}") from None


def _validated(kind: Any, config: str) -> Any:
    """Configuration as JSON, checked to be of a kind."""
    from pydantic import TypeAdapter, ValidationError

    raw = _json(config)
    try:
        return TypeAdapter(kind).validate_python(raw)
    except ValidationError as error:
        raise ParametersError("\n".join(fault_lines(error, raw))) from None


def _dataset(name: str, config: str | None, params: str) -> Dataset:
    if config is not None:
        return _validated(Dataset, config)
    datasets = _parameters(params).datasets
    if name not in datasets:
        raise ParametersError(f"datasets.{name} is not defined; there are {', '.join(datasets)}")
    return datasets[name]


def _track(record: dict, path: Path) -> None:
    """Log to MLflow. A view must not cost a run: a failure is told, and can be made good."""
    try:
        from mtbalance.tracking import log_record

        log_record(record, path)
    except Exception as error:  # noqa: BLE001  any fault of a store that nothing depends on
        typer.echo(f"not logged to MLflow ({type(error).__name__}: {error}); later: mtbalance track {path}", err=True)
