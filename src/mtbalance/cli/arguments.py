"""Arguments that several commands have: parameters, data sets, folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mtbalance import places
from mtbalance.config.datasets import AnyDataset, Dataset
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import ParametersError, checked, parse_json, read_parameters
from mtbalance.errors import UserError
from mtbalance.registry import unknown

ParametersOption = Annotated[str, typer.Option("--params", help="A params.yaml, or parameters as JSON.")]
PresetOption = Annotated[str | None, typer.Option("--preset", help="Default: the preset of the parameters.")]
BlockOption = Annotated[
    str | None, typer.Option("--config", help="The data set's block as JSON, in place of the one in --params.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="Folder of the prepared data set; default: its place in the project.")
]


def parameters_from(params: str, preset: str | None = None) -> Parameters:
    """Parameters from a file, or from JSON; with another preset than theirs, if one is given."""
    found = parse_json(params) if params.lstrip().startswith("{") else read_parameters(Path(params))
    if preset is None:
        return found
    if preset not in found.presets:
        raise UserError(unknown("preset", preset, list(found.presets)))
    return found.model_copy(update={"preset": preset})


def experiment_of(parameters: Parameters, name: str) -> str:
    """The name of an experiment, if the parameters have it."""
    if name not in parameters.experiments:
        raise UserError(unknown("experiment", name, list(parameters.experiments)))
    return name


def dataset_from(name: str, config: str | None, params: str) -> Dataset:
    """A data set's block: ``config`` as JSON, or the one of that name in the parameters."""
    if config is not None:
        found: Dataset = checked(AnyDataset, config)
        return found
    datasets = parameters_from(params).datasets
    if name not in datasets:
        raise ParametersError(f"datasets.{name} is not defined; there are {', '.join(datasets)}")
    return datasets[name]


def prepared(dataset: str, folder: Path | None) -> Path:
    """The folder of a prepared data set: ``folder``, or its place in the project."""
    return folder or Path(places.PREPARED.format(dataset=dataset))
