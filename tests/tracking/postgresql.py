"""MLflow's server on a PostgreSQL of its own, both of which can be stopped and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PATIENCE = 120
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
WHERE = os.pathsep.join([*map(str, BINARIES), os.environ["PATH"]])


def missing() -> list[str]:
    """The programs that are not installed here."""
    return [name for name in ("initdb", "postgres") if not shutil.which(name, path=WHERE)]


class Program:
    """A program that runs until it is stopped, and can be started again."""

    def __init__(self, command: list[str], log: Path, answers: Callable[[], bool], **options: object) -> None:
        self.command, self.log, self.answers, self.options = command, log, answers, options
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self.options
            )
        until = time.monotonic() + PATIENCE
        while not self.answers():
            assert self.process.poll() is None and time.monotonic() < until, self.log.read_text()
            time.sleep(0.2)

    def stop(self) -> None:
        """End it and what it has started, without waiting for those who are connected."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def postgresql() -> Iterator[tuple[Program, str]]:
    """A new database: the program, and the database's address."""
    folder = Path(tempfile.mkdtemp(prefix="mtbalance-"))
    owner = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}  # it refuses to run as root
    if owner:
        shutil.chown(folder, **owner)
    port = free_port()
    command = {name: shutil.which(name, path=WHERE) or name for name in ("initdb", "postgres")}
    options = ["--auth=trust", "--username=mlflow", "--no-sync", "--encoding=UTF8"]
    made = [command["initdb"], f"--pgdata={folder / 'data'}", *options]
    subprocess.run(made, check=True, capture_output=True, cwd=folder, **owner)
    started = [command["postgres"], "-D", str(folder / "data"), "-k", str(folder), "-p", str(port)]
    program = Program([*started, "-h", "127.0.0.1"], folder / "log", lambda: listens(port), cwd=folder, **owner)
    try:
        yield program, f"postgresql://mlflow@127.0.0.1:{port}/postgres"
    finally:
        program.stop()
        shutil.rmtree(folder)


@contextmanager
def mlflow_server(database: str, folder: Path) -> Iterator[tuple[Program, str]]:
    """MLflow's server on a database: the program, and its address."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")]
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            return False

    program = Program(command, folder / "server.log", answers, env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"})
    try:
        yield program, address
    finally:
        program.stop()


def listens(port: int) -> bool:
    """Does somebody take connections there?"""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
