"""Jobs that were ended from outside: by which signal, and if a run's state is saved. Their logs may not say it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from pathlib import Path

from mtbalance import places

ENDING = re.compile(
    r"^Command '.*> (?P<log>\S+) 2>&1' "
    r"(?:returned non-zero exit status (?P<status>\d+)|died with <Signals\.(?P<name>\w+))"
)
"""What Snakemake says of a command that failed."""
FROM_OUTSIDE = {
    128 + number: f"{number.name}{said}"
    for number, said in {
        signal.SIGKILL: ", which the system sends where memory runs out, too",
        signal.SIGTERM: "",
        signal.SIGINT: "",
        signal.SIGHUP: "",
    }.items()
}
"""Signals that come from outside, by the exit status of a command that they ended."""

KILLED = (
    "mtbalance: the workflow was ended from outside by {}. When its jobs have ended, `mtbalance snakemake --unlock`"
    " removes the lock that is left; then the same command goes on."
)


def ended(line: str) -> tuple[str, str] | None:
    """The log of a job that a signal from outside ended, and the signal's name; None if a line tells of no such job."""
    found = ENDING.match(line)
    if not found:
        return None
    status = int(found["status"]) if found["status"] else 128 + signal.Signals[found["name"]]
    return (found["log"], FROM_OUTSIDE[status]) if status in FROM_OUTSIDE else None


def told(log: str, name: str) -> str:
    """What is said of such a job: the signal, and if a run's state is saved."""
    said = f"The job of {log} was ended from outside by {name}."
    checkpoint = _checkpoint(log)
    if checkpoint is None:
        return f"{said} The same command does it again."
    if checkpoint.exists():
        return f"{said} Its state is saved ({checkpoint}): the same command goes on from there."
    return f"{said} No state of it had been saved yet: the same command begins it again."


def told_of(logs: Iterable[str]) -> list[str]:
    """What is said of all such jobs in Snakemake's own logs."""
    lines = [line for log in logs for line in Path(log).read_text(errors="replace").splitlines()]
    return [told(*found) for line in lines if (found := ended(line))]


def _checkpoint(log: str) -> Path | None:
    """Where a run's state is saved; None if the log is not that of a run."""
    before, after = places.log("train", "\n").split("\n")
    if not log.startswith(before):
        return None
    return Path(places.CHECKPOINT.replace(places.CELL, log.removeprefix(before).removesuffix(after)))
