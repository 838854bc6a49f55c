"""Commands that fetch, generate and prepare data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.cli.arguments import BlockOption, ParametersOption, dataset_from, prepared
from mtbalance.config.datasets import RawFile


def fetch(
    path: str,
    url: Annotated[list[str] | None, typer.Option(help="An address of the file; several are tried in order.")] = None,
    sha256: Annotated[str | None, typer.Option(help="The file's SHA-256; any other file is refused.")] = None,
) -> None:
    """Download one raw file to PATH, from the first address that gives the right file."""
    from mtbalance.data.files.download import fetch as download

    download(RawFile(path=path, urls=url or [], sha256=sha256))


def generate(
    dataset: str, output: Path, config: BlockOption = None, params: ParametersOption = places.PARAMETERS
) -> None:
    """Write the raw files of a synthetic data set into the folder OUTPUT."""
    dataset_from(dataset, config, params).generate(output)


def prepare(
    dataset: str,
    output: Annotated[Path | None, typer.Option(help="Folder to write to; default: its place in the project.")] = None,
    config: BlockOption = None,
    params: ParametersOption = places.PARAMETERS,
) -> None:
    """Turn the raw files of DATASET into Parquet."""
    manifest = dataset_from(dataset, config, params).prepare(dataset, prepared(dataset, output))
    for line in manifest.lines():
        typer.echo(line)
