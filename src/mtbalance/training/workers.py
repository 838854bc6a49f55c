"""together: several processes train one run, each on its part of every batch (data parallelism).

All of them hold the same model and optimizer, read the same batches in the same order, and balance the sums over
processes (:mod:`mtbalance.balancing.processes`), so that the run is that of one process on the whole batch, up to the
rounding of sums. The first process is the one that was started: it alone writes. The others are its children.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
from torch import multiprocessing

from mtbalance.balancing.processes import ALONE, Processes, processes
from mtbalance.errors import UserError
from mtbalance.training.stopping import SIGNALS

PATIENCE = timedelta(hours=6)
"""How long a process waits for another one, which may be writing to a slow disk."""
MOMENT = 5.0
"""Seconds in which the end of a process is noticed."""


@contextmanager
def together(count: int, follow: Callable[[], object]) -> Iterator[Processes]:
    """Within the block this process is the first of ``count``; the others call ``follow``, each in a new process.

    ``follow`` can be pickled. Raises :class:`UserError` if one of them ends before its time. They end with the block.
    """
    if count == 1:
        yield ALONE
        return
    context = multiprocessing.get_context("spawn")
    with TemporaryDirectory() as folder:
        here, there = context.Pipe(duplex=False)
        others = [
            context.Process(target=_other, args=(rank, count, folder, there, follow), daemon=True)
            for rank in range(1, count)
        ]
        try:
            for other in others:
                other.start()
            for _ in others:
                if here not in wait([here, *(other.sentinel for other in others)]):
                    raise RuntimeError("a process ended before it met the others")
                here.recv()
            _meet(folder, 0, count)
            yield processes()
            for other in others:
                other.join()
        except RuntimeError as error:  # torch.distributed raises it if another end is gone
            if not (ended := [str(rank) for rank, other in enumerate(others, 1) if _ended(other)]):
                raise
            said = f"of {count} processes, {', '.join(ended)} ended early; the lines above may say why"
            raise UserError(said) from error
        finally:
            for other in others:
                if other.pid:
                    other.kill()
                    other.join()
            if dist.is_initialized():
                dist.destroy_process_group()


def _ended(process: BaseProcess) -> bool:
    """True if a process has ended, or does within a moment; not if it was never started."""
    if process.pid is None:
        return False
    process.join(MOMENT)
    return process.exitcode is not None


def _other(rank: int, count: int, folder: str, ready: Connection, follow: Callable[[], object]) -> None:
    """One of the other processes. The first one alone listens to signals, and tells what is wrong."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    ready.send(rank)
    with suppress(UserError):
        _meet(folder, rank, count)
        follow()
    dist.destroy_process_group()


def _meet(folder: str, rank: int, count: int) -> None:
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(
        backend, init_method=f"file://{folder}/meeting", rank=rank, world_size=count, timeout=PATIENCE
    )
