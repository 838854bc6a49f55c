"""The client: has the forkserver run a command, and ends as the command does."""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from mtbalance.forkserver import ADDRESS, NUMBER, ONE_THREAD

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask a process to end."""


def run(module: str) -> None:
    """Call the function ``main`` of a module, in a process that the forkserver forks if there is one, else in this one.

    A forked process has this one's arguments, folder, environment and standard streams. It gets the signals that ask
    this one to end, and this one ends with its status.
    """
    status = _forked(module)
    if status is None:
        importlib.import_module(module).main()
    else:
        sys.exit(status)


def _forked(module: str) -> int | None:
    """The status of the forked process; None if there is no server to fork it."""
    address = os.environ.get(ADDRESS)
    if address is None or any(os.environ.get(name) != threads for name, threads in ONE_THREAD.items()):
        return None
    surroundings = {"arguments": sys.argv, "folder": str(Path.cwd()), "environment": dict(os.environ)}
    request = json.dumps({"module": module} | surroundings).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:

        def pass_on(number: int, _: FrameType | None) -> None:
            with suppress(ProcessLookupError):  # it has just ended
                os.kill(process, number)

        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # until it is known whom they are for
        try:
            connection.connect(address)
            socket.send_fds(connection, [request], [0, 1, 2])
            process = _number(connection)
            for number in ENDINGS:
                signal.signal(number, pass_on)
        except OSError:
            return None
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        try:
            status = _number(connection)
        except OSError:  # the server was killed
            pass_on(signal.SIGKILL, None)
            return 1
        return status if status >= 0 else 128 - status


def _number(connection: socket.socket) -> int:
    """The next number that the server sends. Raises ``OSError`` if it sends none."""
    message = connection.recv(NUMBER.size)
    if not message:
        raise ConnectionError("the forkserver has ended")
    number: int = NUMBER.unpack(message)[0]
    return number
