"""Stopping: SIGTERM and Ctrl-C end a run between two steps, when its state is whole and can be saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(SystemExit):
    """The run was asked to end. Its status is the one of a process that the signal ends."""


class Stopping:
    """Whether the run was asked to end."""

    def __init__(self) -> None:
        self._asked: int | None = None

    def check(self) -> None:
        """Raise :class:`Stopped` if the run was asked to end."""
        if self._asked is not None:
            raise Stopped(128 + self._asked)

    @contextmanager
    def noticed(self) -> Iterator[None]:
        """Within the block the first signal only asks; a second one ends the process at once.

        Signals are the main thread's: in another thread nothing is noticed.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in SIGNALS}

        def ask(number: int, _: FrameType | None) -> None:
            self._asked = number
            give_back()

        def give_back() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        for number in SIGNALS:
            signal.signal(number, ask)
        try:
            yield
        finally:
            give_back()
