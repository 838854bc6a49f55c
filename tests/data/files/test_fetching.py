"""A plain host and its faults: each is said in one line, leaves nothing half-done, and the next call goes on."""

from __future__ import annotations

import hashlib
import io
import json
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from full_disk import little_room
from plain_host import (
    Answer,
    PlainHost,
    announced,
    cut,
    dated,
    dripping,
    dripping_head,
    in_chunks,
    message,
    of_another_version,
    page,
    redirect,
    stalled,
    status,
    unsized,
    whole,
    without_range,
)
from serving import DATE, Exchange
from short_limits import SHORT

from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.files.fetching import fetch
from mtbalance.data.files.raw_files import checked_sha256

CONTENT = bytes(range(256)) * 5000
SIZE = len(CONTENT)
HALF = SIZE // 2
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
OTHER = CONTENT[::-1]
LOCK = Path("data/sources.lock.json")
TARGET = Path("data/raw/set/file.bin")


class Case(NamedTuple):
    """What a server answers in turn, and what must come of it."""

    script: list[Answer]
    says: str = ""
    """The fault of the address; none if the file comes."""
    asked: int = 1
    """Requests to the address."""
    ranges: tuple[str | None, ...] = ()
    """What each of them asked for, if that matters."""
    kept: int | None = 0
    """Bytes that stay for the next call after a fault; none if it is not known how many come in time."""
    file: dict[str, Any] = {}


