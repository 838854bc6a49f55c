"""`make reproduce`: runs the preset under DVC, shows its progress, and lists at the end what was made."""

from __future__ import annotations

import re
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mtbalance import places
from mtbalance.config.experiments import Experiment
from mtbalance.config.kinds import package_of
from mtbalance.config.parameters import Parameters
from mtbalance.errors import UserError
from mtbalance.planning.disk import refuse_full_disk
from mtbalance.registry import declaration

STEPS = re.compile(r"(\d+) of (\d+) steps")
FAILED_RULE = re.compile(r"^Error in rule (\w+):")
ITS_LOG = re.compile(r"^    log: (\S+)")
TAIL, LOG_TAIL = 40, 8
"""Lines that are shown after a failure: from the end of the output, and from the end of a failed job's log."""
SHOWN = 5
"""Largest number of failed jobs whose logs are shown."""


def reproduce(parameters: Parameters) -> None:
    """Run `dvc repro` (`snakemake` outside of a git checkout), then print the closing message.

    Raises :class:`~mtbalance.errors.UserError` before anything starts if the disk is too small for the data; after a
    failure with the ends of failed jobs' logs, or else with the end of the output.
    """
    refuse_full_disk(parameters)
    console = Console(highlight=False, soft_wrap=True)
    runs = sum(len(parameters.runs(name)) for name in parameters.active())
    console.print(f"Preset {parameters.preset}: {runs} training runs at most; what is up to date is not run again.")
    began = time.monotonic()
    code, failed, tail = _watch(["dvc", "repro"] if Path(".git").exists() else ["snakemake"], console)
    if code:
        raise UserError(
            "\n".join(_failures(failed) or tail)
            + f"\n\nThe run failed (exit status {code}). What was finished is kept: `make reproduce` goes on from here."
        )
    console.print(closing(parameters, time.monotonic() - began))


def _watch(command: list[str], console: Console) -> tuple[int, dict[str, str], list[str]]:
    """Run a command; turn its step counts into a bar (lines, in a log).

    Returns its exit status, the rules of failed jobs by their logs, and its last lines.
    """
    tail: deque[str] = deque(maxlen=TAIL)
    failed: dict[str, str] = {}
    rule = None
    columns = (
        TextColumn("jobs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
        Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress,
    ):
        task = progress.add_task("jobs", total=None)
        began, before = time.monotonic(), 0
        assert process.stdout is not None  # it is a pipe
        for line in process.stdout:
            tail.append(line.rstrip())
            if found := FAILED_RULE.match(line):
                rule = found[1]
            elif rule and (found := ITS_LOG.match(line)):
                failed[found[1]] = rule
                rule = None
            if found := STEPS.search(line):
                done, total = map(int, found.groups())
                if done < before:  # the next stage
                    began = time.monotonic()
                before = done
                progress.update(task, completed=done, total=total)
                if not console.is_terminal:
                    left = (time.monotonic() - began) / done * (total - done)
                    console.print(f"{done} of {total} jobs done, about {left / 60:.1f} minutes left")
    return process.returncode, failed, list(tail)


def _failures(failed: Mapping[str, str]) -> list[str]:
    """The ends of failed jobs' logs."""
    lines: list[str] = []
    for log, rule in list(failed.items())[:SHOWN]:
        path = Path(log)
        said = path.read_text(errors="replace").splitlines()[-LOG_TAIL:] if path.is_file() else []
        lines += [f"{rule} failed; {log} ends with:", *(f"    {line}" for line in said), ""]
    if len(failed) > SHOWN:
        lines.append(f"{len(failed) - SHOWN} more jobs failed; their logs: {' '.join(list(failed)[SHOWN:])}")
    return lines


def closing(parameters: Parameters, seconds: float) -> str:
    """The closing message: what came out, the files that were made, and what to try next."""
    lines = [f"\nDone in {seconds / 60:.1f} minutes. {places.PAGE} shows everything; in short:", *_answers(parameters)]
    for name, experiment in parameters.active().items():
        runs = f"{len(parameters.runs(name))} runs" if experiment.seeds else "timed"
        lines.append(f"\n{experiment.title} ({runs} on {', '.join(experiment.datasets)}):")
        lines += [f"  {file:<40} {what}" for file, what in _made(name, experiment)]
    lines += [
        f"\n{places.CLAIMS}.md: what both papers claim, and whether it adds up.",
        f"{places.AUDIT}: the PUB paper's printed tables, recomputed from their own cells.",
        "\nNext (after `source .venv/bin/activate`):",
        "  mlflow ui                                      compare the runs in a browser",
        "  edit params.yaml, then: dvc repro              runs what the edit changes; dvc metrics diff shows it",
        "  snakemake --cores all --config preset=census   the same on real data",
        "  mtbalance plan --preset nyuv2_first            the papers' data: what it downloads, and how long it takes",
    ]
    return "\n".join(lines)


def _answers(parameters: Parameters) -> Iterator[str]:
    """The sentences that stand on top of the page."""
    import pandas as pd

    from mtbalance.reporting.answer import answer

    for name, experiment in parameters.active().items():
        frame = pd.read_parquet(places.METRICS.format(experiment=name))
        yield from (f"  - {sentence}" for sentence in answer(frame, experiment.title, parameters.tables.baseline))


def _made(name: str, experiment: Experiment) -> Iterator[tuple[str, str]]:
    """The files of an experiment, and what each of them is."""
    for table in experiment.tables:
        yield (
            f"{places.TABLE.format(experiment=name, table=table)}.md",
            f"{_said_of(experiment, table)} (also .csv, .tex)",
        )
    yield f"{places.FIGURES.format(experiment=name)}/", f"{', '.join(experiment.figures)} (.png, .pdf, .svg)"
    if experiment.problem.pictured:
        yield f"{places.PICTURES.format(experiment=name)}/", "every run's predictions for the first test images"
    if experiment.seeds:
        yield f"{places.RUNS.format(experiment=name)}/", "one record per run: configuration, checksums, every epoch"


def _said_of(experiment: Experiment, table: str) -> str:
    """A table in a few words: the first line of its file."""
    package = package_of(experiment.problem.tables, table)
    return declaration(str(package), table).summary.rstrip(".")
