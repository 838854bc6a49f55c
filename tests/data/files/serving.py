"""What the servers of these tests have in common: connections, ranges of files, and a memory of what was asked."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import ssl
import sys
import threading
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, NamedTuple
from urllib.parse import parse_qs

DATE = "Sat, 01 Aug 2026 10:00:00 GMT"


class Asked(NamedTuple):
    """A request, as a server got it."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def range(self) -> str | None:
        """The bytes that were asked for."""
        return self.headers.get("Range")


class Exchange(BaseHTTPRequestHandler):
    """One connection to a server; what to answer is the server's matter."""

    server: Server
    protocol_version = "HTTP/1.1"
    host: str | None = None
    """The host that a client believes to talk to, if it came through the proxy."""

    def do_GET(self) -> None:
        """Answer a GET, a HEAD or a POST."""
        length = int(self.headers.get("Content-Length") or 0)
        self.form = parse_qs(self.rfile.read(length).decode()) if length else {}
        place = self.path if self.host is None else f"https://{self.host}{self.path}"
        self.server.asked.append(Asked(self.command, place, dict(self.headers)))
        self.server.answer(self)

    do_HEAD = do_POST = do_GET

    def do_CONNECT(self) -> None:
        """Be a proxy that leads to the host itself: the connection goes on in TLS, with this server as that host."""
        self.send_response(HTTPStatus.OK)
        self.end_headers()
        self.host = self.path.partition(":")[0]
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def head(self, status: int, **headers: object) -> None:
        """Send a status and headers; ``_`` in their names stands for ``-``."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def text(self, text: str, status: int = 200, kind: str = "text/html; charset=utf-8", **headers: object) -> None:
        """Send a text, by default as a page."""
        body = text.encode()
        self.head(status, Content_Type=kind, Content_Length=len(body), **headers)
        self.wfile.write(body)

    def json(self, content: object, status: int = 200, **headers: object) -> None:
        """Send JSON."""
        self.text(json.dumps(content), status, "application/json; charset=utf-8", **headers)

    def redirect(self, url: str, status: int = 302, **headers: object) -> None:
        """Send the client to another URL."""
        self.head(status, Location=url, Content_Length=0, **headers)

    def file(self, stream: IO[bytes], size: int, **headers: object) -> None:
        """Send a file, or the range of it that is asked for if it is still the version that the client means."""
        version = headers.get("ETag", headers.get("Last_Modified"))
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, version)
        begin = int(asked[1]) if asked and same else 0
        if begin >= size > 0:
            self.head(416, Content_Range=f"bytes */{size}", Content_Length=0)
            return
        if asked and same:
            headers["Content_Range"] = f"bytes {begin}-{size - 1}/{size}"
        kind = {"Content_Type": "application/octet-stream", "Accept_Ranges": "bytes"} | headers
        self.head(206 if asked and same else 200, Content_Length=size - begin, **kind)
        stream.seek(begin)
        if self.command != "HEAD":
            shutil.copyfileobj(stream, self.wfile, 2**20)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server that remembers what it was asked."""

    daemon_threads = True
    tls: ssl.SSLContext
    """The certificate of a server that is reached as a proxy."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.asked: list[Asked] = []
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which a program comes to this server instead of the real host."""
        return {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}

    def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        raise NotImplementedError

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no fault."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def __enter__(self) -> Any:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


@cache
def checksum(path: Path) -> str:
    """SHA-256 of a file that does not change."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_in(folder: Path) -> dict[str, Path]:
    """The files of a folder by their path in it."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
