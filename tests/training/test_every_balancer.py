"""Every balancer of params.yaml trains on every backbone that it fits, and goes on bit for bit from a saved state."""

import copy
from pathlib import Path

import pytest
import torch

from entries import backbone_class
from mtbalance.balancing.balancer import assemble
from mtbalance.balancing.options import OptimizerOptions
from mtbalance.config.reading import read_parameters
from mtbalance.config.training import TrainingConfig
from mtbalance.data.batch import Batch
from mtbalance.models.ranking._options import RankingShape, RankingSizes
from mtbalance.models.scenes._options import SceneSizes
from mtbalance.tasks.binary import Binary
from mtbalance.tasks.depth import Depth
from mtbalance.tasks.normal import Normal
from mtbalance.tasks.segmentation import Segmentation
from mtbalance.training.seeding import random_state, restore_random_state, seed_everything
from mtbalance.training.step import train_step

PARAMETERS = read_parameters(Path(__file__).parents[2] / "params.yaml")
SIZES = RankingSizes(embedding=4, expert=[8, 6], tower=[5], dropout=0.1)
CPU = torch.device("cpu")
TASKS = {
    "ranking": [Binary("click", "CTR"), Binary("conversion", "CTCVR")],
    "scenes": [Segmentation("segmentation", ""), Depth("depth", ""), Normal("normal", "")],
}
TRAINING = TrainingConfig(epochs=1)
SCENES = {name for name, kind in PARAMETERS.backbones.items() if kind.package.endswith("scenes")}
IN_EXPERIMENTS = {
    name for experiment in PARAMETERS.experiments.values() for names in experiment.grid.values() for name in names
}
IN_SCENES = PARAMETERS.experiments["demo_scenes"].grid["mtan"]
PAIRS = [
    pytest.param(name, backbone, marks=[pytest.mark.long] * (name not in IN_SCENES and backbone in SCENES))
    for name, options in PARAMETERS.balancers.items()
    for backbone, kind in PARAMETERS.backbones.items()
    if options.level == "loss" or kind.shares
    if name in IN_EXPERIMENTS or backbone == "mmoe"
]
"""All pairs of a balancer of some experiment and a backbone; the other balancers with MMOE alone. On the backbones of
scenes, which take seconds, only the balancers of the demo are not left to `make proofs`."""


def problem_of(backbone: str) -> str:
    """The kind of problem, which is the folder of the backbone's file."""
    return PARAMETERS.backbones[backbone].package.rpartition(".")[2]


def batches(problem: str, count: int) -> list[Batch]:
    torch.manual_seed(1)
    return [scenes() if problem == "scenes" else rows() for _ in range(count)]


def rows() -> Batch:
    labels = tuple((torch.rand(32) < 0.4).float() for _ in range(2))
    return Batch((torch.randint(0, 3, (32, 4)), torch.rand(32, 5)), labels)


def scenes() -> Batch:
    classes, normals = torch.randint(-1, 13, (2, 32, 32)), torch.randn(2, 3, 32, 32)
    return Batch(
        (torch.rand(2, 3, 32, 32),), (classes, torch.rand(2, 1, 32, 32), normals / normals.norm(dim=1)[:, None])
    )


def start(name: str, backbone: str):
    order = seed_everything(3)
    block = PARAMETERS.backbones[backbone]
    shape = (13, SceneSizes(width=2)) if problem_of(backbone) == "scenes" else (RankingShape([3] * 4, 5, 2), SIZES)
    model = backbone_class(block.kind)(*shape, **block.arguments()).train()
    optimizer = OptimizerOptions(lr=0.01, weight_decay=1e-6)
    return model, assemble(PARAMETERS.balancers[name], optimizer, model.parameters(), model.tasks, seed=3), order


def step(model, level, batch):
    tasks = TASKS["ranking" if model.tasks == 2 else "scenes"]
    return train_step(model, tasks, level, batch, CPU, TRAINING)


@pytest.mark.parametrize(("name", "backbone"), PAIRS)
def test_twelve_steps_with_and_without_a_break(name, backbone):
    """Balancers that search at every tenth step search again after the break."""
    data = batches(problem_of(backbone), 12)
    model, level, _ = start(name, backbone)
    before = copy.deepcopy(model.state_dict())
    reports = [step(model, level, batch) for batch in data]
    whole = model.state_dict()
    assert all(torch.isfinite(value).all() for value in whole.values())
    assert any(not torch.equal(whole[key], before[key]) for key in whole)

    model, level, order = start(name, backbone)
    for batch in data[:7]:
        step(model, level, batch)
    saved = copy.deepcopy((model.state_dict(), level.state_dict(), random_state(order, CPU)))
    model, level, order = start(name, backbone)
    model.load_state_dict(saved[0])
    level.load_state_dict(saved[1])
    restore_random_state(saved[2], order, CPU)
    for batch, expected in zip(data[7:], reports[7:], strict=True):
        assert (step(model, level, batch).losses == expected.losses).all()
    assert all(torch.equal(whole[key], value) for key, value in model.state_dict().items())


def test_what_shares_nothing_is_refused_with_the_reason():
    for name in ("mgda", "pub", "multibalance"):
        model, level, _ = start(name, "single_task")
        with pytest.raises(ValueError, match=r"nothing shared|no parameter of the optimizer is reached by two"):
            step(model, level, batches("ranking", 1)[0])
