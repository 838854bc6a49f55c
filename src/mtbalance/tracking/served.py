"""save_served: a kept model in MLflow's form, which `mlflow models serve` answers raw rows with.

It is the exported model with the script that reads raw rows, so it needs no mtbalance where it is served.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from mtbalance.data.ranking.raw_rows import is_text
from mtbalance.inference import score
from mtbalance.inference.exporting import SCORE, export_model
from mtbalance.inference.model import Model, open_model

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
            input_example=example(model),
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in NEEDED],
        )


def signature(model: Model) -> ModelSignature:
    """The columns of a raw row with their types, and those of an answer."""
    categories = [
        ColSpec(DataType.string if is_text(column) else DataType.long, column.name)
        for column in model.schema.categorical
    ]
    numbers = [ColSpec(DataType.double, column.name) for column in model.schema.numerical]
    return ModelSignature(Schema([*categories, *numbers]), Schema([ColSpec(DataType.float, n) for n in model.columns]))


def example(model: Model) -> pd.DataFrame:
    """A raw row: the first value of each category, and the mean of each number."""
    categories = {column.name: column.vocabulary[0] for column in model.schema.categorical}
    return pd.DataFrame([categories | {column.name: column.mean for column in model.schema.numerical}])