CASES = {
    "a good server": Case([whole]),
    "a body in chunks, without a size": Case([in_chunks(100_000)]),
    "a body that the server says is packed stays packed": Case(
        [lambda exchange, content: exchange.text("gz", Content_Encoding="gzip", kind="application/x-gzip")],
        file={"sha256": hashlib.sha256(b"gz").hexdigest()},
    ),
    "redirects to the file": Case([redirect("/a"), redirect("/b"), whole], asked=3),
    # The connection.
    "cut in the middle: the rest is asked for": Case([cut(HALF), whole], asked=2, ranges=(None, f"bytes={HALF}-")),
    "cut twice": Case([cut(HALF), cut(HALF), whole], asked=3, ranges=(None, f"bytes={HALF}-", f"bytes={HALF}-")),
    "cut, on a server that knows dates only": Case(
        [cut(HALF, Last_Modified=DATE), dated], asked=2, ranges=(None, f"bytes={HALF}-")
    ),
    "cut, on a server without versions: from the start": Case(
        [cut(HALF, X_Nothing="here"), whole], asked=2, ranges=(None, None)
    ),
    "cut, then the file has changed: from the start": Case(
        [of_another_version(lambda content: OTHER, cut(HALF)), whole], asked=2, ranges=(None, f"bytes={HALF}-")
    ),
    "cut, on a server without ranges: from the start": Case([cut(HALF), without_range], asked=2),
    "cut again and again": Case([cut(HALF), cut(0)], f"connection ended after 0 of {SIZE} bytes", asked=3, kept=HALF),
    "cut each time, kept for the next call": Case(
        [cut(HALF), status(503)], "503 Service Unavailable: the server is busy", asked=3, kept=HALF
    ),
    "cut in chunks": Case([in_chunks(SIZE, end=False)], f"connection ended after {SIZE} bytes", asked=3),
    "without a size": Case([unsized()], file={"sha256": CHECKSUM}),
    "without a size, as many bytes as published": Case([unsized()], file={"sha256": None, "bytes": SIZE}),
    "without a size, half of it": Case([unsized(HALF)], rf"SHA-256 .*, not {CHECKSUM}"),
    "without a size, half of it, of a published size": Case(
        [unsized(HALF)], rf"ended after {HALF} of {SIZE} bytes", 3, kept=HALF, file={"sha256": None, "bytes": SIZE}
    ),
    "without any size or checksum": Case(
        [unsized(HALF)], "does not say how long it is, so half of it could", file={"sha256": None}
    ),
    "stalled": Case([stalled(1000)], rf"nothing came for 0.15 s after 1000 of {SIZE} bytes", asked=3, kept=1000),
    "stalled once": Case([stalled(1000), whole], asked=2, ranges=(None, "bytes=1000-")),
    "never answers": Case([lambda exchange, _: exchange.server.closing.wait(5)], "no answer for 0.15 s", asked=3),
    "dripping": Case([dripping], rf"\d+ bytes per second: too slow, given up after \d+ of {SIZE} bytes", 3, kept=None),
    # What it says.
    "400": Case([status(400)], "400 Bad Request"),
    "401": Case([status(401)], "401 Unauthorized: the server wants a login; save the file with a browser"),
    "403": Case([status(403)], "403 Forbidden: the server wants a login"),
    "404": Case([status(404)], "404 Not Found: no such file; is the address right?"),
    "416": Case([cut(HALF), status(416), whole], asked=3, ranges=(None, f"bytes={HALF}-", None)),
    "429, wait a little": Case([status(429, Retry_After=0), whole], asked=2),
    "429, wait an hour": Case([status(429, Retry_After=3600)], "429 .* wait 60 minutes; run it again then"),
    "429, wait until a date": Case([status(429, Retry_After="Fri, 01 Jan 2100 00:00:00 GMT")], "to wait 360 minutes"),
    "500, then fine": Case([status(500), whole], asked=2),
    "500": Case([status(500)], "500 Internal Server Error: .* try again later", asked=3),
    "an error in JSON": Case([message({"error": {"message": "no\n such\x1b[m x"}}, 404)], r"404 .*\(no such\[m x"),
    "a redirect to no other scheme": Case([redirect("file:///etc/passwd")], "to file:///etc/passwd, which is not safe"),
    "a redirect to ftp": Case([redirect("ftp://127.0.0.1/x?key=SECRET")], "to ftp://127.0.0.1/x, which is not safe"),
    "redirects in a circle": Case([redirect("/a")], "redirects in a circle", asked=11),
    # What comes in place of the file.
    "a page": Case([page("<html><title>Moved&amp;gone</title></html>")], r"an HTML page \('Moved&gone'\), not a file"),
    "a page that says to be data": Case([page(" <!DOCTYPE html><html>", kind="x/y")], "an HTML page, not a file"),
    "a message in XML": Case(
        [page("\ufeff<?xml version='1.0'?><Error><Code>NoSuchKey</Code>", kind="x/y")], "an HTML page, not a file"
    ),
    "a login page": Case([page("<html><form><input type='password'>")], "a login page, not a file: .*brow"),
    "a quota page": Case([page("<html>Too many users have viewed this")], "quota .* is used up .* in 24 hours"),
    "a quota page with a status": Case([page("Quota exceeded", 403)], "403 Forbidden: its quota of downloads"),
    "a message": Case(
        [message({"error": "gone https://u:p@h/x?key=SECRET"})], r"error message, .*: gone https://h/x\?"
    ),
    "an empty body": Case([page("", kind="x/y")], f"the server announces 0 bytes, not {SIZE}", file={"bytes": SIZE}),
    "an empty body of a file of unknown size": Case(
        [page("", kind="x/y")], "sent an empty file", file={"sha256": None, "bytes": None}
    ),
    "another size is announced": Case([whole], f"announces {SIZE} bytes, not 7", file={"bytes": 7}),
    "less than announced": Case([announced(SIZE + 1)], f"ended after {SIZE} of {SIZE + 1} bytes", asked=3, kept=SIZE),
    "more than published, unannounced": Case(
        [in_chunks(1000)], "more than 5000 bytes came: not the file", file={"bytes": 5000}
    ),
    "more than any file has": Case([announced(10**19)], f"announces {10**19} bytes; no file may have more than"),
    "another checksum": Case([of_another_version(lambda _: OTHER)], f"has SHA-256 {'[0-9a-f]' * 64}, not {CHECKSUM}"),
}


@pytest.fixture(scope="module")
def host() -> Iterator[PlainHost]:
    with PlainHost(CONTENT) as running:
        yield running


def raw(host: PlainHost, **facts: Any) -> RawFile:
    address = f"{host.address}/file.bin?key=SECRET"
    return RawFile(**{"path": str(TARGET), "urls": [address], "sha256": CHECKSUM} | facts)


def leftovers() -> dict[str, int]:
    """Files beside the target's place that the next call uses, with their sizes."""
    return {path.name: path.stat().st_size for path in TARGET.parent.iterdir() if path != TARGET}


