"""Tiny trainings of PUB, its controls and its manipulations, collected, with everything that a run keeps."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mtbalance import places
from mtbalance.config.parameters import Parameters
from mtbalance.config.reading import parse
from mtbalance.records import write_record
from mtbalance.reporting.collect import collect
from mtbalance.training.run import train

UPDATE = {"level": "update", "rule": "nash", "every": 2}
PARAMETERS = {
    "preset": "tiny",
    "presets": {"tiny": ["tiny"]},
    "experiments": {
        "tiny": {
            "title": "Tiny",
            "datasets": ["synthetic_tiny"],
            "grid": {
                "mmoe": [
                    "ls",
                    "ls@optimizer.lr=0.02",
                    "equal_update@rescale=sum_to_1",
                    "equal_update@rescale=sum_to_K",
                    "pub@rescale=sum_to_1",
                    "pub",
                    "adatask",
                    "pub_adatask",
                    "clippy_adam@clip.absolute=0.001",
                    "clippy_adam@clip.absolute=0.1",
                    "pub_clippy@clip.absolute=0.001",
                    "pub_clippy@clip.absolute=0.1",
                ]
            },
            "seeds": [0, 1, 2],
            "model": {"embedding": 4, "expert": [8], "tower": [8], "dropout": 0.0},
            "training": {"epochs": 2, "batch_size": 256, "patience": 0, "optimizer": {"lr": 0.01}},
            "measure": ["cosines"],
        }
    },
    "datasets": {
        "synthetic_tiny": {
            "adapter": "synthetic",
            "train_rows": 1500,
            "test_rows": 1500,
            "click_rate": 0.3,
            "conversion_rate": 0.1,
        }
    },
    "backbones": {"mmoe": {"kind": "mmoe", "experts": 2}},
    "balancers": {
        "ls": {"level": "loss", "rule": "equal"},
        "equal_update": {"level": "update", "rule": "equal"},
        "pub": UPDATE,
        "adatask": {"level": "update", "rule": "equal", "manipulation": "adatask"},
        "pub_adatask": UPDATE | {"manipulation": "adatask"},
        "clippy_adam": {"level": "loss", "rule": "equal", "manipulation": "clippy"},
        "pub_clippy": UPDATE | {"manipulation": "clippy"},
    },
}
SEEDS = (0, 1, 2)


def cell(balancer: str, seed: int) -> dict[str, str | int]:
    """The wildcards of a run's paths."""
    return {
        "experiment": "tiny",
        "dataset": "synthetic_tiny",
        "backbone": "mmoe",
        "balancer": balancer,
        "seed": seed,
    }


def trained(folder: Path) -> pd.DataFrame:
    """Train all runs in a project ``folder``, and collect them."""
    parameters: Parameters = parse(PARAMETERS)
    data = parameters.datasets["synthetic_tiny"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        data.generate(folder / "data/raw/synthetic_tiny")
        data.prepare("synthetic_tiny", folder / "prepared")
    runs = parameters.runs("tiny")
    records, steps = [], []
    for run in runs:
        paths = [folder / place.format(**run.wildcards) for place in (places.RECORD, places.PREDICTIONS, places.STEPS)]
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        write_record(paths[0], train(run, folder / "prepared", predictions=paths[1], steps=paths[2]))
        records.append(paths[0])
        steps.append(paths[2])
    collect(records, list(runs), [], [], folder / "metrics.parquet", steps)
    return pd.read_parquet(folder / "metrics.parquet")
