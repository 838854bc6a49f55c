"""A command of mtbalance in a process of its own, forked after the imports, and how it ended."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, NamedTuple

from mtbalance.forkserver import ONE_THREAD
from mtbalance.forkserver.server import PRELOADED

IMPORTED = [name for name in PRELOADED if not name.startswith("mlflow")]
IMPORTED += ["pytest", "PIL.Image", "safetensors", "yaml", "mtbalance.cli", "mtbalance.training.run"]
"""What is imported once. polars is not: it starts threads, which a forked process would not have."""
MOST_ROOM = 6 * 2**30
"""Bytes that a process can allocate, so that a fault that needs ever more ends it and nothing else."""
PATIENCE = 300
"""Seconds after which a process is ended by force: it hangs, however busy the machine is."""


class Ended(NamedTuple):
    """How a process ended."""

    status: int | None
    """0: well; negative: by a signal; None: it had to be ended."""
    said: str
    """What it wrote to standard error, by itself or by a library."""
    seconds: float
    """Processor time."""
    megabytes: float
    """Its largest memory, with the imports in it."""

    @property
    def lines(self) -> list[str]:
        """What it said, by line."""
        return self.said.strip().splitlines()


@cache
def forks() -> ForkServerContext:
    """Where processes come from. The first one waits until everything is imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    before = dict(os.environ)
    os.environ.update(ONE_THREAD)  # libraries read them when they are loaded
    try:
        first = context.Process(target=os.getpid)
        first.start()
        first.join()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return context


def started(work: Callable[..., Any], *arguments: Any) -> ForkServerProcess:
    """A process that does the work, with what can be pickled."""
    process = forks().Process(target=work, args=arguments)
    process.start()
    return process


def command(folder: Path, *arguments: str) -> Ended:
    """Run `mtbalance` with these arguments in a folder, to its end."""
    with tempfile.TemporaryDirectory() as name:
        said, cost = Path(name, "said"), Path(name, "cost")
        process = started(_run, folder, arguments, said, cost)
        process.join(PATIENCE)
        status = process.exitcode
        if status is None:
            process.kill()
            process.join()
        seconds, kilobytes = map(float, cost.read_text().split()) if cost.exists() else (0.0, 0.0)
        return Ended(status, said.read_text(errors="replace"), seconds, kilobytes / 2**10)


def _run(folder: Path, arguments: tuple[str, ...], said: Path, cost: Path) -> None:
    """The command, as the program runs it; its cost is written down however it ends."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_ROOM, MOST_ROOM))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(descriptor, 2)
    os.chdir(folder)
    os.environ.update(ONE_THREAD)
    sys.argv = ["mtbalance", *arguments]
    try:
        from mtbalance.cli import main

        main()
    except BaseException as error:
        if not isinstance(error, SystemExit):
            traceback.print_exc()
            raise SystemExit(70) from None
        raise
    finally:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cost.write_text(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
