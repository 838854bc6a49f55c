"""The server: listens on a socket in a private folder, and forks a process for each command that asks for one.

It ends when the process that started it has ended, and no forked process is left.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

from mtbalance.forkserver import ADDRESS, NUMBER, ONE_THREAD

PRELOADED = (
    "torch",
    "torch._dynamo",  # torch's optimizers import it
    "tabulate",  # and it imports this, where every process ends
    "pydantic",
    "typer",
    "rich.progress",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
)
"""What jobs import. mtbalance's own source is not among it."""
LEFT_OUT = "polars"
"""MLflow imports it where it is installed. It starts threads, which a forked process would not have."""
WORTH_IT = 10
"""Jobs from which on they save more than the server's own imports cost."""
LARGEST = 1 << 18
"""Bytes of the longest request."""


def start() -> Path | None:
    """Start the server for the jobs of this process, and tell them its address in the environment.

    Returns the address, which is there as soon as the server has imported everything; until then jobs run alone.
    Nothing happens where processes are not forked safely: elsewhere than on Linux.
    """
    if sys.platform != "linux":
        return None
    folder = tempfile.mkdtemp(prefix="mtbalance-")
    reading, _ = os.pipe()  # the other end stays open as long as this process lives, and nobody inherits it
    subprocess.Popen(
        [sys.executable, "-m", __name__, folder],
        stdin=reading,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the jobs
        env=os.environ | ONE_THREAD,
    )
    os.close(reading)
    address = Path(folder, "socket")
    os.environ[ADDRESS] = str(address)
    return address


def main() -> None:
    """Import, then serve until standard input ends; in a forked process, do what was asked for."""
    folder = Path(sys.argv[1])
    # A cluster sends it to all processes of a job, and it is for the runs.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.modules[LEFT_OUT] = None  # type: ignore[assignment]  # an import then fails
    for name in PRELOADED:
        with suppress(ImportError):
            importlib.import_module(name)
    del sys.modules[LEFT_OUT]
    gc.freeze()  # collections in forked processes pass over all this, and leave its pages shared
    path = folder / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(path))
        listening.listen()
        request = Server(listening).serve()
    if request:
        request.answer()
    else:
        path.unlink()
        folder.rmdir()


class Request(NamedTuple):
    """What a command asks for: the function ``main`` of a module, with the command's surroundings."""

    descriptors: list[int]
    """Standard input, output and error."""
    module: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]

    def answer(self) -> None:
        """Make this process the one that was asked for."""
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for number, descriptor in enumerate(self.descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        sys.argv = self.arguments
        end_with(importlib.import_module(self.module).main)


def end_with(main: Callable[[], None]) -> NoReturn:
    """Call ``main``, and end this process with its status, as Python does, but leave memory to the system.

    Python would take apart all modules that the server has imported, which takes seconds.
    """
    status: object = 1
    try:
        main()
        status = 0
    except SystemExit as ending:
        status = 0 if ending.code is None else ending.code
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:  # noqa: BLE001  it is told as at the end of any program
        sys.excepthook(*sys.exc_info())
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    assert isinstance(status, int)
    os._exit(status)


class Server:
    """Forked processes by the connections of the commands that asked for them."""

    def __init__(self, listening: socket.socket) -> None:
        self.listening = listening
        self.selector = selectors.DefaultSelector()
        self.selector.register(listening, selectors.EVENT_READ, self._accept)
        self.selector.register(sys.stdin, selectors.EVENT_READ, self._stop)

    def serve(self) -> Request | None:
        """Wait for requests, ends of processes, and ends of connections, until nothing is left to wait for.

        Returns None then; and in each forked process, what it was forked for.
        """
        while self.selector.get_map():
            for key, _ in self.selector.select():
                request: Request | None = key.data()
                if request:
                    self.selector.close()
                    return request
        return None

    def _stop(self) -> None:
        """The process that started the server has ended: take no further request."""
        self.selector.unregister(sys.stdin)
        self.selector.unregister(self.listening)

    def _accept(self) -> Request | None:
        connection, _ = self.listening.accept()
        message, descriptors, _, _ = socket.recv_fds(connection, LARGEST, 3)
        process = os.fork()
        if not process:
            connection.close()
            return Request(descriptors, **json.loads(message))
        for descriptor in descriptors:
            os.close(descriptor)
        self._watch(process, connection)
        return None

    def _watch(self, process: int, connection: socket.socket) -> None:
        """Pass on the process's status when it ends. If the command ends first, by force, so does the process."""
        ending = os.pidfd_open(process)

        def ended() -> None:
            _, status = os.waitpid(process, 0)
            self.selector.unregister(ending)
            os.close(ending)
            if connection.fileno() in self.selector.get_map():
                self.selector.unregister(connection)
            with suppress(OSError):
                connection.send(NUMBER.pack(os.waitstatus_to_exitcode(status)))
            connection.close()

        def left_alone() -> None:
            if connection.fileno() < 0:  # the process has ended, in the same look
                return
            os.kill(process, signal.SIGKILL)
            self.selector.unregister(connection)

        self.selector.register(ending, selectors.EVENT_READ, ended)
        self.selector.register(connection, selectors.EVENT_READ, left_alone)
        with suppress(OSError):  # a command that is gone already is seen by the end of its connection
            connection.send(NUMBER.pack(process))


if __name__ == "__main__":
    main()
