"""The commands that set runs against each other: two methods, and tries by hand with the workflow's runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.cli.arguments import ParametersOption, PresetOption, experiment_of, parameters_from
from mtbalance.errors import UserError

Cell = Annotated[str, typer.Argument(help="A backbone and a balancer, such as mmoe/pub.")]

NOISE = (
    "One run each: a difference is to be trusted only if it is larger than between seeds. To compare with an interval,"
    " put the variant into the experiment's grid in params.yaml, such as pub@every=5."
)


def compare(
    method: Cell,
    other: Cell,
    metric: Annotated[
        str | None, typer.Option(help="Such as mean_auc, or auc/click: a metric of one task; default: the answer's.")
    ] = None,
    experiment: Annotated[str | None, typer.Option(help="Default: the first one of the preset.")] = None,
    preset: PresetOption = None,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Compare METHOD with OTHER: per seed, the difference with its interval and p, and the cost of a step."""
    from rich.console import Console

    from mtbalance.reporting.collected import read_collected
    from mtbalance.reporting.duel import duel, outdated

    parameters = parameters_from(params, preset)
    name = experiment_of(parameters, experiment or next(iter(parameters.active())))
    path = Path(places.METRICS.format(experiment=name))
    if not path.exists():
        raise UserError(f"{path} is missing: run the workflow first, or name another --preset or --experiment")
    frame = read_collected(path)
    console = Console(highlight=False, soft_wrap=True)
    for line in duel(frame, method, other, metric):
        console.print(line)
    if said := outdated(frame, {method, other}, {run.digest() for run in parameters.runs(name)}):
        typer.echo(f"warning: {said}", err=True)


def tries(
    experiment: Annotated[str | None, typer.Option(help="Default: those of all experiments.")] = None,
) -> None:
    """List the runs that were tried by hand, what each changed, and how it did beside the workflow's run."""
    from rich.console import Console

    from mtbalance.records import RecordError, read_run
    from mtbalance.reporting.tries import Try, tables, try_of

    found: list[Try] = []
    for path in sorted(Path(places.TRIED, experiment or "").rglob("*.json")):
        try:
            found.append(try_of(read_run(path), path))
        except RecordError as error:
            typer.echo(f"warning: {error.fault}; try it again, or delete the file", err=True)
    console = Console(highlight=False, soft_wrap=True)
    for table in tables(found):
        console.print(table)
    if found:
        console.print(NOISE)
    else:
        where = Path(places.TRIED, experiment or "")
        console.print(f"{where} has no record: mtbalance train demo/mmoe/pub/0 --set balancer.every=5 tries something")
