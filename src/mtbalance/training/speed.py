"""The cost of a balancer: its training steps against the baseline's, in turn, in one process."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from mtbalance.balancing.levels.gradient import GradientLevel
from mtbalance.config.run import RunConfig
from mtbalance.data.batch import Batch
from mtbalance.problems import Problem, Rows, open_problem
from mtbalance.records.timing import BalancerTiming, TimingRecord
from mtbalance.training.clock import now
from mtbalance.training.environment import environment
from mtbalance.training.memory import keep_freed_memory
from mtbalance.training.record import model_size
from mtbalance.training.run import build_balancer, build_model, choose_device, open_session
from mtbalance.training.seeding import seed_everything
from mtbalance.training.step import train_step

Found = TypeVar("Found")


class Stepper(NamedTuple):
    """Training steps of one balancer."""

    step: Callable[[], Any]
    """Take a step."""
    searches: Callable[[], bool] = lambda: False
    """True if the next step is a search, and others are not: its seconds are then told apart."""


class Block(NamedTuple):
    """The seconds of one block of steps."""

    step: float
    """Seconds of a step, mean over the block."""
    search: float
    """Seconds by which a step with a search takes longer than one without; NaN if the block does not have both."""


def measure(runs: Sequence[RunConfig], data: Path, blocks: int, steps: int) -> TimingRecord:
    """Time the balancers of ``runs`` (one data set, one backbone; the first is the baseline) on the same batches.

    Every balancer trains a model of its own: one block of ``steps`` steps to warm up, then ``blocks`` blocks, all
    balancers taking turns, so that a machine that slows down slows all of them. Relative throughput is the median over
    blocks of the baseline's seconds over the balancer's, with the quartiles; ``with_data`` adds to both the measured
    seconds that a batch takes to come from Parquet. Choose ``steps`` as a multiple of the longest search period.
    The clock is :func:`~mtbalance.training.clock.now`.
    """
    keep_freed_memory()
    order = seed_everything(runs[0].seed)
    device = choose_device(runs[0].training.device)
    problem = open_problem(runs[0], data)
    split = problem.split("train")
    batches, loading = _timed_batches(split, runs[0].training.batch_size, steps, order)
    steppers = [_stepper(open_problem(run, data), batches, device) for run in runs]
    found = in_turn([partial(_block, stepper, steps, device) for stepper in steppers], blocks)
    seconds = np.array([[block.step for block in turn] for turn in found])
    searches = np.array([[block.search for block in turn] for turn in found])
    return TimingRecord(
        experiment=runs[0].experiment,
        dataset=runs[0].dataset,
        backbone=runs[0].backbone.name,
        baseline=runs[0].balancer.name,
        digests={run.balancer.name: run.digest() for run in runs},
        blocks=blocks,
        steps=steps,
        batch_size=runs[0].training.batch_size,
        synthetic=problem.schema.synthetic,
        train_rows=split.rows,
        model=model_size(open_session(runs[0], data)),
        environment=environment(device),
        seconds_a_batch_from_data=loading,
        balancers={
            run.balancer.name: against(seconds[:, 0], seconds[:, column], loading, searches[:, column])
            for column, run in enumerate(runs)
        },
    )


def in_turn(parts: Sequence[Callable[[], Found]], blocks: int) -> list[list[Found]]:
    """What the parts return [blocks, parts]: each is called once to warm up, then all take turns."""
    for part in parts:
        part()
    return [[part() for part in parts] for _ in range(blocks)]


def seconds_in_turn(
    steps_of: Sequence[Callable[[], Any]], blocks: int, steps: int, device: torch.device
) -> NDArray[np.float64]:
    """Seconds of a step [blocks, kinds of step]: after a block to warm up, all take turns by blocks of ``steps``."""
    found = in_turn([partial(_block, Stepper(step), steps, device) for step in steps_of], blocks)
    return np.array([[block.step for block in turn] for turn in found])


def _timed_batches(split: Rows, size: int, count: int, order: np.random.Generator) -> tuple[list[Batch], float]:
    """``count`` shuffled batches, and the seconds that one takes once the file is decoded."""
    next(split.batches(size, order))
    began = time.perf_counter()
    batches = list(islice(split.batches(size, order), count))
    return batches, (time.perf_counter() - began) / len(batches)


def _stepper(problem: Problem[Any], batches: list[Batch], device: torch.device) -> Stepper:
    run = problem.config
    torch.manual_seed(run.seed)
    model = build_model(problem, device).train()
    level = build_balancer(run, model, [task.name for task in problem.tasks])
    endless = cycle(batches)

    def step() -> None:
        train_step(model, problem.tasks, level, next(endless), device, run.training)

    if isinstance(level, GradientLevel) and level.options.every > 1:
        return Stepper(step, level.searches)
    return Stepper(step)


def _block(stepper: Stepper, steps: int, device: torch.device) -> Block:
    began = now(device)
    searching, searches = 0.0, 0
    for _ in range(steps):
        if not stepper.searches():
            stepper.step()
            continue
        at = now(device)
        stepper.step()
        searching, searches = searching + now(device) - at, searches + 1
    whole = now(device) - began
    if not 0 < searches < steps:
        return Block(whole / steps, math.nan)
    return Block(whole / steps, searching / searches - (whole - searching) / (steps - searches))


def against(
    baseline: NDArray[np.float64],
    own: NDArray[np.float64],
    loading: float = 0.0,
    searches: NDArray[np.float64] | None = None,
) -> BalancerTiming:
    """Relative throughput of blocks of seconds against the baseline's, with the seconds of loading and without.

    ``searches`` are the seconds that a search adds, by block; NaN in a block that does not tell.
    """
    relative = baseline / own
    with_data = (baseline + loading) / (own + loading)
    told = searches[~np.isnan(searches)] if searches is not None else np.array([])
    return BalancerTiming(
        seconds_a_step=float(np.median(own)),
        seconds_a_search=float(np.median(told)) if told.size else None,
        relative_throughput=float(np.median(relative)),
        quartiles=_quartiles(relative),
        relative_throughput_with_data=float(np.median(with_data)),
        quartiles_with_data=_quartiles(with_data),
    )


def _quartiles(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.25, 0.75]).tolist()
    return low, high
