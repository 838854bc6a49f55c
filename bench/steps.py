"""One training step of each balancer against one step of LS, on the paper-size MMOE.

MMOE with 8 experts of 512-256 on 17 fields of 128 (2176 inputs), float32, one thread, random (synthetic) rows. All
balancers take turns, so the ratios hold on a machine whose speed drifts; K backward passes is what a balancer at the
gradient or update level cannot do without.

    python bench/steps.py --batch 4096 --blocks 5 --steps 1
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch

from mtbalance.config.reading import read_parameters
from mtbalance.data.batch import Batch
from mtbalance.models.backbone import Backbone
from mtbalance.models.ranking._options import RankingShape, RankingSizes
from mtbalance.models.ranking.mmoe import MMoE
from mtbalance.tasks.binary import Binary
from mtbalance.training.memory import keep_freed_memory
from mtbalance.training.run import build_balancer
from mtbalance.training.seeding import seed_everything
from mtbalance.training.speed import against, seconds_in_turn
from mtbalance.training.step import train_step

CPU = torch.device("cpu")
TASKS = [Binary("click", "CTR"), Binary("conversion", "CTCVR")]
PARAMS = Path(__file__).parent.parent / "params.yaml"


def random_batch(rows: int) -> Batch:
    targets = tuple((torch.rand(rows) < rate).float() for rate in (0.2, 0.05))
    return Batch((torch.randint(0, 4, (rows, 16)), torch.rand(rows, 63)), targets)


def model() -> Backbone:
    torch.manual_seed(0)
    return MMoE(RankingShape([4] * 16, 63, 2), RankingSizes(problem="ranking", dropout=0.0), experts=8).train()


def stepper(name: str, batch: Batch) -> Callable[[], object]:
    run = read_parameters(PARAMS).run("demo", "synthetic_nl", "mmoe", name, 0)
    network = model()
    level = build_balancer(run, network, ["click", "conversion"])
    level.options = level.options.model_copy(update={"every": 1})  # a search at every step: the dearest there is
    return lambda: train_step(network, TASKS, level, batch, CPU, run.training)


def k_backward_passes(batch: Batch) -> Callable[[], object]:
    """Forward, the gradients of each loss, one optimizer step: the floor for balancing gradients."""
    network = model()
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)

    def step() -> None:
        outputs = network(batch.inputs)
        for task, output, target in zip(TASKS, outputs, batch.targets, strict=True):
            task.loss(output, target).backward(retain_graph=task is not TASKS[-1])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--blocks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--balancers", nargs="*", help="all of params.yaml if left out")
    options = parser.parse_args()
    keep_freed_memory()
    seed_everything(0)
    batch = random_batch(options.batch)
    names = [name for name in options.balancers or read_parameters(PARAMS).balancers if name != "ls"]
    steppers = {"ls": stepper("ls", batch), "K backward passes": k_backward_passes(batch)}
    steppers |= {name: stepper(name, batch) for name in names}
    seconds = seconds_in_turn(list(steppers.values()), options.blocks, options.steps, CPU)
    print(f"batch {options.batch}, {options.blocks} blocks of {options.steps} steps, medians [quartiles]")
    print(f"{'balancer':20}{'seconds a step':>16}{'x LS':>8}{'':>16}{'x K passes':>12}")
    for column, name in enumerate(steppers):
        timing = against(seconds[:, 0], seconds[:, column])
        ratio = 1 / timing.relative_throughput
        low, high = sorted(1 / quartile for quartile in timing.quartiles)
        passes = 1 / against(seconds[:, 1], seconds[:, column]).relative_throughput
        print(f"{name:20}{timing.seconds_a_step:16.3f}{ratio:8.3f}  [{low:.3f}, {high:.3f}]{passes:12.3f}")


if __name__ == "__main__":
    main()
