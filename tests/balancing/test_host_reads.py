"""A step reads the device at most three times, whatever the size of the model: losses, Gram matrix, one more."""

import pytest
import torch

from entries import backbone_class, rule_class
from host_reads import counted
from loops import PAIRS, is_row_rule
from mtbalance.balancing.balancer import assemble
from mtbalance.balancing.checking import balancer_options
from mtbalance.balancing.options import OptimizerOptions
from mtbalance.models.ranking._options import RankingShape, RankingSizes
from mtbalance.models.scenes._options import SceneSizes
from mtbalance.tasks.depth import Depth
from mtbalance.tasks.normal import Normal
from mtbalance.tasks.segmentation import Segmentation

MOST = 3
NEEDS_ROWS_ON_THE_HOST = {"moco", "metabalance", "excess_mtl"}
"""Rules of rows whose weights are found on the host: they read norms or products of the rows themselves, once."""


def paper_size_mmoe():
    """Eight experts of 512-256 on 16 fields of 128, as the papers have it; four rows, since only reads are counted."""
    torch.manual_seed(0)
    shape = RankingShape([4] * 16, 63, 2)
    model = backbone_class("mmoe")(shape, RankingSizes(problem="ranking", dropout=0.0), experts=8)
    inputs, targets = (
        (torch.randint(0, 4, (4, 16)), torch.rand(4, 63)),
        torch.tensor([[0.0, 1], [1, 0], [1, 1], [0, 0]]),
    )

    def losses(level):
        forks = level.fork(model.encode(inputs))
        outputs = [model.decode(fork, task) for task, fork in enumerate(forks)]
        loss = torch.nn.functional.binary_cross_entropy_with_logits
        return [loss(output, target) for output, target in zip(outputs, targets.T, strict=True)]

    return model, 2, losses


def mtan():
    """MTAN with all its 396 parameters, thin."""
    torch.manual_seed(0)
    model = backbone_class("mtan")(5, SceneSizes(problem="scenes", width=3))
    tasks = [Segmentation("segmentation", ""), Depth("depth", ""), Normal("normal", "")]
    images = torch.rand(2, 3, 32, 32)
    targets = [torch.randint(0, 5, (2, 32, 32)), 5 * torch.rand(2, 1, 32, 32), torch.rand(2, 3, 32, 32)]

    def outputs(level):
        return [model.decode(fork, task) for task, fork in enumerate(level.fork(model.encode((images,))))]

    def losses(level):
        triples = zip(tasks, outputs(level), targets, strict=True)
        return [task.loss(output, target) for task, output, target in triples]

    return model, 3, losses


WAYS = {
    f"{rule} at {level}": {"level": level, "rule": rule}
    for level, rule in PAIRS
    if rule != "torchjd"  # which works on tensors that are on the host already
} | {
    "PUB+Clippy": {"level": "update", "rule": "nash", "manipulation": "clippy", "gram_over": "all"},
    "PUB+AdaTask": {"level": "update", "rule": "nash", "manipulation": "adatask"},
    "PUB between searches": {"level": "update", "rule": "nash", "every": 2, "manipulation": "clippy"},
    "ClippyAdam": {"level": "loss", "rule": "equal", "manipulation": "clippy", "max_norm": 1.0},
    "NashMTL on NYUv2": {"level": "gradient", "rule": "nash", "max_norm": 1.0, "gram_over": "all"},
    "GradNorm, shortened": {"level": "gradient", "rule": "gradnorm", "max_norm": 1.0},
}

FEW = [way for way, options in WAYS.items() if options["rule"] in ("nash", "multibalance", "famo")]


def made(way: str) -> bool:
    """True for a rule that can be made without further options."""
    try:
        balancer_options(WAYS[way])
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("build", "ways"),
    [pytest.param(build, ways, marks=pytest.mark.long) for build, ways in ((paper_size_mmoe, FEW), (mtan, list(WAYS)))],
)
def test_reads_are_few_and_do_not_grow_with_the_model(build, ways, monkeypatch):
    model, tasks, losses = build()
    found = {}
    for way in filter(made, ways):
        level = assemble(balancer_options(WAYS[way]), OptimizerOptions(lr=1e-4), model.parameters(), tasks, 0)
        again = lambda level=level: losses(level)  # noqa: E731
        level.step(losses(level), again)
        for _ in range(WAYS[way].get("every", 1)):  # where every is 2: a step without a search, and one with
            given = losses(level)
            with counted(monkeypatch) as reads:
                level.step(given, (lambda given=given: given) if level.rule.looks_again else None)
                found[way] = max(found.get(way, 0), reads())
    allowed = {way: MOST + (options["rule"] in NEEDS_ROWS_ON_THE_HOST) for way, options in WAYS.items()}
    assert {way: count for way, count in found.items() if count > allowed[way]} == {}
    assert all(is_row_rule(rule) for rule in NEEDS_ROWS_ON_THE_HOST) and rule_class("nash")


def test_the_counter_sees_all_ways_of_reading(monkeypatch):
    ones = torch.ones(2)
    with counted(monkeypatch) as reads:
        numbers = [float(ones[0]), bool(ones[0] > 0), ones.tolist(), ones.sum().item(), ones.cpu(), ones.numpy()]
        assert len(numbers) == 6 and reads() == 6