def fault(file: RawFile) -> str:
    """What is said of the one address of a file that does not come."""
    with pytest.raises(DataError) as caught:
        fetch(file, SHORT)
    first, line, last = str(caught.value).split("\n")
    assert first == f"{file.path} could not be fetched:" and last.startswith("Try again later, give another address")
    assert "SECRET" not in line
    return line


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_server(host: PlainHost, project: Path, case: Case):
    host.plays(*case.script)
    file = raw(host, **case.file)
    if case.says:
        assert re.search(rf"^  {host.address}/file.bin\?\.\.\.: .*{case.says}", fault(file))
        assert not TARGET.exists()
        kept = leftovers().get(".file.bin.partial", 0)
        assert kept == case.kept or (kept and case.kept is None)
    else:
        assert fetch(file, SHORT) == TARGET
        assert not leftovers()
    assert len(host.asked) == case.asked
    assert not case.ranges or tuple(request.range for request in host.asked) == case.ranges
    if not case.file:  # and then all is well
        host.plays(whole)
        fetch(file, SHORT)
        assert TARGET.read_bytes() == CONTENT and not leftovers()
        if case.says:
            assert host.asked[0].range == (f"bytes={kept}-" if kept else None)
        else:
            assert not host.asked  # it is here


def test_addresses_are_tried_in_order(host: PlainHost, project: Path):
    host.plays(status(404), page("<html>"), whole)
    addresses = [f"{host.address}/{name}" for name in "abcd"]
    fetch(raw(host, urls=addresses), SHORT)
    assert [request.url for request in host.asked] == ["/a", "/b", "/c"]
    host.plays(status(404))
    with pytest.raises(DataError) as caught:
        fetch(raw(host, path="other.bin", urls=addresses), SHORT)
    said = [line.partition(": ")[0] for line in str(caught.value).split("\n")]
    assert said[1:-1] == [f"  {address}" for address in addresses]


def test_the_part_of_one_address_is_not_continued_from_another(host: PlainHost, project: Path):
    host.plays(cut(HALF), status(500), status(500), whole)
    fetch(raw(host, urls=[f"{host.address}/a", f"{host.address}/b"]), SHORT)
    assert [request.range for request in host.asked] == [None, f"bytes={HALF}-", f"bytes={HALF}-", None]
    assert TARGET.read_bytes() == CONTENT


def test_a_call_takes_so_long_and_no_longer_and_the_next_one_goes_on(host: PlainHost, project: Path):
    host.plays(dripping)
    began = time.monotonic()
    with pytest.raises(DataError, match=r"not complete after 0.3 s; what came is kept: run it") as caught:
        fetch(raw(host, urls=[f"{host.address}/{name}" for name in "ab"]), SHORT._replace(slowest=0.0, whole_s=0.3))
    assert time.monotonic() - began < 3 and len(host.asked) == 1
    assert str(caught.value).count("not complete after") == 2
    came = leftovers()[".file.bin.partial"]
    host.plays(whole)
    fetch(raw(host, urls=[f"{host.address}/a"]), SHORT)
    assert came and host.asked[-1].range == f"bytes={came}-" and TARGET.read_bytes() == CONTENT


def test_the_head_of_an_answer_takes_so_long_and_no_longer(host: PlainHost, project: Path):
    host.plays(dripping_head)
    with pytest.raises(DataError, match=r"no whole answer after 1 s"):
        fetch(raw(host), SHORT._replace(silent_s=0.1, pauses=()))


def test_a_server_decides_how_long_to_wait(host: PlainHost, project: Path):
    host.plays(status(429, Retry_After=0), whole)
    began = time.monotonic()
    fetch(raw(host), SHORT._replace(pauses=(9.0,)))
    assert time.monotonic() - began < 5


def test_a_damaged_file_is_replaced_when_the_right_one_is_here(host: PlainHost, project: Path):
    TARGET.parent.mkdir(parents=True)
    TARGET.write_bytes(CONTENT[:-1])
    host.plays(status(404))
    fault(raw(host))
    assert TARGET.read_bytes() == CONTENT[:-1]
    host.plays(whole)
    fetch(raw(host), SHORT)
    assert TARGET.read_bytes() == CONTENT


