import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.files.download import fetch

CONTENT = bytes(range(256)) * 5000
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/absent":
            self.send_error(404)
            return
        html = self.path == "/html"
        body = b"<html>please log in</html>" if html else CONTENT
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8" if html else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:1000] if self.path == "/short" else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def target(tmp_path):
    Handler.asked.clear()
    return tmp_path / "raw" / "file.bin"


def file(target, server, *paths, sha256=CHECKSUM) -> RawFile:
    return RawFile(path=str(target), urls=[server + path for path in paths], sha256=sha256)


def test_a_file_is_fetched_once(server, target):
    for _ in range(2):
        assert fetch(file(target, server, "/good")) == target
        assert target.read_bytes() == CONTENT
    assert Handler.asked == ["/good"]
    assert list(target.parent.iterdir()) == [target]


def test_mirrors_are_tried_in_order(server, target):
    fetch(file(target, server, "/absent", "/short", "/good", "/never"))
    assert target.read_bytes() == CONTENT
    assert Handler.asked == ["/absent", "/short", "/good"]


@pytest.mark.parametrize(
    ("path", "sha256", "says"),
    [
        ("/absent", CHECKSUM, "404"),
        ("/good", "0" * 64, f"SHA-256 of what came is {CHECKSUM}, not 0000"),
        ("/short", None, "after 1000 of 1280000 bytes"),
        ("/html", None, "HTML page"),
        ("/html", CHECKSUM, "SHA-256"),
    ],
)
def test_what_is_not_the_file_is_not_kept(server, target, path, sha256, says):
    with pytest.raises(DataError, match=rf"(?s)file.bin could not be fetched.*{path}: .*{says}.*place the file"):
        fetch(file(target, server, path, sha256=sha256))
    assert not list(target.parent.iterdir())


def test_a_damaged_file_is_replaced(server, target):
    target.parent.mkdir()
    target.write_bytes(CONTENT[:-1])
    fetch(file(target, server, "/good"))
    assert target.read_bytes() == CONTENT


def test_a_file_without_addresses_must_be_there(target):
    with pytest.raises(DataError, match=r"file.bin is missing; place it there"):
        fetch(RawFile(path=str(target)))
    target.parent.mkdir()
    target.write_bytes(CONTENT)
    assert fetch(RawFile(path=str(target))) == target


def test_an_address_that_answers_nothing_is_named(target):
    with pytest.raises(DataError, match=r"127.0.0.1:9/file: .*refused"):
        fetch(RawFile(path=str(target), urls=["http://127.0.0.1:9/file"]))
