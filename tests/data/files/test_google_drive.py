"""Google Drive under its real addresses, played by a proxy on 127.0.0.1; neither gdown nor the project is patched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import gdown
import pytest
from drive_server import Drive
from short_limits import SHORT, fault

from mtbalance.config.datasets import RawFile
from mtbalance.data.files.fetching import fetch

FOLDER = "1F0TqvMJvv-2pIeOKUw9deEtUxyYqXK6Y"
NAME = "Synthetic_NL.zip"
CONTENT = b"PK synthetic rows " * 20_000 + b"PK\5\6" + bytes(18)  # ends as a zip does
TARGET = Path("data/raw/set/nl.zip")
ANYONE = (
    "Google Drive does not give it to everyone: it needs the permission 'Anyone with the link'; or save it with a "
    "browser and place it"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    folder = tmp_path_factory.mktemp("drive")
    (folder / "shared").mkdir()
    (folder / "shared" / NAME).write_bytes(CONTENT)
    (folder / "shared/note.txt").write_bytes(b"small")
    with Drive(folder / "shared", FOLDER, folder, small=100) as server:
        yield server


@pytest.fixture
def drive(running: Drive, project: Path, monkeypatch: pytest.MonkeyPatch) -> Drive:
    for name, value in running.environment.items():
        monkeypatch.setenv(name, value)
    running.asked.clear()
    running.faults.clear()
    return running


def raw(name: str = NAME, folder: str = FOLDER) -> RawFile:
    return RawFile(path=str(TARGET), urls=[f"gdrive:{folder}/{name}" if name else f"gdrive:{folder}"])


def test_a_large_file_is_found_by_its_name_and_confirmed(drive: Drive):
    cookies = Path(gdown.download.__globals__["DEFAULT_COOKIES_FILE"])
    before = cookies.exists() and cookies.read_bytes()
    fetch(raw(), SHORT)
    assert TARGET.read_bytes() == CONTENT
    places = [request.url.partition("?")[0] for request in drive.asked]
    assert places == [
        "https://drive.google.com/embeddedfolderview",
        "https://drive.google.com/uc",
        "https://drive.usercontent.google.com/download",
        "https://drive.usercontent.google.com/download",
    ]
    lock = Path("data/sources.lock.json").read_text()
    assert json.loads(lock)[str(TARGET)]["address"] == f"gdrive:{FOLDER}/{NAME}" and "SECRET" not in lock
    assert before == (cookies.exists() and cookies.read_bytes())


def test_a_small_file_needs_no_confirmation_and_an_id_no_folder(drive: Drive):
    place = TARGET.with_name("note.txt")
    fetch(raw(name="", folder=drive.id_of("note.txt")).model_copy(update={"path": str(place)}), SHORT)
    assert place.read_bytes() == b"small"


def test_a_cut_download_is_continued(drive: Drive):
    drive.faults[NAME] = "cut"
    fetch(raw(), SHORT)
    assert TARGET.read_bytes() == CONTENT
    assert [request.range for request in drive.asked if request.range] == [f"bytes={len(CONTENT) // 2}-"]


@pytest.mark.parametrize("when", ["quota", "quota later"])
def test_a_used_up_quota_is_said(drive: Drive, when: str):
    drive.faults[NAME] = when
    assert fault(raw()) == (
        "its quota of downloads is used up (too many users have viewed or downloaded it): try again in 24 hours, "
        "or save it with a browser and place it"
    )


def test_what_is_not_public_is_said(drive: Drive):
    drive.faults[NAME] = "sign in"
    assert fault(raw()) == f"the server sent a login page, not a file: {ANYONE}"
    said = fault(raw(folder="1F0TqvMJvv-2pIeOKUw9deEtUxyYqXK6Z"))
    assert said.startswith("the folder cannot be listed (Failed to retrieve") and said.endswith(ANYONE)


def test_no_redirect_leads_out_of_tls(drive: Drive):
    drive.faults[NAME] = "plain"
    said = (
        "the server redirects to http://drive.usercontent.google.com/download, which is not safe; use another address"
    )
    assert fault(raw()) == said
    drive.faults[NAME] = "plain form"
    assert "HTML page ('Google Drive - Virus scan warning'), not a file" in fault(raw())
    assert not [request.url for request in drive.asked if not request.url.startswith("https:")]


def test_what_does_not_exist_is_said(drive: Drive):
    assert fault(raw(name="no.zip")) == f"the folder has no file no.zip; it has {NAME}, note.txt"
    assert fault(raw(name="", folder="no")) == "404 Not Found: no such file; is the address right?"


def test_without_a_way_there_it_is_said(drive: Drive, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert fault(raw()).startswith("its certificate is not trusted (")
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fault(raw()) == "no connection (Connection refused); is there a network?"
