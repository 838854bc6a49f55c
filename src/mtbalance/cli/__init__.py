"""The command ``mtbalance``, which the workflow's rules call and which can be called by hand.

The commands are in the same files as the workflow's rules: data, runs, results, toy. More are for people: ``plan``
before a preset is run, ``predict``, ``export``, ``verify`` and ``archive`` after it, and ``test`` for those who write a
rule.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mtbalance import places
from mtbalance.cli import compare, data, evidence, models, new, plan, results, runs, status, test, toy
from mtbalance.cli._outputs import refuse_unwritable
from mtbalance.cli.arguments import ParametersOption, PresetOption, parameters_from
from mtbalance.errors import UserError
from mtbalance.writing import NO_ROOM

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"mtbalance {version('mtbalance')}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Balance the training of one model on several tasks."""


@app.command()
def check(preset: PresetOption = None, params: ParametersOption = places.PARAMETERS) -> None:
    """Check the parameters, and the columns of tables that are there, and print what a preset will run."""
    parameters = parameters_from(params, preset)
    for dataset in dict.fromkeys(name for experiment in parameters.active().values() for name in experiment.datasets):
        parameters.datasets[dataset].look()
        typer.echo(f"{dataset}: tasks {', '.join(parameters.datasets[dataset].task_names())}")
    for name, experiment in parameters.active().items():
        runs = parameters.runs(name)
        tuned = f", {experiment.tuning.trials} trials of every method" if experiment.tuning else ""
        typer.echo(f"{name}: {experiment.title}: {len(runs)} runs on {', '.join(experiment.datasets)}{tuned}")


@app.command()
def schema(output: Annotated[Path, typer.Argument()] = Path(places.PARAMETERS_SCHEMA)) -> None:
    """Write the JSON schema of params.yaml, which editors read to complete and check its keys."""
    from mtbalance.config.json_schema import json_schema
    from mtbalance.writing import write_json

    refuse_unwritable(output)
    write_json(output, json_schema())


@app.command()
def reproduce() -> None:
    """Run the preset of params.yaml from data to tables, and list what was made."""
    from mtbalance.reproduce import reproduce as run

    run(parameters_from(places.PARAMETERS))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def snakemake(
    options: Annotated[list[str] | None, typer.Argument(help="Options and targets of snakemake, as they are.")] = None,
) -> None:
    """Run snakemake with OPTIONS, and show its progress in short, as `dvc repro` does."""
    from mtbalance.reproduce.quiet import snakemake as run

    raise typer.Exit(run(options or ()))


COMMANDS: tuple[Callable[..., None], ...] = (
    *(new.new, data.fetch, data.generate, data.prepare),
    *(runs.train, runs.train_several, runs.time, runs.references, runs.track, runs.ui),
    *(models.predict, models.export),
    *(results.collect, results.summarize, results.table, results.figure, results.picture),
    *(results.audit, results.market, results.claims, results.report, results.trials, results.calibrate),
    *(plan.plan, status.status, compare.compare, compare.tries),
    *(evidence.verify, evidence.archive),
    test.test,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(toy.app, name="toy")


def main() -> None:
    """Run the command. An error that the user can fix, such as a full disk, is printed without a traceback."""
    try:
        app()
    except UserError as error:
        _end(str(error))
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        _end(f"{error.filename or 'a file'} cannot be written: {error.strerror}; free disk space, then run this again")


def _end(said: str) -> NoReturn:
    typer.secho(f"mtbalance: {said}", err=True, fg=typer.colors.RED)
    sys.exit(1)
