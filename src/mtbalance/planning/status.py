"""Status: how far the runs of a preset are, read from what lies in the project; nothing is started or changed."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median

import psutil
from rich import box
from rich.table import Table

from mtbalance import places
from mtbalance.config.parameters import Parameters
from mtbalance.config.run import RunConfig
from mtbalance.planning.disk import is_prepared
from mtbalance.planning.report import duration
from mtbalance.records import RecordError, read_run
from mtbalance.reporting.formats import counted

STATES = ("done", "diverged", "other settings", "running", "cut short", "failed", "left")
"""``other settings``: there is a record, but ``params.yaml`` has changed since. ``cut short``: the run was ended in the
middle, and goes on from its checkpoint."""
UNLOGGED = "not logged to MLflow"
"""What the log of a run may end with, after the line on its result that begins with the experiment."""
IN_THE_MIDDLE = ("epoch", "goes on", "ended by a signal")
"""What the last line in the log of a run begins with that was cut short."""
SINCE = "Whether the data or the sources have changed since: mtbalance plan --no-time"
SHOWN = 12
"""Largest number of runs of which a line is shown."""


@dataclass
class ExperimentStatus:
    """The runs of one experiment by state, and what those that are not done say."""

    name: str
    data_missing: list[str]
    counts: Counter[str] = field(default_factory=Counter)
    said: list[tuple[str, str, str]] = field(default_factory=list)
    """State, run and the last line of its log, of runs that are running, cut short or failed."""
    seconds: list[float] = field(default_factory=list)
    """Seconds of each finished run."""


def statuses(parameters: Parameters) -> list[ExperimentStatus]:
    """The status of each experiment of the chosen preset, in the working directory."""
    alive = _running()
    found = []
    for name, experiment in parameters.active().items():
        missing = [data for data in experiment.datasets if not is_prepared(data, parameters.datasets[data])]
        status = ExperimentStatus(name, missing)
        for run in parameters.runs(name):
            _add(status, run, alive)
        found.append(status)
    return found


def _add(status: ExperimentStatus, run: RunConfig, alive: set[str]) -> None:
    cell = places.CELL.format(**run.wildcards)
    record, log = places.RECORD.format(**run.wildcards), Path(places.log("train", cell))
    state, line = _state(run, Path(record), log, record in alive)
    status.counts[state] += 1
    if state in ("running", "cut short", "failed"):
        status.said.append((state, cell, line))
    if state in ("done", "diverged"):
        status.seconds += _seconds(cell)


def _state(run: RunConfig, record: Path, log: Path, alive: bool) -> tuple[str, str]:
    """A run's state; with it the last line of its log, or what is wrong with its record."""
    if not alive and record.exists():
        state, said = _recorded(record, record.stat().st_mtime_ns)
        if state == "failed":
            return state, said
        return state if said == run.digest() else "other settings", ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    last = lines[-1] if lines else ""
    if alive:
        return "running", last or "starting"
    if not log.exists() or last.startswith((f"{run.experiment}: ", UNLOGGED)):  # it ended, and its record was deleted
        return "left", ""
    return ("cut short" if last.startswith(IN_THE_MIDDLE) or not last else "failed"), last


@cache
def _recorded(record: Path, changed: int) -> tuple[str, str]:
    """The state that a record tells, and its digest, or what is wrong with it.

    A record is read once, and again when it has ``changed``: one may watch some thousand runs while they train.
    """
    try:
        found = read_run(record)
    except RecordError as error:
        return "failed", str(error)
    return "done" if found.status == "finished" else "diverged", found.digest


def _running() -> set[str]:
    """The records that processes in this folder are working on."""
    here, found = Path.cwd(), set()
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if "train" in words and "--output" in words[:-1] and Path(process.cwd()) == here:
                found.add(words[words.index("--output") + 1])
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _seconds(cell: str) -> list[float]:
    """Seconds of a finished run, as Snakemake measured them; nothing for a run by hand, or after a full disk."""
    try:
        with Path(places.benchmark("train", cell)).open(encoding="utf-8") as stream:
            return [float(row["s"]) for row in csv.DictReader(stream, delimiter="\t")]
    except (OSError, ValueError, KeyError):
        return []


def lines(found: Sequence[ExperimentStatus]) -> Iterator[Table | str]:
    """The status as it is printed: a table, a line for each run that has something to say, and the expected end."""
    table = Table(box=box.SIMPLE)
    table.add_column("experiment", no_wrap=True)
    used = [state for state in STATES if any(status.counts[state] for status in found)]
    for heading in ["runs", *used]:
        table.add_column(heading, justify="right")
    for status in found:
        table.add_row(status.name, str(status.counts.total()), *(str(status.counts[state]) for state in used))
    yield table
    said = [line for status in found for line in status.said]
    yield from (": ".join(filter(None, line)) for line in said[:SHOWN])
    if len(said) > SHOWN:
        yield f"and {len(said) - SHOWN} more; logs are under logs/train"
    for status in found:
        if status.data_missing:
            yield f"{status.name}: not prepared yet: {', '.join(status.data_missing)}"
    yield expected_end(found)


def expected_end(found: Sequence[ExperimentStatus]) -> str:
    """When the runs that are left will be done, at the pace of those that are; timings and tables are not known."""
    left = sum(status.counts.total() - status.counts["done"] - status.counts["diverged"] for status in found)
    if not left:
        return f"All runs are done with these settings. {SINCE}"
    said = f"{counted(left, 'run')} {'is' if left == 1 else 'are'} left"
    seconds = 0.0
    for status in found:
        here = status.counts.total() - status.counts["done"] - status.counts["diverged"]
        if here and not status.seconds:
            return f"{said}; how long one of {status.name} takes is not known yet"
        seconds += here * median(status.seconds) if here else 0
    at_once = sum(status.counts["running"] for status in found)
    if not at_once:
        return f"{said}: {duration(seconds)} on one core; `make reproduce` or `mtbalance snakemake` goes on"
    return f"{said}: {duration(seconds / at_once)} with {at_once} at once; timings and tables come after"
