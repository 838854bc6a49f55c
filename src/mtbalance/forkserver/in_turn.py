"""train_in_turn: the seeds of a method that one job trains, one after another.

If a run fails, Snakemake deletes the records of the whole job, and trains all of it again. So the runs keep their
checkpoints until all have ended: one that had ended goes on from its end, in seconds, with the same record.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mtbalance import places
from mtbalance.errors import UserError
from mtbalance.forkserver import ADDRESS, server

CHECKPOINT = "--checkpoint"
LONGEST = 120
"""Longest wait (seconds) for the process that imports what runs need; after it, they import it themselves."""


def train_in_turn(runs: Sequence[Sequence[str]], say: Callable[[str], None]) -> None:
    """Train runs, each in a process of its own, which the forkserver has given what they import.

    A run is given by the path of its log and the options of its ``train``. ``say`` gets the last line of each log. A
    failing run does not keep the others from being trained; SIGTERM does. Raises :class:`UserError` with the logs of
    those that failed.
    """
    if ADDRESS not in os.environ and (address := server.start()):
        until = time.monotonic() + LONGEST
        while not address.exists() and time.monotonic() < until:
            time.sleep(0.1)
    failed = []
    for log, *words in runs:
        if _run(Path(log), words):
            failed.append(log)
        say((Path(log).read_text(errors="replace").splitlines() or [""])[-1])
    if failed:
        raise UserError(f"{len(failed)} of {len(runs)} runs failed; their logs: {' '.join(failed)}")
    from mtbalance.training.checkpoint import files

    for _, *words in runs:
        for file in files(Path(words[words.index(CHECKPOINT) + 1])):
            file.unlink(missing_ok=True)


def _run(log: Path, words: Sequence[str]) -> int:
    """Run ``train`` with these words, and write its log. Returns its exit status; ends with it at SIGTERM."""
    log.parent.mkdir(parents=True, exist_ok=True)
    variables = os.environ | {places.KEEP_CHECKPOINTS: "1"}
    with (
        log.open("w", encoding="utf-8") as written,
        subprocess.Popen(
            [sys.executable, "-m", "mtbalance", "train", *words],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            env=variables,
        ) as process,
    ):
        ended = threading.Event()

        def end(*_: object) -> None:
            ended.set()
            process.terminate()

        before = signal.signal(signal.SIGTERM, end)
        status = process.wait()
        signal.signal(signal.SIGTERM, before)
        if ended.is_set():
            sys.exit(status)
        return status
