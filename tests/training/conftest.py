"""A tiny prepared synthetic data set, and runs on it."""

import pytest

from mtbalance.config.reading import parse

PARAMETERS = {
    "preset": "tiny",
    "presets": {"tiny": ["tiny"]},
    "experiments": {
        "tiny": {
            "title": "Tiny",
            "datasets": ["synthetic_tiny"],
            "grid": {"single_task": ["ls"], "mmoe": ["ls", "nashmtl", "pub", "multibalance"]},
            "seeds": [0, 1],
            "model": {"embedding": 4, "expert": [8], "tower": [8], "dropout": 0.1},
            "training": {"epochs": 4, "batch_size": 256, "patience": 0},
        }
    },
    "datasets": {"synthetic_tiny": {"adapter": "synthetic", "train_rows": 1500, "test_rows": 1500, "click_rate": 0.3}},
    "backbones": {"single_task": {"kind": "single_task"}, "mmoe": {"kind": "mmoe", "experts": 2}},
    "balancers": {
        "ls": {"level": "loss", "rule": "equal"},
        "nashmtl": {"level": "gradient", "rule": "nash", "every": 3},
        "pub": {"level": "update", "rule": "nash", "every": 3},
        "multibalance": {"level": "representation", "rule": "multibalance"},
    },
}
PARAMETERS["datasets"]["synthetic_tiny"]["conversion_rate"] = 0.1


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    config = parse(PARAMETERS).datasets["synthetic_tiny"]
    assert config.adapter == "synthetic"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        config.generate(folder / "data/raw/synthetic_tiny")
        config.prepare("synthetic_tiny", folder / "prepared")
    return folder / "prepared"


@pytest.fixture
def configure():
    def run(balancer="ls", backbone="mmoe", seed=0, **training):
        raw = {**PARAMETERS, "experiments": {"tiny": {**PARAMETERS["experiments"]["tiny"]}}}
        raw["experiments"]["tiny"]["training"] = PARAMETERS["experiments"]["tiny"]["training"] | training
        return parse(raw).run("tiny", "synthetic_tiny", backbone, balancer, seed)

    return run
