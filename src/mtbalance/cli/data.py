"""Commands that fetch, generate and prepare data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.cli.arguments import BlockOption, ParametersOption, dataset_from, prepared
from mtbalance.config.addresses import shown
from mtbalance.config.datasets import RawFile
from mtbalance.config.reading import checked
from mtbalance.data import DataError


def fetch(
    path: str,
    url: Annotated[list[str] | None, typer.Option(help="An address of the file; several are tried in order.")] = None,
    sha256: Annotated[str | None, typer.Option(help="The file's SHA-256; any other file is refused.")] = None,
    size: Annotated[int | None, typer.Option("--bytes", help="The file's size; any other file is refused.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Its data set in params.yaml, which knows other ways.")] = None,
) -> None:
    """Download one raw file to PATH, from the first address that gives the right file.

    An address is https://..., hf:<owner>/<data set>@<revision>/<file> or gdrive:<folder or file id>/<name>. A download
    that ended early is continued. Without --sha256, what came first is remembered in data/sources.lock.json, and any
    other file is refused.
    """
    from mtbalance.data.files.fetching import fetch as download

    urls = _with_secrets(path, url or [], dataset)
    file = checked(RawFile, json.dumps({"path": path, "urls": urls, "sha256": sha256, "bytes": size}))
    try:
        download(file)
    except DataError as error:
        if dataset is None:
            raise
        raise DataError(f"{error}\n{dataset_from(dataset, None, places.PARAMETERS).routes(dataset)}") from error


def _with_secrets(path: str, urls: list[str], dataset: str | None) -> list[str]:
    """Addresses as params.yaml has them, if these are the same without user, password and query."""
    if dataset is None or not Path(places.PARAMETERS).is_file():
        return urls
    for file in dataset_from(dataset, None, places.PARAMETERS).raw_files():
        if file.path == path and [shown(address) for address in file.urls] == urls:
            return file.urls
    return urls


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
    """Turn the raw files of DATASET into Parquet; in a project by the workflow's own rule, as Snakemake would."""
    found = dataset_from(dataset, config, params)
    if Path("Snakefile").is_file() and (output, config, params) == (None, None, places.PARAMETERS):
        from mtbalance.reproduce.preparing import prepare as by_workflow

        typer.echo(by_workflow(dataset))
        return
    for line in found.prepare(dataset, prepared(dataset, output)).lines():
        typer.echo(line)
