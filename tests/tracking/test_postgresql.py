"""Sixteen runs that log to one server, which is restarted in the middle, as is its database."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from postgresql import Program, missing, mlflow_server, postgresql

from tracked_runs import EPOCHS, beginning, current, end, record_of, run_of, write

pytestmark = pytest.mark.long

RUNS = 16
POOL = 15
"""Connections that MLflow's server has at most: SQLAlchemy's pool of 5, and 10 that come and go."""
LONG = 300


@pytest.fixture
def database() -> Iterator[tuple[Program, str]]:
    if lacking := missing():
        pytest.skip(f"PostgreSQL is not installed here ({', '.join(lacking)}); Debian has it in postgresql")
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed here: pip install psycopg2-binary")
    with postgresql() as started:
        yield started


@contextmanager
def counted(address: str) -> Iterator[list[int]]:
    """The numbers of connections that the database has while the block runs."""
    import psycopg2

    ended, found = Event(), [0]
    question = "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"

    def look() -> None:
        while not ended.wait(0.2):
            try:
                with psycopg2.connect(address) as connection, connection.cursor() as cursor:
                    cursor.execute(question)
                    found.append(cursor.fetchone()[0])
                connection.close()
            except psycopg2.Error:  # it is restarted
                continue

    thread = Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def tell(processes: list[subprocess.Popen[str]], lines: list[list[str]]) -> None:
    for process, told in zip(processes, lines, strict=True):
        process.stdin.write("".join(told))
        process.stdin.flush()


def test_runs_lose_nothing_while_server_and_database_are_restarted(database: tuple[Program, str], project: Path):
    postgres, store = database
    records = [record_of(run_of(seed, name)) for name in ("pub", "ls") for seed in range(RUNS // 2)]
    ends = [end(write(project, record)) for record in records]
    told = [beginning(record, EPOCHS) for record in records]
    assert all(len(lines) == 4 for lines in told)
    with mlflow_server(store, project) as (server, address), counted(store) as connections:
        command = [sys.executable, "-m", "mtbalance.tracking.process"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        settings = os.environ | {"MLFLOW_TRACKING_URI": address}
        processes = [subprocess.Popen(command, env=settings, **pipes) for _ in records]
        tell(processes, [lines[:2] for lines in told])
        until = time.monotonic() + LONG
        while len(current(store)) < RUNS // 2:
            assert time.monotonic() < until
            time.sleep(1)
        postgres.stop()  # some runs have begun, others have not
        tell(processes, [lines[2:3] for lines in told])
        time.sleep(5)
        postgres.start()
        tell(processes, [lines[3:] for lines in told])
        server.stop()
        for process, last in zip(processes, ends, strict=True):
            process.stdin.write("".join(last))
            process.stdin.close()
        server.start()
        said = [process.stdout.read() for process in processes]
        assert [process.wait() for process in processes] == [0] * RUNS, said
    assert 0 < max(connections) <= POOL
    runs, methods = current(store), ("MMOE+PUB", "MMOE (LS)")
    assert runs.keys() == {f"{name} seed {seed}" for name in methods for seed in range(RUNS // 2)}
    for each in runs.values():
        assert each["status"] == "FINISHED"
        for metric in ("train/loss/click", "valid/auc/click", "valid/auc/conversion"):
            assert [step for step, _, _ in each["metrics"][metric]] == list(range(1, EPOCHS + 1))
        assert "final_test/auc/click" in each["metrics"]
    means = current(store, "mean")
    assert {name: row["tags"]["seeds"] for name, row in means.items()} == dict.fromkeys(
        methods, "0, 1, 2, 3, 4, 5, 6, 7"
    )
