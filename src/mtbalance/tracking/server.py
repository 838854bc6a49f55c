"""``mtbalance ui``: MLflow's server on this machine, opened where the runs are."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from mlflow import MlflowClient
from mlflow.entities import Experiment

from mtbalance.errors import UserError
from mtbalance.registry import unknown
from mtbalance.tracking import home, view
from mtbalance.tracking.store import Store

HOST = "127.0.0.1"
SERVED = re.compile("https?://")
"""How the address of a store begins that a server keeps, which has the pages, too."""
PATIENCE = 120
"""Longest wait (seconds) for the server to answer."""
GRACE = 5
"""Seconds that the server has to end by itself."""


def serve(
    experiment: str | None, port: int | None, browser: bool, say: Callable[[str], None], preset: Sequence[str] = ()
) -> None:
    """Serve the store until Ctrl-C; ``say`` prints the address of ``experiment``. A server's store is served already.

    Without one it is the experiment last logged to. If that is one of the ``preset``, the first of these goes first.
    Raises :class:`~mtbalance.errors.UserError` for a store without runs, an experiment that it does not have, and a
    port that is taken.
    """
    if not SERVED.match(home.database()):
        say("Starting MLflow, which takes some seconds ...")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    store = Store()
    chosen = _experiment(store.client, experiment, preset)
    store.mark_ended(chosen.experiment_id)
    if SERVED.match(store.client.tracking_uri):
        address = view.address(store.client.tracking_uri.rstrip("/"), chosen.experiment_id, _first(chosen))
        say(f"The runs of {chosen.name}: {address}")
        if browser:
            webbrowser.open(address)
        return
    with _server(store.client.tracking_uri, _free(port)) as origin:
        address = view.address(origin, chosen.experiment_id, _first(chosen))
        say(f"The runs of {chosen.name}: {address}\nCtrl-C ends it.")
        if browser:
            webbrowser.open(address)
        signal.pause()


def _experiment(client: MlflowClient, name: str | None, preset: Sequence[str]) -> Experiment:
    """The experiment of that name; or the one whose latest run began last, or the first one of its preset."""
    found = {each.name: each for each in client.search_experiments()}
    if name:
        if name not in found:
            raise UserError(unknown("experiment in MLflow", name, list(found)))
        return found[name]
    ids = {each.experiment_id: each for each in found.values()}
    last = client.search_runs(list(ids), order_by=["attributes.start_time DESC"], max_results=1)
    if not last:
        raise UserError("MLflow has no run yet: `make reproduce` trains some, `mtbalance track` logs records")
    newest = ids[last[0].info.experiment_id]
    own = [found[name] for name in preset if name in found]
    return own[0] if newest in own else newest


def _first(experiment: Experiment) -> str | None:
    """The view to open: none before the first run has ended."""
    return view.METHODS if f"{view.TAG}{view.METHODS}" in experiment.tags else None


def _free(port: int | None) -> int:
    """A port that nobody listens on: ``port``, or any."""
    with socket.socket() as asked:
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            asked.bind((HOST, port or 0))
        except OSError as error:
            raise UserError(f"port {port} cannot be used ({error.strerror}); --port takes another one") from None
        return int(asked.getsockname()[1])


@contextmanager
def _server(store: str, port: int) -> Iterator[str]:
    """MLflow's server in a process group of its own, which ends with the block. Yields its address."""
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    command += ["--artifacts-destination", str(home.artifacts())]
    # Any user of this machine can see commands, and the store's address may hold a password.
    settings = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_BACKEND_STORE_URI": store}
    log = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=settings) as process:
        try:
            origin = f"http://{HOST}:{port}"
            _await(process, f"{origin}/health")
            yield origin
        finally:
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _await(process: subprocess.Popen[bytes], address: str) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise UserError(f"mlflow server ended with status {process.returncode}; `mlflow server` says why")
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    raise UserError(f"mlflow server did not answer within {PATIENCE} seconds")
