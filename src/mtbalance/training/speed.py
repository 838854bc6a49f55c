"""The cost of a balancer: its training steps against the baseline's, in turn, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mtbalance.config.run import RunConfig
from mtbalance.data.batch import Batch
from mtbalance.problems import Problem, Rows, open_problem
from mtbalance.records.timing import BalancerTiming, TimingRecord
from mtbalance.training.environment import environment
from mtbalance.training.run import build_balancer, choose_device
from mtbalance.training.seeding import seed_everything
from mtbalance.training.step import train_step


def measure(runs: Sequence[RunConfig], data: Path, blocks: int, steps: int) -> TimingRecord:
    """Time the balancers of ``runs`` (one data set, one backbone; the first is the baseline) on the same batches.

    Every balancer trains a model of its own: one block of ``steps`` steps to warm up, then ``blocks`` blocks, all
    balancers taking turns, so that a machine that slows down slows all of them. Relative throughput is the median over
    blocks of the baseline's seconds over the balancer's, with the quartiles; ``with_data`` adds to both the measured
    seconds that a batch takes to come from Parquet. Choose ``steps`` as a multiple of the longest search period.
    """
    order = seed_everything(runs[0].seed)
    device = choose_device(runs[0].training.device)
    split = open_problem(runs[0], data).split("train")
    batches, loading = _timed_batches(split, runs[0].training.batch_size, steps, order)
    steppers = [_stepper(open_problem(run, data), batches, device) for run in runs]
    seconds = seconds_in_turn(steppers, blocks, steps, device)
    return TimingRecord(
        experiment=runs[0].experiment,
        dataset=runs[0].dataset,
        backbone=runs[0].backbone.name,
        baseline=runs[0].balancer.name,
        digests={run.balancer.name: run.digest() for run in runs},
        blocks=blocks,
        steps=steps,
        batch_size=runs[0].training.batch_size,
        environment=environment(device),
        seconds_a_batch_from_data=loading,
        balancers={
            run.balancer.name: against(seconds[:, 0], seconds[:, column], loading) for column, run in enumerate(runs)
        },
    )


def seconds_in_turn(
    steppers: Sequence[Callable[[], Any]], blocks: int, steps: int, device: torch.device
) -> NDArray[np.float64]:
    """Seconds of a step [blocks, steppers]: after a block to warm up, all take turns by blocks of ``steps``."""
    for step in steppers:
        _seconds(step, steps, device)
    return np.array([[_seconds(step, steps, device) / steps for step in steppers] for _ in range(blocks)])


def _timed_batches(split: Rows, size: int, count: int, order: np.random.Generator) -> tuple[list[Batch], float]:
    """``count`` shuffled batches, and the seconds that one takes once the file is decoded."""
    next(split.batches(size, order))
    began = time.perf_counter()
    batches = list(islice(split.batches(size, order), count))
    return batches, (time.perf_counter() - began) / len(batches)


def _stepper(problem: Problem[Any], batches: list[Batch], device: torch.device) -> Callable[[], Any]:
    run = problem.config
    torch.manual_seed(run.seed)
    model = problem.model().to(device).train()
    level = build_balancer(run, model, len(problem.tasks))
    endless = cycle(batches)
    return lambda: train_step(model, problem.tasks, level, next(endless), device, run.training)


def _seconds(step: Callable[[], Any], steps: int, device: torch.device) -> float:
    began = time.perf_counter()
    for _ in range(steps):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def against(baseline: NDArray[np.float64], own: NDArray[np.float64], loading: float = 0.0) -> BalancerTiming:
    """Relative throughput of blocks of seconds against the baseline's, with the seconds of loading and without."""
    relative = baseline / own
    with_data = (baseline + loading) / (own + loading)
    return BalancerTiming(
        seconds_a_step=float(np.median(own)),
        relative_throughput=float(np.median(relative)),
        quartiles=_quartiles(relative),
        relative_throughput_with_data=float(np.median(with_data)),
        quartiles_with_data=_quartiles(with_data),
    )


def _quartiles(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.25, 0.75]).tolist()
    return low, high
