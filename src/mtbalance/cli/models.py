"""Commands that use a kept model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mtbalance import places
from mtbalance.cli._outputs import refuse_unwritable
from mtbalance.cli.arguments import ParametersOption, parameters_from
from mtbalance.config.by_name import run_named
from mtbalance.errors import UserError

if TYPE_CHECKING:
    from mtbalance.inference.model import Model

ENDING = ".safetensors"
RunArgument = Annotated[str, typer.Argument(help=f"A run by its name, such as demo/mmoe/pub/0, or a {ENDING} file.")]


def predict(
    run: RunArgument,
    table: Annotated[Path, typer.Argument(help="Raw rows: CSV (also .gz or .zip) or Parquet, labels not needed.")],
    output: Annotated[
        Path | None, typer.Option(help="Where predictions go (.parquet or .csv); default: printed as CSV.")
    ] = None,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Predict probabilities, and numbers of regressions, for the raw rows of TABLE with the model that RUN kept."""
    from mtbalance.inference.predicting import Unknown, predictions, write_predictions

    refuse_unwritable(output)
    unknown = Unknown()
    write_predictions(predictions(_model(run, params), table, unknown), output)
    for line in unknown.lines():
        typer.echo(line, err=True)


def export(
    run: RunArgument,
    output: Annotated[
        Path | None, typer.Option(help="Folder to write to; default: below results/exported, for a run by its name.")
    ] = None,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Export the model that RUN kept as a program that needs torch alone, with the encoding of raw rows."""
    from mtbalance.inference.exporting import PROGRAM, export_model

    model = _model(run, params)
    folder = output or Path(places.EXPORTED.format(**model.config.wildcards))
    refuse_unwritable(folder / PROGRAM)
    export_model(model, folder)
    typer.echo(f"{folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}")


def _model(run: str, params: str) -> Model:
    """The kept model of a run. Raises ``UserError`` if there is none, or one of other settings."""
    from mtbalance.inference.model import open_model

    if run.endswith(ENDING):
        return open_model(Path(run))
    chosen = run_named(parameters_from(params), run)
    path = Path(places.MODEL.format(**chosen.wildcards))
    if not path.is_file():
        raise UserError(
            f"{path} is not here: experiments.{chosen.experiment} needs `keep: [model]`, and the run must be trained"
            f" (snakemake --cores 2 '{path}')"
        )
    model = open_model(path)
    if model.config.digest() != chosen.digest():
        raise UserError(f"{path} was trained with other settings than the present ones; train the run again")
    return model
