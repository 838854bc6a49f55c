"""What the benchmarks time: models and random (synthetic) rows of a size, and our training steps on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mtbalance.config.reading import read_parameters
from mtbalance.data.batch import Batch
from mtbalance.models.backbone import Backbone
from mtbalance.models.ranking._options import RankingShape, RankingSizes
from mtbalance.models.ranking.mmoe import MMoE
from mtbalance.tasks.binary import Binary
from mtbalance.training.run import build_balancer
from mtbalance.training.step import train_step

CPU = torch.device("cpu")
PARAMETERS = read_parameters(Path(__file__).parent.parent / "params.yaml")
Step = Callable[[], Any]
BATCHES = 50


class Case(NamedTuple):
    """An MMOE and a batch. The default has the papers' sizes: 17 fields of 128, so 2,176 inputs of 8 experts."""

    tasks: int = 2
    rows: int = 2048
    values: int = 4
    """Values of each of the 16 categories."""
    numbers: int = 63
    embedding: int = 128
    expert: tuple[int, ...] = (512, 256)
    tower: tuple[int, ...] = (128, 64)
    experts: int = 8

    def shape(self) -> RankingShape:
        """The rows that the model is built for."""
        return RankingShape([self.values] * 16, self.numbers, self.tasks)

    def sizes(self) -> RankingSizes:
        """The model's sizes, without dropout and batch norm."""
        widths = {"embedding": self.embedding, "expert": list(self.expert), "tower": list(self.tower)}
        return RankingSizes(problem="ranking", dropout=0.0, batch_norm=False, numbers="linear", **widths)

    def batch(self, seed: int = 0) -> Batch:
        """Random rows; every task has a rate of its own."""
        torch.manual_seed(seed)
        targets = tuple((torch.rand(self.rows) < 0.2 / (task + 1)).float() for task in range(self.tasks))
        return Batch((torch.randint(0, self.values, (self.rows, 16)), torch.rand(self.rows, self.numbers)), targets)

    def batches(self) -> Iterator[Batch]:
        """Endless batches, of which the first comes again after :data:`BATCHES` others.

        A single batch would be known by heart after some hundred steps. Gradients that vanish cost other steps: rows
        too short for float32 are multiplied twice, for example.
        """
        return cycle(_made(self))

    def model(self) -> Backbone:
        """The MMOE, initialized alike at every call."""
        torch.manual_seed(0)
        return MMoE(self.shape(), self.sizes(), experts=self.experts).train()

    def losses(self) -> list[Binary]:
        """The tasks."""
        return [Binary(f"task_{task}", f"task {task}") for task in range(self.tasks)]


@cache
def _made(case: Case) -> list[Batch]:
    """The batches of a case; all kinds of step go through the same ones."""
    return [case.batch(seed) for seed in range(BATCHES)]


PAPER = Case()
DEMO = Case(rows=512, values=100, embedding=8, expert=(32,), tower=(32,))


def ours(case: Case, name: str, every: int | None = None) -> Step:
    """Training steps; ``every`` replaces the balancer's search period."""
    return steps_on(case.batches(), case, name, case.model(), every=every)


def steps_on(
    batches: Iterator[Batch],
    case: Case,
    name: str,
    model: Backbone,
    device: torch.device = CPU,
    precision: str = "float32",
    every: int | None = None,
) -> Step:
    """Training steps of a balancer of ``params.yaml`` on endless batches, as a run takes them."""
    run, tasks = PARAMETERS.run("demo", "synthetic_nl", "mmoe", name, 0), case.losses()
    model = model.to(device).train()
    level = build_balancer(run, model, [task.name for task in tasks])
    if every is not None:
        level.options = level.options.model_copy(update={"every": every})
    training = run.training.model_copy(update={"precision": precision})
    return lambda: train_step(model, tasks, level, next(batches), device, training)


def passes(case: Case) -> Step:
    """Forward, K backward passes, one optimizer step: the floor of what reads every task's gradient."""
    model, batches, tasks = case.model(), case.batches(), case.losses()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)

    def step() -> None:
        batch = next(batches)
        outputs = model(batch.inputs)
        for task, output, target in zip(tasks, outputs, batch.targets, strict=True):
            task.loss(output, target).backward(retain_graph=task is not tasks[-1])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def parameters_of(case: Case) -> int:
    """How many parameters the model has."""
    return sum(parameter.numel() for parameter in case.model().parameters())
