"""Runs that keep their models: on a table with texts and missing numbers, with regressions, and on rows of ids."""

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

HEADER = "visit;country;device;visitor;note;minutes;pages;depth;speed;bought;returned"
VISITS = {
    "adapter": "table",
    "files": {"all": {"path": "data/raw/visits.csv"}},
    "separator": ";",
    "missing": ["", "?"],
    "categorical": [{"column": "country", "at_least": 5}, "device", {"column": "visitor", "buckets": 7}, "pages"],
    "numerical": [
        {"column": "minutes", "form": "log1p", "mark_missing": True},
        {"column": "pages", "form": "quantile"},
        {"column": "depth", "form": "bins", "mark_missing": True},
        "speed",
    ],
    "ignore": {"note": "free text"},
    "tasks": {
        "bought": {"column": "bought", "positive": ["yes"]},
        "returned": {"column": "returned", "positive": ["yes"]},
    },
    "group": "visit",
    "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
}
AMOUNTS = VISITS | {
    "categorical": ["country", {"column": "visitor", "buckets": 7}],
    "numerical": [{"column": "minutes", "mark_missing": True}, "depth"],
    "ignore": {"note": "free text", "device": "not needed"},
    "tasks": {
        "pages": {"column": "pages", "kind": "regression", "loss": "log1p"},
        "bought": {"column": "bought", "positive": ["yes"]},
        "speed": {"column": "speed", "kind": "regression", "loss": "huber"},
    },
}
PEOPLE = ["", *(f"person {number}" for number in range(40))]
DATASETS = {"rows": "synthetic_rows", "visits": "synthetic_visits", "amounts": "synthetic_amounts"}


class Kept(NamedTuple):
    """A run's files."""

    model: Path
    predictions: Path
    raw: Path
    """Rows in the data set's own form: all of them, or those of the test side."""
    test: Path
    """The raw rows of the test split, in its order."""
    data: Path
    """The folder of the prepared data."""


def parameters() -> Parameters:
    ranking = PARAMETERS["experiments"]["ranking"]
    training = ranking["training"] | {"optimizer": {"lr": 0.02}}
    experiments = {name: ranking | {"datasets": [data], "training": training} for name, data in DATASETS.items()}
    datasets = {"synthetic_rows": PARAMETERS["datasets"]["synthetic_rows"], "synthetic_visits": VISITS}
    datasets |= {"synthetic_amounts": AMOUNTS}
    return parse(PARAMETERS | {"presets": {"tiny": ["rows"]}, "experiments": experiments, "datasets": datasets})


def visits(count: int = 900) -> str:
    """A table whose first label depends on its features."""
    random = np.random.default_rng(0)
    lines = [HEADER]
    for number in range(count):
        country, device = random.choice(["NL", "ES", "deep blue", "?"]), random.choice(["phone", " desktop"])
        minutes = ["", "?", f"{random.exponential(9):.3f}"][min(number % 9, 2)]
        bought = "yes" if random.random() < (0.8 if country == "NL" else 0.2) else "no"
        visitor, depth = random.choice(PEOPLE), random.choice(["?", random.integers(-9, 9)])
        numbers = f"{minutes};{random.integers(1, 30)};{depth};{random.normal():.4f}"
        lines.append(f"v{number};{country};{device};{visitor};any;{numbers};{bought};{random.choice(['yes', 'no'])}")
    return "\n".join(lines) + "\n"


def keep(folder: Path) -> dict[str, Kept]:
    """Train a model on each data set, in ``folder``."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("data/raw").mkdir(parents=True)
        Path("data/raw/visits.csv").write_text(visits())
        chosen = parameters()
        raw = dict.fromkeys(DATASETS, folder / "data/raw/visits.csv")
        raw["rows"] = folder / "data/raw/synthetic_rows/test.csv"
        for name, dataset in DATASETS.items():
            chosen.datasets[dataset].prepare(dataset, folder / dataset)
            model, predictions = folder / f"{name}.model.safetensors", folder / f"{name}.predictions.parquet"
            record = train(
                chosen.run(name, dataset, "mmoe", "ls", 0), folder / dataset, model=model, predictions=predictions
            )
            write_record(folder / f"{name}.json", record)
            test = folder / dataset / "test.parquet"
            if name != "rows":  # its Parquet files have features, which differ from the cells of the table
                chosen_rows = pd.read_parquet(test, columns=["visit"])["visit"]
                table = pd.read_csv("data/raw/visits.csv", sep=";", dtype=str, keep_default_na=False)
                test = folder / f"{name}.test.csv"
                table[table["visit"].isin(set(chosen_rows))].to_csv(test, sep=";", index=False)
            found[name] = Kept(model, predictions, raw[name], test, folder / dataset)
    return found


def predicted(model: Path, rows: Path, unknown: Unknown | None = None) -> pd.DataFrame:
    """What a model predicts for the rows of a file."""
    tables = predictions(open_model(model), rows, Unknown() if unknown is None else unknown)
    return pd.concat([table.to_pandas() for table in tables], ignore_index=True)
