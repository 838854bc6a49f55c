"""The progress of a download: a bar on a terminal, lines elsewhere; bytes, and the expected end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

SECONDS = 15.0
"""Seconds between two lines, where there is no terminal."""


@contextmanager
def progress_bar(name: str, there: int, total: int | None) -> Iterator[Callable[[int], None]]:
    """Progress on standard error; the function is told how many bytes are there."""
    if not os.isatty(2):
        yield Lines(name, there, total).update
        return
    columns = (*Progress.get_default_columns()[:2], DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(name, total=total, completed=there)
        yield lambda count: progress.update(task, completed=count)


class Lines:
    """A line now and then, as a log needs it. A download that ends before the first one says nothing."""

    def __init__(self, name: str, there: int, total: int | None) -> None:
        self._name, self._there, self._total = name, there, total
        self._began = self._said = time.monotonic()

    def update(self, count: int) -> None:
        """Say how much is there, if it is time."""
        now = time.monotonic()
        if now - self._said < SECONDS:
            return
        self._said = now
        speed = (count - self._there) / (now - self._began)
        said = f"{self._name}: {count / 1e6:,.0f}"
        if self._total is None:
            said += f" MB, {speed / 1e6:.1f} MB/s"
        else:
            left = (self._total - count) / max(speed, 1.0)
            said += f" of {self._total / 1e6:,.0f} MB, {speed / 1e6:.1f} MB/s, about {left / 60:.1f} minutes left"
        print(said, file=sys.stderr, flush=True)
