"""The command ``mtbalance``, which the workflow's rules call and which can be called by hand.

The commands are in the same files as the workflow's rules: data, runs, results, toy. Two more are for people:
``plan`` before a preset is run, and ``test`` for those who write a rule.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from mtbalance import places
from mtbalance.cli import data, plan, results, runs, test, toy
from mtbalance.cli.arguments import ParametersOption, parameters_from
from mtbalance.errors import UserError

app = typer.Typer(
    help="Balance the training of one model on several tasks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def check(params: ParametersOption = places.PARAMETERS) -> None:
    """Check the parameters and print what the chosen preset will run."""
    parameters = parameters_from(params)
    for name, experiment in parameters.active().items():
        runs = parameters.runs(name)
        typer.echo(f"{name}: {experiment.title}: {len(runs)} runs on {', '.join(experiment.datasets)}")


@app.command()
def reproduce() -> None:
    """Run the preset of params.yaml from data to tables, and list what was made."""
    from mtbalance.reproduce import reproduce as run

    run(parameters_from(places.PARAMETERS))


COMMANDS: tuple[Callable[..., None], ...] = (
    *(data.fetch, data.generate, data.prepare),
    *(runs.train, runs.time, runs.track),
    *(results.collect, results.summarize, results.table, results.figure, results.picture, results.audit),
    results.market,
    plan.plan,
    test.test,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(toy.app, name="toy")


def main() -> None:
    """Run the command. An error that the user can fix is printed without a traceback."""
    try:
        app()
    except UserError as error:
        typer.secho(f"mtbalance: {error}", err=True, fg=typer.colors.RED)
        sys.exit(1)
