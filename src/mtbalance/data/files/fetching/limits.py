"""Limits of a download, in seconds and in bytes, and the pace that it must keep."""

from __future__ import annotations

import time
from typing import NamedTuple

from mtbalance.data.files.fetching.refusals import Interrupted


class Limits(NamedTuple):
    """Limits of a download."""

    silent_s: float = 60.0
    """Seconds without an answer or a byte after which a server counts as stalled."""
    window_s: float = 60.0
    """Seconds over which the pace is measured."""
    slowest: float = 10_000.0
    """Bytes per second; a slower server counts as dripping."""
    most_bytes: int = 64 * 2**30
    """The size that a file without a known size may have."""
    pauses: tuple[float, ...] = (2.0, 10.0)
    """Seconds to wait before the second, the third, ... try of one address."""
    patience_s: float = 60.0
    """The longest wait that a server may ask for (``Retry-After``); it is told instead if it is longer."""


STANDARD = Limits()


class Pace:
    """Watches that bytes come fast enough."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began, self._count = time.monotonic(), 0

    def add(self, count: int) -> None:
        """Count bytes that came. Raises :class:`Interrupted` if a whole window had too few of them."""
        self._count += count
        seconds = time.monotonic() - self._began
        if seconds < self._limits.window_s:
            return
        if self._count < self._limits.slowest * seconds:
            raise Interrupted(f"the server sends {self._count / seconds:.0f} bytes per second: too slow, given up")
        self._began, self._count = time.monotonic(), 0
