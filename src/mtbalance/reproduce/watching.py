"""Watching a workflow: its jobs as a bar, the results of runs as they end, and the logs of jobs that failed."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import dropwhile, takewhile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mtbalance import places
from mtbalance.planning.due import TARGETS
from mtbalance.planning.in_all import A_JOB, RUNS, SECONDS, TIMINGS, cores
from mtbalance.reproduce import outside
from mtbalance.reproduce.closing import ANSWER, PRESET
from mtbalance.writing import NO_ROOM

STAGE = re.compile(r"^Running stage '(\w+)'")
RULE = re.compile(r"^(?:local)?rule (\w+):|^Error in rule (\w+):")
LOG = re.compile(r"^    log: (\S+)")
JOB = re.compile(r"^    jobid: (\d+)")
BEGINS = "Job stats:"
COUNT = re.compile(r"^(\w+) {2,}(\d+)$")
NOTHING = re.compile(r"^Nothing to be done")
WHOLE = re.compile(r"^Complete log\(s\): (\S+)")
REFUSES = re.compile(r"^WorkflowError in file ")
POSITION = '  File "'
"""What the lines begin with that end a refusal: where in the workflow's files it was raised."""
LOCKED, UNLOCKED = "LockException:", "Unlocked working directory."
CANNOT_WRITE = (*NO_ROOM, errno.EROFS, errno.EACCES)
UNWRITTEN = re.compile(rf"^(?:OS|Permission)Error: \[Errno (?:{'|'.join(map(str, CANNOT_WRITE))})\] (.+)$")
"""What Snakemake ends with where it cannot write itself: the disk is full, or a folder may not be written to."""
FINISHED = re.compile(r"^Finished jobid: (\d+)")
STEPS = re.compile(r"(\d+) of (\d+) steps")
STAGES = {"data": "Data: made or fetched, and prepared.", "results": "Runs, then their tables and figures."}
UNLOCK = (
    "mtbalance: another snakemake is at work in this folder, or one was killed here. If none is at work,"
    " `mtbalance snakemake --unlock` removes the lock that is left; then the same command goes on."
)
TIMES = "Steps are timed, with no other job beside them: {log}"
TAIL, LOG_TAIL = 40, 8
"""Lines that are shown after a failure: from the end of the output, and from the end of a failed job's log."""
EARLIEST = 0.05
"""The time that is left is told when this share of the runs has ended, or of the jobs if there are no runs."""
SHOWN = 5
"""Largest number of failed jobs whose logs are shown."""


