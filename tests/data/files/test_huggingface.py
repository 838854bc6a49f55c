"""Hugging Face, played by a hub on 127.0.0.1 that the library itself asks."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import servers
from hub_server import Hub
from plain_host import cut, message, page, status
from short_limits import SHORT, fault

from mtbalance.config.datasets import RawFile
from mtbalance.data.files.fetching import fetch

DATASET, REVISION = "owner/synthetic-set", "b367b8b53c4dcefbcb4d9310b74976a63cc7f306"
SHARD = "data/train 1.parquet"
CONTENT = b"synthetic shard " * 20_000
SIZE = len(CONTENT)
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
TARGET = Path("data/raw/set/train.parquet")


@pytest.fixture
def hub(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    (project / "served/data").mkdir(parents=True)
    (project / "served" / SHARD).write_bytes(CONTENT)
    with Hub(project / "served", DATASET, REVISION) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HF_HOME", str(project / "hf"))
        yield running


def raw(dataset: str = DATASET, revision: str = REVISION, file: str = SHARD, **facts: object) -> RawFile:
    return RawFile(path=str(TARGET), urls=[f"hf:{dataset}@{revision}/{file}"], **facts)


def test_a_file_comes_from_the_cdn_and_is_verified(hub: Hub, project: Path, monkeypatch: pytest.MonkeyPatch):
    hub.token = "hf_SECRET"
    monkeypatch.setenv("HF_TOKEN", hub.token)
    fetch(raw(), SHORT)
    assert TARGET.read_bytes() == CONTENT
    asked = [(request.method, urlsplit(request.url).path, "hf_SECRET" in str(request.headers)) for request in hub.asked]
    assert asked == [
        ("POST", f"/api/datasets/{DATASET}/paths-info/{REVISION}", True),
        ("GET", f"/datasets/{DATASET}/resolve/{REVISION}/data/train%201.parquet", True),
        ("GET", "/cdn/data/train%201.parquet", False),
    ]
    lock = Path("data/sources.lock.json").read_text()
    assert json.loads(lock)[str(TARGET)]["sha256"] == CHECKSUM and "SECRET" not in lock
    assert not (project / "hf").exists()  # no second copy in the library's cache


def test_a_cut_download_is_continued(hub: Hub):
    hub.faults["cdn"] = [lambda exchange, _: cut(SIZE // 2, ETag=f'"{CHECKSUM}"')(exchange, CONTENT)]
    fetch(raw(sha256=CHECKSUM, bytes=SIZE), SHORT)
    assert TARGET.read_bytes() == CONTENT
    assert [request.range for request in hub.asked if "/cdn/" in request.url] == [None, f"bytes={SIZE // 2}-"]


def test_another_checksum_or_size_is_refused_before_a_byte_comes(hub: Hub):
    assert fault(raw(sha256="0" * 64)) == f"the host announces SHA-256 {CHECKSUM}, not {'0' * 64}"
    assert fault(raw(bytes=7)) == f"the host announces {SIZE} bytes, not 7"
    assert not [request for request in hub.asked if request.method == "GET"]


def test_the_checksum_that_the_hub_says_must_come(hub: Hub):
    hub.faults["cdn"] = [page("x" * SIZE, kind="binary/octet-stream")]
    assert re.fullmatch(rf"what came has SHA-256 [0-9a-f]{{64}}, not {CHECKSUM}", fault(raw()))
    assert not Path("data/sources.lock.json").exists()


@pytest.mark.parametrize("gated", ["api", "datasets"])
def test_a_gated_data_set_says_what_to_do(hub: Hub, monkeypatch: pytest.MonkeyPatch, gated: str):
    hub.faults[gated] = [message({"error": "Access is restricted"}, 403), message({"error": "bad hf_SECRET"}, 401)]
    how = "no access to this data set, .*; accept its terms .*set HF_TOKEN to a token of that account"
    assert re.search(rf"^403 Forbidden \(Access is restricted\): {how}", fault(raw()))
    monkeypatch.setenv("HF_TOKEN", "hf_SECRET")
    assert re.search(rf"^401 Unauthorized \(bad hf_\.\.\.\): {how}", fault(raw()))
    hub.token = "hf_another"
    assert re.search(rf"^401 Unauthorized \(Access to dataset .*\): {how}", fault(raw()))


def test_what_does_not_exist_is_named(hub: Hub):
    assert fault(raw(revision="main")) == "the data set has no revision main; is the address right?"
    assert len(hub.asked) == 1  # to ask again would not help
    assert fault(raw(file="data/no")) == "the data set has no file data/no at this revision; is the address right?"
    assert fault(raw(file="data")) == "the data set has no file data at this revision; is the address right?"
    assert re.match(r"404 Not Found \(Repository not found\): no such file", fault(raw(dataset="owner/no")))


def test_a_hub_in_trouble(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    silence = [status(503), lambda exchange, _: exchange.server.closing.wait(0.5)]
    hub.faults["api"] = [status(429, Retry_After=0), *silence]
    assert fault(raw()) == "no answer for 0.15 s" and len(hub.asked) == 3
    hub.faults["api"] = [page("<html>")] * 3
    assert fault(raw()) == "the hub's answer is no JSON"
    hub.faults["api"] = [status(429, Retry_After=7200)]
    assert fault(raw()) == "429 Too Many Requests: the server asks to wait 120 minutes; run it again then"
    hub.faults["cdn"] = [page("<html><title>Please log in</title>")]
    assert re.match(r"the server sent a login page, not a file: no access .*HF_TOKEN", fault(raw()))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert (
        fault(raw())
        == "no connection to http://127.0.0.1:9 (Connection refused); is there a network, and is HF_ENDPOINT right?"
    )


def test_the_library_lists_the_folder_that_a_program_serves(project: Path):
    """The servers on the command line, their variables, and the real command; the tree as the library lists it."""
    (project / "served/data").mkdir(parents=True)
    (project / "served/data/a.parquet").write_bytes(CONTENT)
    program = [sys.executable, servers.__file__]
    options = ["hub", "served", "--dataset", DATASET, "--revision", REVISION]
    with subprocess.Popen([*program, *options], stdout=subprocess.PIPE, text=True) as server:
        try:
            lines = [server.stdout.readline().removeprefix("export ").strip() for _ in range(3)]
            environment = os.environ | dict(line.split("=", 1) for line in lines)
            command = [sys.executable, "-m", "mtbalance", "fetch", str(TARGET), "--bytes", str(SIZE)]
            command += ["--url", f"hf:{DATASET}@{REVISION}/data/a.parquet"]
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert (done.returncode, done.stdout, done.stderr) == (0, "", "") and TARGET.read_bytes() == CONTENT
            from huggingface_hub import HfApi  # not at the top: it reads the environment when it is imported

            place = {"repo_type": "dataset", "revision": REVISION}
            tree = HfApi(environment["HF_ENDPOINT"]).list_repo_tree(DATASET, "data", **place)
            assert [(file.path, file.lfs.sha256) for file in tree] == [("data/a.parquet", CHECKSUM)]
        finally:
            server.terminate()
