"""save_served: a kept model in MLflow's form, which `mlflow models serve` answers raw rows with.

It is the exported model with the script that reads raw rows, so it needs no mtbalance where it is served.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from mtbalance.inference import score
from mtbalance.inference.exporting import SCORE, encoding, export_model
from mtbalance.inference.model import Model, open_model

TYPES = {str: DataType.string, int: DataType.long, float: DataType.double}
NEEDED = ("numpy", "pandas", "torch")
"""What the script imports."""


def save_served(kept: Path, folder: Path) -> None:
    """Write MLflow's form of a kept model into the new ``folder``."""
    model = open_model(kept)
    with tempfile.TemporaryDirectory() as place:
        exported = Path(place, "exported")
        export_model(model, exported)
        mlflow.pyfunc.save_model(
            folder,
            loader_module=score.__name__.rpartition(".")[2],
            data_path=str(exported),
            code_paths=[str(exported / SCORE)],
            signature=signature(model),
            input_example=pd.DataFrame([raw_row(model)]),
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in NEEDED],
        )


def signature(model: Model) -> ModelSignature:
    """The columns of a raw row with their types, and those of an answer."""
    columns = [ColSpec(TYPES[type(value)], name) for name, value in raw_row(model).items()]
    return ModelSignature(Schema([*columns]), Schema([ColSpec(DataType.float, name) for name in model.columns]))


def raw_row(model: Model) -> dict[str, str | int | float]:
    """An example of a raw row: the first value of each category, and the mean of each number.

    A column that is both is a text.
    """
    known = encoding(model)
    row: dict[str, str | int | float] = {}
    for category, stored in zip(known["categorical"], model.schema.categorical, strict=True):
        if not category.get("mark"):
            values: Sequence[str | int] = stored.vocabulary
            row[category["column"]] = "" if "buckets" in category else next(iter(values), "")
    for number, column in zip(known["numerical"], model.schema.numerical, strict=True):
        row.setdefault(number["column"], column.mean)
    return row
