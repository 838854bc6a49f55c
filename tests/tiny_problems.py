"""Runs on tiny synthetic data, one experiment for each kind of problem."""

import copy
from pathlib import Path

import pytest

from mtbalance.config.reading import parse
from mtbalance.config.run import RunConfig

PARAMETERS = {
    "preset": "tiny",
    "presets": {"tiny": ["ranking", "scenes"]},
    "experiments": {
        "ranking": {
            "title": "Tiny",
            "datasets": ["synthetic_rows"],
            "grid": {"mmoe": ["ls"]},
            "seeds": [0],
            "model": {"problem": "ranking", "embedding": 4, "expert": [8], "tower": [8], "dropout": 0.1},
            "training": {"epochs": 2, "batch_size": 256, "patience": 0},
        },
        "scenes": {
            "title": "Tiny scenes",
            "datasets": ["synthetic_scenes"],
            "grid": {"segnet": ["ls"], "mtan": ["ls", "pub", "multibalance", "famo"]},
            "seeds": [0],
            "model": {"problem": "scenes", "width": 2},
            "training": {
                "epochs": 3,
                "batch_size": 4,
                "selection": "last",
                "last_epochs": 2,
                "patience": 0,
                "augment": True,
                "schedule": {"warmup": 0.2},
                "channels_last": True,
            },
            "tables": ["scenes"],
            "figures": ["scenes"],
        },
    },
    "datasets": {
        "synthetic_rows": {
            "adapter": "synthetic",
            "train_rows": 1500,
            "test_rows": 1500,
            "click_rate": 0.3,
            "conversion_rate": 0.1,
        },
        "synthetic_scenes": {
            "adapter": "synthetic_scenes",
            "train_scenes": 10,
            "test_scenes": 5,
            "height": 32,
            "width": 64,
        },
    },
    "backbones": {"mmoe": {"kind": "mmoe"}, "segnet": {"kind": "segnet"}, "mtan": {"kind": "mtan"}},
    "balancers": {
        "ls": {"level": "loss", "rule": "equal"},
        "pub": {"level": "update", "rule": "nash", "every": 2},
        "multibalance": {"level": "representation", "rule": "multibalance"},
        "famo": {"level": "loss", "rule": "famo"},
    },
}
EXPERIMENTS = tuple(PARAMETERS["experiments"])


def configure(experiment: str, balancer: str = "ls", backbone: str | None = None, **training) -> RunConfig:
    """A run of an experiment, with some of its training changed."""
    raw = copy.deepcopy(PARAMETERS)
    chosen = raw["experiments"][experiment]
    chosen["training"] |= training
    backbone = backbone or list(chosen["grid"])[-1]
    chosen["grid"] = {backbone: [balancer]}
    return parse(raw).run(experiment, chosen["datasets"][0], backbone, balancer, 0)


def prepared(experiment: str, folder: Path) -> Path:
    """The folder of an experiment's data, which are generated and prepared in ``folder``."""
    parameters = parse(PARAMETERS)
    name = parameters.experiments[experiment].datasets[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        parameters.datasets[name].prepare(name, folder / name)
    return folder / name