def test_a_file_without_addresses_must_be_there(project: Path):
    with pytest.raises(DataError, match=r"file.bin is missing; place it there"):
        fetch(RawFile(path=str(TARGET)))
    TARGET.parent.mkdir(parents=True)
    TARGET.write_bytes(CONTENT)
    assert fetch(RawFile(path=str(TARGET))) == TARGET


def test_without_a_connection_there_is_one_try(project: Path):
    with pytest.raises(DataError, match=r"127.0.0.1:9/file: no connection \(Connection refused\); is there a network"):
        fetch(RawFile(path=str(TARGET), urls=["http://127.0.0.1:9/file"]))


def test_a_login_in_an_address_is_not_shown_and_goes_to_its_host_alone(host: PlainHost, project: Path):
    elsewhere = f"http://localhost:{host.server_port}/b"
    host.plays(redirect("/a"), redirect(elsewhere), status(404))
    said = fault(raw(host, urls=[host.address.replace("//", "//me:SECRET@") + "/file"]))
    assert said.startswith(f"  {host.address}/file: 404")
    assert ["Authorization" in request.headers for request in host.asked] == [True, True, False]


def test_a_damaged_part_is_fetched_again(host: PlainHost, project: Path):
    host.plays(cut(HALF), status(404))
    fault(raw(host))
    with TARGET.with_name(".file.bin.partial").open("rb+") as stream:
        stream.write(b"damage")
    host.plays(whole)
    fetch(raw(host), SHORT)
    assert [request.range for request in host.asked] == [f"bytes={HALF}-", None]
    assert TARGET.read_bytes() == CONTENT and not leftovers()


@pytest.mark.parametrize("known", [{}, {"bytes": 10**17}], ids=["announced", "published"])
def test_free_disk_is_checked_first(host: PlainHost, project: Path, known: dict[str, int]):
    host.plays(announced(10**17))
    with pytest.raises(
        DataError, match=r"file.bin: cannot write: 100000000.00 GB are still to come, .* are free; free"
    ):
        fetch(raw(host, **known), SHORT)
    assert not leftovers()


def test_a_disk_that_gets_full_keeps_what_came(host: PlainHost, project: Path):
    host.plays(whole)
    with little_room(HALF), pytest.raises(DataError, match=r"file.bin: cannot write: .*; free disk space") as caught:
        fetch(raw(host), SHORT)
    assert "\n" not in str(caught.value) and not TARGET.exists()
    assert leftovers()[".file.bin.partial"] == HALF
    fetch(raw(host), SHORT)
    assert host.asked[-1].range == f"bytes={HALF}-" and TARGET.read_bytes() == CONTENT


def test_a_killed_download_is_continued(host: PlainHost, project: Path):
    host.plays(stalled(HALF), whole)
    command = [sys.executable, "-m", "mtbalance", "fetch", str(TARGET), "--url", raw(host).urls[0]]
    program = subprocess.Popen([*command, "--sha256", CHECKSUM, "--bytes", str(SIZE)])
    partial = TARGET.with_name(".file.bin.partial")
    for _ in range(1000):
        if partial.exists() and partial.stat().st_size:
            break
        time.sleep(0.01)
    with pytest.raises(DataError, match=r"file.bin is being downloaded by another process; wait for it"):
        fetch(raw(host), SHORT)
    program.send_signal(signal.SIGKILL)
    program.wait()
    came = partial.stat().st_size
    assert came and not TARGET.exists()
    fetch(raw(host), SHORT)
    assert host.asked[-1].range == f"bytes={came}-" and TARGET.read_bytes() == CONTENT and not leftovers()


# --- Files whose checksum nobody publishes. ---


def unpinned(host: PlainHost, **facts: Any) -> RawFile:
    return raw(host, **{"sha256": None} | facts)


