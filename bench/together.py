"""A training step that two processes take together, over the same step of one alone: .5 would be twice as fast.

Both compute the same batches of the papers' MMOE (2,048 random, synthetic rows), one thread a process, and come to the
same numbers. They take turns, block by block; the processes of a block are new ones, and their start does not count. It
is wall time, which waiting for another process is a part of.

    python bench/together.py results/bench/together.csv
"""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from cases import DEMO, PAPER, Case, Step, ours
from mtbalance.training.memory import keep_freed_memory
from mtbalance.training.seeding import seed_everything
from mtbalance.training.workers import together
from ratios import options, summarized, write

PROCESSES = 2
NAMES = ("ls", "nashmtl", "mgda", "multibalance", "pub")  # pub_fast takes K passes in its first ten steps
WARM_UP = 2


def main() -> None:
    chosen = options(__doc__, blocks=3, steps=10)
    case = DEMO if chosen.small else PAPER
    names = NAMES[:2] if chosen.small else NAMES
    found = [measured(case, name, chosen.blocks, chosen.steps) for name in names]
    alone, by_all = np.array(found).transpose(1, 2, 0)  # each [blocks, names]
    facts = {"processes": PROCESSES, "rows": case.rows, "tasks": case.tasks}
    write(summarized(names, by_all, by_all / alone, **facts), chosen.output)


def measured(case: Case, name: str, blocks: int, steps: int) -> list[list[float]]:
    """The seconds of a balancer's step by one process, and those by all together, in turn: two lists of the blocks."""
    step = ours(case, name)
    pairs = [(timed(step, steps), shared(case, name, steps)) for _ in range(blocks)]
    return [list(column) for column in zip(*pairs, strict=True)]


def timed(step: Step, steps: int) -> float:
    """Mean wall seconds of a step, after some to warm up."""
    for _ in range(WARM_UP):
        step()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - began) / steps


def shared(case: Case, name: str, steps: int) -> float:
    """The same for a step of all processes together."""
    with together(PROCESSES, partial(follow, case, name, steps)):
        return timed(ours(case, name), steps)


def follow(case: Case, name: str, steps: int) -> None:
    """What the other processes do."""
    keep_freed_memory()
    seed_everything(0)
    timed(ours(case, name), steps)


if __name__ == "__main__":
    main()
