"""`mtbalance ui`: the server, and in a browser the answer to a question in a few clicks."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from tracked_runs import record_of, run_of, track, write

COMMAND = "from mtbalance.cli import main; main()"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SEEDS = range(3)
BEST = "final_test/mean_auc"


def command(*options: str) -> subprocess.Popen:
    """Start `mtbalance ui`, deaf to nothing."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "ui", "--no-open", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def address_of(process: subprocess.Popen) -> str:
    """The address that it prints."""
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError(process.stderr.read())


@pytest.fixture
def records(project: Path):
    made = {(name, seed): record_of(run_of(seed, name)) for name in ("pub", "ls") for seed in SEEDS}
    track(*(write(project, record) for record in made.values()))
    return made


@pytest.fixture
def opened(records):
    with command() as process:
        yield address_of(process)
        process.send_signal(signal.SIGINT)


@pytest.mark.slow
def test_it_serves_runs_with_their_records_and_ends_cleanly(project: Path, records):
    process = command()
    address = address_of(process)
    assert re.search(r"/#/experiments/1/runs\?workflowType=machine_learning&viewStateShareKey=methods$", address)
    with urllib.request.urlopen(address) as page:
        assert "MLflow" in page.read().decode()
    (place,) = {path.parent for path in (project / "mlartifacts").rglob("seed-0.json") if '"pub"' in path.read_text()}
    record = f"get-artifact?path=seed-0.json&run_uuid={place.parent.name}"
    with urllib.request.urlopen(f"{address.split('/#')[0]}/{record}") as file:
        assert file.read() == (place / "seed-0.json").read_bytes()
    servers = psutil.Process(process.pid).children(recursive=True)
    assert servers
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    psutil.wait_procs(servers, timeout=30)
    assert not [server for server in servers if server.is_running()]
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--experiment", "demo/other"), "no experiment in MLflow 'demo/other'"),
        (("--port", "{taken}"), "--port takes another one"),
    ],
)
def test_what_it_cannot_serve_is_said(records, options: tuple[str, ...], said: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = command(*(option.format(taken=taken.getsockname()[1]) for option in options))
        _, errors = process.communicate()
    assert process.returncode == 1
    assert said in errors and "Traceback" not in errors


@pytest.mark.slow
def test_a_store_that_a_server_keeps_is_shown_by_that_server(opened: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", opened.split("/#")[0])
    process = command()
    said, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert opened in said and "Starting" not in said


@pytest.mark.slow
@pytest.mark.parametrize("address", ["nonsense", "ftp://store"])
def test_a_store_that_is_none_is_said(project: Path, monkeypatch: pytest.MonkeyPatch, address: str):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    process = command()
    _, errors = process.communicate()
    assert process.returncode == 1
    assert f"mtbalance: MLFLOW_TRACKING_URI {address} cannot be read: " in errors and "Traceback" not in errors


@pytest.mark.slow
def test_a_store_without_runs_says_what_to_do(project: Path):
    process = command()
    _, errors = process.communicate()
    assert process.returncode == 1
    assert "`make reproduce`" in errors and "Traceback" not in errors


class Clicks:
    """A page, and how often it was clicked."""

    def __init__(self, page) -> None:
        self.page, self.count = page, 0

    def click(self, target) -> None:
        target.click()
        self.count += 1

    def value(self, name: str, metric: str) -> float:
        """The number of a run in a column; the table keeps a row in two parts, one of which scrolls."""
        link = self.page.get_by_role("link", name=name, exact=True).first
        link.wait_for()
        row = link.locator("xpath=ancestor::*[@row-id][1]").get_attribute("row-id")
        return float(self.page.locator(f'[row-id="{row}"] [col-id="metrics.`{metric}`"]').inner_text())


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_pub_against_ls_over_seeds_takes_five_clicks(records, opened: str):
    sync = pytest.importorskip("playwright.sync_api", reason="Playwright, which drives the browser, is not installed")
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(opened)
        clicks = Clicks(page)
        for name, method in {"pub": "MMOE+PUB", "ls": "MMOE (LS)"}.items():
            found = [records[name, seed].test["mean_auc"] for seed in SEEDS]
            assert clicks.value(method, BEST) == pytest.approx(sum(found) / len(found))
        clicks.click(page.get_by_test_id("saved-views-trigger"))
        clicks.click(page.get_by_text("Seeds", exact=True))
        for (name, seed), record in records.items():
            method = {"pub": "MMOE+PUB", "ls": "MMOE (LS)"}[name]
            assert clicks.value(f"{method} seed {seed}", BEST) == pytest.approx(record.test["mean_auc"])
        clicks.click(page.locator("label:has(input[value=CHART])"))
        area = page.get_by_test_id("experiment-view-compare-runs-chart-area")
        area.get_by_text(BEST).first.wait_for()
        assert clicks.count <= 5
        browser.close()
