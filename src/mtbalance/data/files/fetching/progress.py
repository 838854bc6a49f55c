"""The progress bar of a download: bytes, and the expected end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn


@contextmanager
def progress_bar(name: str, there: int, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal that standard error is, or none; the function is told how many bytes are there."""
    columns = (*Progress.get_default_columns()[:2], DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not os.isatty(2), transient=True) as progress:
        task = progress.add_task(name, total=total, completed=there)
        yield lambda count: progress.update(task, completed=count)
