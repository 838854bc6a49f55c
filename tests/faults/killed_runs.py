"""A run in a process of its own, which writes down its steps, so that it can be killed at any of them."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from processes import started

from mtbalance.config.run import RunConfig
from mtbalance.records import read_run, write_record
from mtbalance.training import checkpoint as checkpoints
from mtbalance.training.run import train
from mtbalance.training.watcher import Watcher
from watched_runs import numbers

KEPT = ("model.safetensors", "model.schema.json", "predictions.parquet", "steps.parquet")
"""What a run leaves beside its record."""
LONGEST_PAUSE = 0.02
"""Seconds between the step after which a process is to be killed and the signal: a step takes less."""
STEP = tuple[int, float]


class Told(Watcher):
    """Writes down every step, and tells the checkpoint how many there were: its clock, so that loads do not matter."""

    def __init__(self, log: Path) -> None:
        self.log, self.steps = log.open("a", buffering=1), 0
        checkpoints.time = SimpleNamespace(monotonic=lambda: 60.0 * self.steps)

    def after_step(self, epoch: int, share: float) -> None:
        self.steps += 1
        self.log.write(f"{os.getpid()} {epoch} {share!r}\n")


class Run(NamedTuple):
    """A run, its data, the folder of its files, and how many steps are between two checkpoints."""

    config: str
    """As JSON."""
    data: Path
    folder: Path
    interval: int

    def begun(self) -> ForkServerProcess:
        """A process that trains it as the command does, from the checkpoint on if there is one."""
        return started(_train, self)

    def finished(self) -> dict[str, Any]:
        """Let it come to its end, and return what must always be the same: the record but for times, and all files."""
        process = self.begun()
        process.join()
        assert process.exitcode == 0, f"ended with {process.exitcode}"
        record = {"record": numbers(read_run(self.folder / "record.json"))}
        return record | {name: (self.folder / name).read_bytes() for name in KEPT}


def _train(run: Run) -> None:
    folder = run.folder
    made = {"model": folder / KEPT[0], "predictions": folder / KEPT[2], "steps": folder / KEPT[3]}
    config, told = RunConfig.model_validate_json(run.config), Told(folder / "log")
    record = train(config, run.data, checkpoint=folder / "run.pt", minutes=run.interval, watcher=told, **made)
    write_record(folder / "record.json", record)


class Killings(NamedTuple):
    """What was done to a run until it ended, and what that cost."""

    kills: int
    terms: int
    lost: int
    """The most steps that were taken again after a kill."""
    lost_by_terms: int
    """And after a request to end, which leaves time for a checkpoint."""
    results: dict[str, Any]
    """What it came to."""


def killed(run: Run, draw: random.Random, ends: Sequence[signal.Signals], steps: int) -> Killings:
    """Begin the run again and again, and end it by each of ``ends`` at a random moment of the steps that are left."""
    done: list[signal.Signals] = []
    log = run.folder / "log"
    for end in ends:
        left = steps - len({step for _, taken in _steps(log) for step in taken})
        process = run.begun()
        _wait(log, len(done), draw.randint(1, max(1, left)), process)
        time.sleep(draw.uniform(0, LONGEST_PAUSE))
        with suppress(ProcessLookupError):
            os.kill(process.pid, end)
        process.join()
        if (run.folder / "record.json").exists():  # it was faster
            break
        assert process.exitcode in (-end, 128 + end), f"ended with {process.exitcode}"
        done.append(end)
    results = run.finished()
    lost = dict.fromkeys((signal.SIGKILL, signal.SIGTERM), 0)
    for end, repeated in zip(done, _repeated(log), strict=False):
        lost[end] = max(lost[end], repeated)
    left_there = [path.name for path in run.folder.iterdir() if "partial" in path.name or path.suffix == ".lock"]
    assert not left_there, f"left {left_there}"
    counts = done.count(signal.SIGKILL), done.count(signal.SIGTERM)
    return Killings(*counts, lost[signal.SIGKILL], lost[signal.SIGTERM], results)


def _wait(log: Path, processes: int, steps: int, process: Any) -> None:
    """Wait until the newest process has taken so many steps, or has ended."""
    while process.is_alive():
        found = _steps(log)
        if len(found) > processes and len(found[-1][1]) >= steps:
            return
        time.sleep(0.001)


def _steps(log: Path) -> list[tuple[str, list[STEP]]]:
    """The steps of each process that took any."""
    found: dict[str, list[STEP]] = {}
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    for process, epoch, share in map(str.split, lines):
        found.setdefault(process, []).append((int(epoch), float(share)))
    return list(found.items())


def _repeated(log: Path) -> list[int]:
    """How many steps of each process the next one took again."""
    return [sum(step >= after[0] for step in before) for (_, before), (_, after) in pairwise(_steps(log))]