def test_what_came_first_must_come_again(host: PlainHost, project: Path):
    host.plays(whole)
    fetch(unpinned(host), SHORT)
    entry = json.loads(LOCK.read_text())[str(TARGET)]
    assert entry.pop("date").startswith("20")
    assert entry == {"address": f"{host.address}/file.bin?...", "bytes": SIZE, "sha256": CHECKSUM}
    locked = LOCK.read_bytes()

    TARGET.unlink()
    fetch(unpinned(host), SHORT)
    TARGET.write_bytes(OTHER)  # another file in its place is refused when data are prepared
    with pytest.raises(DataError, match=rf"has SHA-256 .*, not {CHECKSUM}: .*remove its entry in {LOCK}"):
        checked_sha256(unpinned(host))
    host.plays(of_another_version(lambda _: OTHER))
    other = hashlib.sha256(OTHER).hexdigest()
    how = rf"to accept another file than that of 20.*, remove its entry in {LOCK}"
    assert re.search(rf"what came has SHA-256 {other}, not {CHECKSUM}; {how}", fault(unpinned(host)))
    host.plays(of_another_version(lambda content: content[1:]))
    assert re.search(rf"announces {SIZE - 1} bytes, not {SIZE}; {how}", fault(unpinned(host)))
    assert LOCK.read_bytes() == locked

    LOCK.write_text("{}")  # accepted
    TARGET.unlink()
    fetch(unpinned(host), SHORT)
    assert TARGET.read_bytes() == CONTENT[1:] and json.loads(LOCK.read_text())[str(TARGET)]["bytes"] == SIZE - 1


def test_half_a_zip_at_its_source_is_refused_and_not_recorded(host: PlainHost, project: Path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("rows.csv", CONTENT)
    content = packed.getvalue()
    file = unpinned(host, path=str(TARGET.with_suffix(".zip")))
    host.plays(of_another_version(lambda _: content[:HALF]))
    assert "what came is no complete zip file" in fault(file)
    assert not LOCK.exists() and not Path(file.path).exists()
    host.plays(of_another_version(lambda _: content))
    assert fetch(file, SHORT).read_bytes() == content


def test_parts_of_two_versions_are_not_put_together(host: PlainHost, project: Path):
    tail = {"Content_Range": f"bytes {HALF}-{SIZE - 1}/{SIZE}", "Content_Length": HALF, "ETag": '"other"'}

    def of_another(exchange: Exchange, content: bytes) -> None:
        exchange.head(206, **tail)  # although If-Range named the first
        exchange.wfile.write(OTHER[HALF:])

    host.plays(cut(HALF), of_another, whole)
    fetch(unpinned(host), SHORT)
    assert TARGET.read_bytes() == CONTENT
    assert [request.range for request in host.asked] == [None, f"bytes={HALF}-", None]


def test_a_checksum_of_the_parameters_needs_no_lock(host: PlainHost, project: Path):
    host.plays(whole)
    LOCK.parent.mkdir()
    entry = {"address": "https://h/f", "bytes": 1, "date": "2026-01-01", "sha256": "0" * 64}
    LOCK.write_text(json.dumps({str(TARGET): entry}))
    for path in (str(TARGET), "data/raw/set/new.bin"):
        fetch(raw(host, path=path), SHORT)
    assert checked_sha256(raw(host, bytes=SIZE)) == CHECKSUM
    with pytest.raises(DataError, match=rf"^{TARGET} has {SIZE} bytes, not 7: damaged or another .*again$"):
        checked_sha256(raw(host, bytes=7))
    assert json.loads(LOCK.read_text()) == {str(TARGET): entry}
    LOCK.write_text("{")
    with pytest.raises(DataError, match=rf"^{LOCK} is damaged .*; take it back from git, or delete it"):
        fetch(unpinned(host, path="other"), SHORT)


def test_downloads_that_end_together_all_have_their_entry(host: PlainHost, project: Path):
    host.plays(whole)
    names = [f"data/raw/set/{number}.bin" for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: fetch(unpinned(host, path=name), SHORT), reversed(names)))
    assert list(json.loads(LOCK.read_text())) == sorted(names)


def test_a_file_outside_of_the_project_has_no_entry(host: PlainHost, project: Path):
    host.plays(whole)
    fetch(unpinned(host, path=str(project / "file.bin")), SHORT)
    assert not LOCK.exists()


def test_a_log_gets_a_line_now_and_then(host: PlainHost, project: Path, monkeypatch: pytest.MonkeyPatch, capfd):
    monkeypatch.setattr("mtbalance.data.files.fetching.progress.SECONDS", 0.0)
    host.plays(whole)
    fetch(raw(host), SHORT)
    said = capfd.readouterr().err.splitlines()
    assert said and all(
        re.fullmatch(r"file.bin: \d+ of \d+ MB, [\d.]+ MB/s, about [\d.]+ minutes left", line) for line in said
    )
