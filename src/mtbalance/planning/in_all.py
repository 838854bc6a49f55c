"""About how long everything that would run takes, from the runs to the page, on the cores of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mtbalance import places
from mtbalance.config.parameters import Parameters
from mtbalance.planning.due import Due
from mtbalance.planning.report import duration
from mtbalance.records import RecordError, read_references
from mtbalance.reporting.formats import counted

if TYPE_CHECKING:
    from mtbalance.planning.timing import ExperimentTime, Timing

SECONDS = {
    "audit": 1.0,
    "claims": 4.5,
    "collect": 2.5,
    "figure": 2.2,
    "page": 4.5,
    "plots": 0.1,
    "summarize": 1.0,
    "table": 1.5,
    "trials": 1.7,
}
"""Seconds of the processor that one job of a rule takes, by the rule: means over the jobs that were measured.

They were measured on the published records of the demo (62, 12 and 4 runs) and, for ``trials``, of ``benchmark_mmoe``
(300 runs), each in a process that was forked with its packages imported, as the workflow forks them.
"""
A_JOB, A_RUN = 0.5, 1.5
"""Seconds that a short job takes beside its work, and a run beside its epochs.

By the records of the demo's 74 ranking runs, made on two cores: a run's process takes 0.7 s beside its epochs, and
0.8 s pass on a core from the end of one run to the beginning of the next one.
"""
REFERENCE_SECONDS = 1.4e-4
"""Seconds that the reference models take for one task on one training row. They took 1.33e-4 on 179,760 rows of
Census-Income and 1.35e-4 on 40,000 stand-in rows; on 3,286 rows of eight regressions 2.5e-4, which is seconds in all.
"""
RUNS, TIMINGS, REFERENCES = "train", "time", "references"
"""Rules: those of runs begin with the first."""
MEASURED = "train_measured"
"""How rules of runs that measure every step begin. The steps are timed without that."""


def cores() -> int:
    """The cores that ``snakemake --cores all`` takes."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_all(parameters: Parameters, jobs: Mapping[str, Due], timing: Timing, times: Sequence[ExperimentTime]) -> str:
    """One line: the time of all jobs on all cores, what it is the sum of, and which jobs it leaves out.

    Timings of steps run alone; all other jobs share the cores. Runs on a GPU are taken to share it, too. An experiment
    of which only a part of the runs or timings is due counts with that share.
    """
    due = {
        time.name: sum(job.of[time.name] for name, job in jobs.items() if name.startswith(RUNS))
        * parameters.experiments[time.name].runs_per_job
        for time in times
    }
    timed = {time.name: jobs[TIMINGS].of[time.name] if TIMINGS in jobs else 0 for time in times}
    fits = [references(timing, name) for name in jobs[REFERENCES].of] if REFERENCES in jobs else []
    if None in fits or any(time.total is None for time in times if due[time.name] + timed[time.name]):
        start = f"snakemake data --cores all --config preset={parameters.preset}"
        return f"In all: unknown until the data are prepared: {start}"
    number, short = cores(), {name: job.jobs for name, job in jobs.items() if name in SECONDS}
    trained = [time for time in times if due[time.name]]
    runs = sum(_runs(time, due[time.name]) / (number if timing.on_cpu(time.name) else 1) for time in trained)
    parts = {
        "runs": max([runs, *(time.longest or 0 for time in trained)]),
        "timing of steps": sum(
            timed[time.name] * (time.timing / len(parameters.timed(time.name)) + A_JOB)
            for time in times
            if timed[time.name]
        ),
        "reference models": sum(fit + A_JOB for fit in fits if fit is not None) / number,
        f"{counted(sum(short.values()), 'short job')} (tables, figures and the like)": sum(
            (SECONDS[name] + A_JOB) * count for name, count in short.items()
        )
        / number,
    }
    said = ", ".join(f"{name} {duration(seconds)}" for name, seconds in parts.items() if seconds)
    less = ", less where runs stop early" if any(time.at_most for time in trained) else ""
    text = f"In all: {duration(sum(parts.values()))} on {counted(number, 'idle core')}{less}: {said}."
    left_out = [name for name in jobs if name not in (*SECONDS, TIMINGS, REFERENCES) and not name.startswith(RUNS)]
    left_out += [f"what {name} measures of steps" for name in jobs if name.startswith(MEASURED)]
    return f"{text} Not counted: {', '.join(left_out)}." if left_out else text


def _runs(time: ExperimentTime, due: int) -> float:
    """Seconds of the runs of an experiment that are due, one after the other."""
    return ((time.total or 0) - time.timing) * due / time.runs + A_RUN * due


def references(timing: Timing, dataset: str) -> float | None:
    """Seconds of the reference models of a data set: as the record of an earlier fit has them, or else by its rows.

    None where these are not known yet.
    """
    from mtbalance.studies.reference_rows import MOST_ROWS

    path = Path(places.REFERENCES.format(dataset=dataset))
    if path.exists():
        with suppress(RecordError):  # it is made again
            return sum(model.seconds for model in read_references(path).models.values())
    rows = timing.rows(dataset)
    if rows is None:
        return None
    return REFERENCE_SECONDS * min(rows["train"], MOST_ROWS) * len(timing.dataset(dataset).task_names())
