"""What would run, and why: Snakemake's dry run, with a line for each rule."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich import box
from rich.table import Table

JOB = re.compile(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", re.MULTILINE)
REASON = re.compile(r"^    reason: (.*)$", re.MULTILINE)
OF = re.compile(r"^    wildcards: (?:experiment|dataset)=([^,\n]+)", re.MULTILINE)
FOLLOWS, NEW = "after the jobs before it", "not made yet"
REASONS = {
    "Missing output files": NEW,
    "Updated input files": "{files} changed",
    "Input files updated by another job": FOLLOWS,
    "Set of input files has changed": "it reads other files",
    "Params have changed": "its settings changed",
    "Code has changed": "its command changed",
    "Forced execution": "cut short before",
}
"""What Snakemake's reasons mean, by their beginnings. It forces a job that was killed (``rerun-incomplete``)."""
NEXT = re.compile(rf"; (?={'|'.join(REASONS)})")
"""Between two reasons; values of settings may have semicolons of their own."""
TARGETS = ("all", "data")
SHOWN = 2
"""Largest number of changed files that are named."""


@dataclass
class Due:
    """The jobs of one rule that would run."""

    jobs: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)
    """Jobs by the experiment that they are of, or by the data set where there is none."""


def due(preset: str) -> dict[str, Due] | None:
    """The jobs that the workflow would run, by rule. None outside of a project, and if Snakemake cannot tell."""
    if not Path("Snakefile").is_file():
        return None
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--nocolor", "--config", f"preset={preset}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return None if done.returncode else read(done.stdout)


def read(text: str) -> dict[str, Due]:
    """The jobs of a dry run's output, by rule, in its order."""
    found: dict[str, Due] = {}
    for job in JOB.finditer(text):
        if job[1] not in TARGETS:
            rule = found.setdefault(job[1], Due())
            rule.jobs += 1
            rule.reasons.update(_reasons(job[2]))
            rule.of.update(OF.findall(job[2]))
    return found


def _reasons(block: str) -> Iterator[str]:
    """The reasons of a job; of a new one no other; that it follows another job is said only if there is no other."""
    given = REASON.search(block)
    said = dict.fromkeys(_said(part) for part in NEXT.split(given[1])) if given else {}
    yield from [NEW] if NEW in said else [reason for reason in said if reason != FOLLOWS] or said


def _said(reason: str) -> str:
    for beginning, meaning in REASONS.items():
        if reason.startswith(beginning):
            files = reason.partition(": ")[2].split(", ")
            more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
            return meaning.format(files=", ".join(files[:SHOWN]) + more)
    return reason


def due_table(found: dict[str, Due]) -> Table:
    """A row for each rule: how many jobs, and why."""
    table = Table(title="What would run, and why", title_justify="left", box=box.SIMPLE)
    table.add_column("rule", no_wrap=True)
    table.add_column("jobs", justify="right")
    table.add_column("why")
    for rule, jobs in found.items():
        why = "; ".join(
            reason if count == jobs.jobs else f"{reason} ({count})" for reason, count in jobs.reasons.most_common()
        )
        table.add_row(rule, str(jobs.jobs), why)
    return table
