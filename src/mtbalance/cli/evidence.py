"""Commands that check what lies in a project, and pack it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.cli import results
from mtbalance.cli._outputs import refuse_unwritable
from mtbalance.cli.arguments import ParametersOption, PresetOption, parameters_from
from mtbalance.errors import UserError


def verify(preset: PresetOption = None, params: ParametersOption = places.PARAMETERS) -> None:
    """Check data, records, predictions, metrics and tables of a preset against each other, and name what differs."""
    from mtbalance.reporting.formats import counted
    from mtbalance.verification.verify import verify as check

    parameters = parameters_from(params, preset)
    found = check(parameters, lambda experiment, output: results.collect(experiment, output, params))
    if not found.counts:
        raise UserError(f"nothing is here of the preset {parameters.preset}: run the workflow first")
    for difference in found.differences:
        typer.echo(difference)
    if found.differences:
        raise UserError(f"{counted(len(found.differences), 'difference')} in {found.said()}")
    typer.echo(f"{found.said()}: all as they should be")


def archive(
    output: Annotated[Path, typer.Argument(help="Such as supplement.tar.xz.")],
    predictions: Annotated[bool, typer.Option("--predictions", help="With those for all test rows.")] = False,
    preset: PresetOption = None,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Pack the evidence of a preset into one file: records, metrics and tables, with the commit and checksums."""
    from mtbalance.verification.archive import write_archive

    refuse_unwritable(output)
    count = write_archive(output, parameters_from(params, preset), predictions)
    typer.echo(f"{output}: {count} files, {output.stat().st_size / 2**20:.1f} MiB")
