"""Folders that take long to build and that several tests read: the first process of pytest-xdist builds them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def once(base: Path, name: str) -> Iterator[Path]:
    """A folder that all processes of pytest-xdist share, given to one of them at a time."""
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / name


def ready(folder: Path, name: str, build: Callable[[Path], None]) -> Path:
    """``folder/name``, which is built unless an earlier process has; a failed build is not tried again."""
    failure = folder / f"{name}.failed"
    if failure.exists():
        pytest.fail(failure.read_text(), pytrace=False)
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        failure.write_text(f"building the tree `{name}` failed in another process; its report is there")
        build(folder / f"{name}.partial")
        (folder / f"{name}.partial").rename(folder / name)
        failure.unlink()
    return folder / name
