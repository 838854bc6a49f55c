"""The forkserver: commands that it runs are like those that run alone, and end with those that asked for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mtbalance.forkserver import ADDRESS, ONE_THREAD, server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")

PROGRAM = """
import os, sys, time

def main():
    what, *rest = sys.argv[1:]
    print(os.getpid(), os.getcwd(), os.environ.get("COLOR"), "json.tool" in sys.modules, flush=True)
    if what == "read":
        print(sys.stdin.read().upper())
    elif what == "fail":
        sys.exit(7)
    elif what == "say":
        sys.exit("it went wrong")
    elif what == "raise":
        raise ValueError("out of range")
    elif what == "sleep":
        time.sleep(60)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module, whose ``main`` is called."""
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "program.py").write_text(PROGRAM)
    return folder


@pytest.fixture(scope="module")
def environment(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of jobs while a server runs."""
    before = dict(os.environ)
    source = str(Path(server.__file__).parents[2])
    os.environ["PYTHONPATH"] = f"{source}{os.pathsep}{folder}"
    starter = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import os, time; from mtbalance.forkserver import server; server.start();"
            f"print(os.environ['{ADDRESS}'], flush=True); time.sleep(600)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert starter.stdout is not None
    address = starter.stdout.readline().strip()
    found = dict(os.environ) | ONE_THREAD | {ADDRESS: address, "COLOR": "blue"}
    os.environ.clear()
    os.environ.update(before)
    _until(Path(address).exists)
    yield found
    starter.kill()
    starter.wait()
    _until(lambda: not Path(address).parent.exists())


def _until(true) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def started(folder: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mtbalance.forkserver", "program", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, environment: dict[str, str], *words: str) -> tuple[int, list[str], str]:
    process = started(folder, environment, *words)
    out, err = process.communicate("words")
    return process.returncode, out.split(), err


@pytest.mark.parametrize("alone", [True, False])
def test_a_forked_command_is_like_one_that_runs_alone(alone: bool, folder: Path, environment: dict[str, str]):
    chosen = {name: value for name, value in environment.items() if name != ADDRESS or not alone}
    status, (process, where, color, *_, said), _ = run(folder, chosen, "read")
    assert (status, where, color, said) == (0, str(folder), "blue", "WORDS")
    assert run(folder, chosen, "fail")[0] == 7
    status, _, err = run(folder, chosen, "say")
    assert (status, err) == (1, "it went wrong\n")
    status, _, err = run(folder, chosen, "raise")
    assert status == 1 and err.endswith("ValueError: out of range\n")
    process = started(folder, chosen, "sleep")
    assert process.stdout is not None
    job = int(process.stdout.readline().split()[0])
    assert (job == process.pid) is alone
    process.kill()
    process.wait()
    _until(lambda: not psutil.pid_exists(job))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 128 + 15), (signal.SIGINT, 1)])
def test_a_signal_reaches_the_job(number: int, status: int, folder: Path, environment: dict[str, str]):
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("these tests ignore the signal, as a job in the background does, and so would the process")
    process = started(folder, environment, "sleep")
    assert process.stdout is not None
    job = int(process.stdout.readline().split()[0])
    process.send_signal(number)
    process.wait()
    assert process.returncode == status
    _until(lambda: not psutil.pid_exists(job))


def test_a_signal_to_all_processes_of_a_clusters_job_leaves_the_server(folder: Path, environment: dict[str, str]):
    process = started(folder, environment, "sleep")
    assert process.stdout is not None
    job = psutil.Process(int(process.stdout.readline().split()[0]))
    job.parent().send_signal(signal.SIGTERM)
    assert run(folder, environment, "fail")[0] == 7 and job.is_running()
    job.send_signal(signal.SIGTERM)
    assert process.wait() == 128 + signal.SIGTERM


def test_a_job_with_more_threads_runs_alone(folder: Path, environment: dict[str, str]):
    process = started(folder, environment | {"OMP_NUM_THREADS": "2"}, "fail")
    out, _ = process.communicate()
    assert int(out.split()[0]) == process.pid


def test_a_server_that_is_gone_is_no_failure(folder: Path, environment: dict[str, str], tmp_path: Path):
    assert run(folder, environment | {ADDRESS: str(tmp_path / "socket")}, "fail")[0] == 7
