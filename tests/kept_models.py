"""Runs that keep their models: on a table with texts and missing numbers, and on rows with whole numbers as ids."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import parse
from mtbalance.inference.model import open_model
from mtbalance.inference.predicting import Unknown, predictions
from mtbalance.records import write_record
from mtbalance.training.run import train
from tiny_problems import PARAMETERS

HEADER = "visit;country;device;minutes;pages;bought;returned"
VISITS = {
    "adapter": "table",
    "files": {"all": {"path": "visits.csv"}},
    "separator": ";",
    "missing": ["", "?"],
    "categorical": ["country", "device"],
    "numerical": ["minutes", "pages"],
    "tasks": {
        "bought": {"column": "bought", "positive": ["yes"]},
        "returned": {"column": "returned", "positive": ["yes"]},
    },
    "group": "visit",
    "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
}
DATASETS = {"rows": "synthetic_rows", "visits": "synthetic_visits"}


class Kept(NamedTuple):
    """A run's files."""

    model: Path
    predictions: Path
    raw: Path
    """Rows in the data set's own form: all of them, or those of the test side."""
    data: Path
    """The folder of the prepared data."""


def parameters() -> Parameters:
    ranking = PARAMETERS["experiments"]["ranking"]
    training = ranking["training"] | {"optimizer": {"lr": 0.02}}
    experiments = {name: ranking | {"datasets": [data], "training": training} for name, data in DATASETS.items()}
    datasets = {"synthetic_rows": PARAMETERS["datasets"]["synthetic_rows"], "synthetic_visits": VISITS}
    return parse(PARAMETERS | {"presets": {"tiny": ["rows"]}, "experiments": experiments, "datasets": datasets})


def visits(count: int = 900) -> str:
    """A table whose first label depends on its features."""
    random = np.random.default_rng(0)
    lines = [HEADER]
    for number in range(count):
        country, device = random.choice(["NL", "ES", "deep blue", "?"]), random.choice(["phone", " desktop"])
        minutes = ["", "?", f"{random.exponential(9):.3f}"][min(number % 9, 2)]
        bought = "yes" if random.random() < (0.8 if country == "NL" else 0.2) else "no"
        lines.append(
            f"v{number};{country};{device};{minutes};{random.integers(1, 30)};{bought};{random.choice(['yes', 'no'])}"
        )
    return "\n".join(lines) + "\n"


def keep(folder: Path) -> dict[str, Kept]:
    """Train a model on each data set, in ``folder``."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("visits.csv").write_text(visits())
        chosen = parameters()
        raw = {"rows": folder / "data/raw/synthetic_rows/test.csv", "visits": folder / "visits.csv"}
        for name, dataset in DATASETS.items():
            chosen.datasets[dataset].prepare(dataset, folder / dataset)
            model, predictions = folder / f"{name}.model.safetensors", folder / f"{name}.predictions.parquet"
            record = train(
                chosen.run(name, dataset, "mmoe", "ls", 0), folder / dataset, model=model, predictions=predictions
            )
            write_record(folder / f"{name}.json", record)
            found[name] = Kept(model, predictions, raw[name], folder / dataset)
    return found


def predicted(model: Path, rows: Path, unknown: Unknown | None = None) -> pd.DataFrame:
    """What a model predicts for the rows of a file."""
    tables = predictions(open_model(model), rows, Unknown() if unknown is None else unknown)
    return pd.concat([table.to_pandas() for table in tables], ignore_index=True)
