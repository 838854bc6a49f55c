"""Commands of the toy problem."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbalance.errors import UserError
from mtbalance.registry import unknown
from mtbalance.writing import replacing

app = typer.Typer(help="Balancers on the toy problem: two losses of two numbers.", no_args_is_help=True)
ScaleOption = Annotated[float, typer.Option(help="Factor of the first loss.")]


@app.command()
def landscape(output: Path, scale: ScaleOption = 1.0) -> None:
    """Write the toy problem's losses on a grid, its Pareto front and its balanced optimum, as Parquet."""
    from mtbalance.studies.toy_landscape import landscape

    with replacing(output) as partial:
        landscape(scale).to_parquet(partial)


@app.command()
def run(
    method: str,
    output: Path,
    scale: ScaleOption = 1.0,
    steps: Annotated[int, typer.Option(help="Steps of each trajectory.")] = 30_000,
) -> None:
    """Follow METHOD from the five starts of the toy problem, and write its trajectories as Parquet."""
    from mtbalance.studies.toy_methods import METHODS
    from mtbalance.studies.toy_trajectory import trajectories

    if method not in METHODS:
        raise UserError(unknown("method", method, list(METHODS)))
    with replacing(output) as partial:
        trajectories(method, scale=scale, steps=steps).to_parquet(partial)


@app.command()
def report(stem: Path, landscape: Path, trajectories: list[Path]) -> None:
    """Draw TRAJECTORIES on LANDSCAPE (STEM .png, .pdf and .svg), and write where they end (STEM .csv)."""
    from mtbalance.reporting.toy import write_report

    write_report(landscape, trajectories, stem)
