"""Limits of a download, in seconds and in bytes, and the pace that it must keep."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from mtbalance.data.files.fetching.refusals import Interrupted, Refused


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
    whole_s: float = 24 * 3600.0
    """Seconds that one call may take for a file, with all addresses and tries."""
    until: float = math.inf
    """The end of that time on the monotonic clock, once the call has begun."""

    def begun(self) -> Limits:
        """The same, for a call that begins now."""
        return self._replace(until=time.monotonic() + self.whole_s)

    def refuse_late(self) -> None:
        """Raise :class:`Refused` if the time of the call is over."""
        if time.monotonic() > self.until:
            raise Refused(f"not complete after {self.whole_s:g} s; what came is kept: run it again to go on")


STANDARD = Limits()


class Pace:
    """Watches that bytes come fast enough."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began, self._count = time.monotonic(), 0

    def add(self, count: int) -> None:
        """Count bytes that came. Raises :class:`Interrupted` if a whole window had too few of them."""
        self._limits.refuse_late()
        self._count += count
        seconds = time.monotonic() - self._began
        if seconds < self._limits.window_s:
            return
        if self._count < self._limits.slowest * seconds:
            raise Interrupted(f"the server sends {self._count / seconds:.0f} bytes per second: too slow, given up")
        self._began, self._count = time.monotonic(), 0