@dataclass
class Seen:
    """What was seen of a workflow."""

    code: int = 0
    """Its exit status."""
    failed: dict[str, str] = field(default_factory=dict)
    """The rules of failed jobs by their logs."""
    ended: dict[str, str] = field(default_factory=dict)
    """The signals that ended jobs from outside, by the jobs' logs."""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    """Its last lines."""
    whole: str = ""
    """Where Snakemake's whole log is."""
    idle: bool = False
    """True if there was nothing to do."""
    targets: int = 0
    """Rules among its jobs that only name what is wanted."""
    _jobs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Rule and log of jobs that were started, by the number of the job."""
    _left: Counter[str] = field(default_factory=Counter)
    """Jobs that have not ended, by the rule."""
    _runs: int = 0
    """Runs that have ended."""
    _began: float = field(default_factory=time.monotonic)
    """When the first run began, or the jobs if there are no runs."""
    _rule: str = ""
    _failing: bool = False
    _log: str = ""
    _number: str = ""

    def read(self, line: str) -> str:
        """Take up a line. Returns what it tells a person, such as how a run ended or what came out; mostly nothing."""
        self.tail.append(line)
        if found := RULE.match(line):
            self._rule, self._failing = found[1] or found[2], found[2] is not None
            self._log = self._number = ""
        elif found := LOG.match(line):
            self._log = found[1]
            if self._failing:
                self.failed[self._log] = self._rule
            elif self._number:
                return self._starts()
        elif (found := JOB.match(line)) and not self._failing:
            if self._rule.startswith(RUNS) and not self._runs and not self._running():
                self._began = time.monotonic()
            self._number = found[1]
            return self._starts()
        elif found := FINISHED.match(line):
            return self._ended(*self._jobs.pop(found[1], ("", "")))
        elif line == BEGINS:
            self._left, self._runs, self._began, self.targets = Counter(), 0, time.monotonic(), 0
        elif found := COUNT.match(line):
            self._left[found[1]] = int(found[2])
            self.targets += int(found[2]) if found[1] in TARGETS else 0
        elif found := STAGE.match(line):
            return STAGES.get(found[1], "")
        elif found := WHOLE.match(line):
            self.whole = found[1]
        elif ending := outside.ended(line):
            self.ended.update([ending])
        elif NOTHING.match(line):
            self.idle = True
            return line
        elif line == UNLOCKED or line.startswith((places.PAGE, ANSWER, PRESET)):
            return line
        return ""

    def _starts(self) -> str:
        """Take up a job whose number is known. Returns that steps are timed, once the log is known, too."""
        self._jobs[self._number] = self._rule, self._log
        return TIMES.format(log=self._log) if self._rule == TIMINGS and self._log else ""

    def _running(self) -> bool:
        """True if a run has begun that has not ended."""
        return any(rule.startswith(RUNS) for rule, _ in self._jobs.values())

    def _ended(self, rule: str, log: str) -> str:
        """Take up that a job has ended. Returns how, of a run."""
        self._left[rule] -= 1
        if not rule.startswith(RUNS):
            return ""
        self._runs += 1
        return _last_line(log)

    def seconds_left(self, done: int, total: int) -> float | None:
        """Seconds that are left, if runs go on ending as they did, and short jobs take what they mostly do.

        None as long as it cannot be told. Timings and reference models that are left do not count. Without runs all
        jobs are taken to be alike.
        """
        seconds = time.monotonic() - self._began
        left = sum(number for rule, number in self._left.items() if rule.startswith(RUNS))
        if not left + self._runs:
            return seconds / done * (total - done) if done and done >= EARLIEST * total else None
        if self._runs <= EARLIEST * (left + self._runs):
            return None
        short = sum((SECONDS[rule] + A_JOB) * number for rule, number in self._left.items() if rule in SECONDS)
        return seconds / self._runs * left + short / cores()

    def said(self) -> list[str]:
        """What is said of a failure: the ends of failed jobs' logs, or else of the output; and where the rest is."""
        if LOCKED in self.tail:
            return [UNLOCK]
        if refusal := self._refusal():
            return refusal
        if self.code < 0 and not self.failed:
            return [outside.KILLED.format(signal.Signals(-self.code).name)]
        if not self.failed and (full := [found for line in self.tail if (found := UNWRITTEN.match(line))]):
            return [f"mtbalance: Snakemake cannot write: {full[-1][1]}. Mend that; then the same command goes on."]
        lines = self.failures() or list(self.tail)
        return [*lines, f"Snakemake's whole log: {self.whole}"] if self.whole else lines

    def _refusal(self) -> list[str]:
        """What the workflow itself says against its start."""
        said = list(dropwhile(lambda line: not REFUSES.match(line), self.tail))[1:]
        lines = list(takewhile(lambda line: not line.startswith(POSITION), said))
        return [f"mtbalance: {lines[0]}", *lines[1:]] if lines and not self.failed else []

    def failures(self) -> list[str]:
        """The ends of failed jobs' logs, and what ended them from outside."""
        lines: list[str] = []
        for log, rule in list(self.failed.items())[:SHOWN]:
            if log in self.ended:
                lines.append(outside.told(log, self.ended[log]))
            end = [f"    {line}" for line in _lines(log)[-LOG_TAIL:]]
            lines += [f"{rule} failed; {log} {'ends with:' if end else 'is empty.'}", *end, ""]
        if len(self.failed) > SHOWN:
            lines.append(
                f"{len(self.failed) - SHOWN} more jobs failed; their logs: {' '.join(list(self.failed)[SHOWN:])}"
            )
        return lines


def _lines(log: str) -> list[str]:
    path = Path(log)
    return path.read_text(errors="replace").splitlines() if path.is_file() else []


def _last_line(log: str) -> str:
    return (_lines(log) or [""])[-1]


def watch(command: list[str], console: Console, variables: Mapping[str, str] | None = None) -> Seen:
    """Run a command, with more ``variables`` in its environment.

    Show its stages, how each run ended, and a bar of its jobs (lines, in a log).

    After an interrupt it waits for the command, which stops its jobs, and raises ``KeyboardInterrupt``. It passes
    SIGTERM on to the command.
    """
    seen, told, moving = Seen(), "", console.is_terminal and not console.is_dumb_terminal
    columns = (
        TextColumn("jobs"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | (variables or {})
        ) as process,
        Progress(*columns, console=console, disable=not moving, transient=True) as progress,
    ):
        before_this = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        task = progress.add_task("jobs", total=None, left="")
        assert process.stdout is not None  # it is a pipe
        try:
            for line in process.stdout:
                if said := seen.read(line.rstrip()):
                    console.print(said, markup=False)
                if found := STEPS.search(line):
                    total = int(found[2]) - seen.targets
                    done = min(int(found[1]), total)
                    seconds = seen.seconds_left(done, total)
                    left = "" if seconds is None else f"about {seconds / 60:.1f} minutes left"
                    progress.update(task, completed=done, total=total, left=left)
                    line = f"{done} of {total} jobs done, {left}"
                    if not moving and left and line != told:
                        told = line
                        console.print(line)
        except KeyboardInterrupt:
            console.print("Stopping ...")
            process.communicate()  # it gets the same signal from the terminal, and ends its jobs
            raise
        finally:
            signal.signal(signal.SIGTERM, before_this)
    seen.code = process.returncode
    return seen
