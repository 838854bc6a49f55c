"""A plain host: one file at every path, and every fault that a host, or the way to it, can have."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable

from serving import DATE, Exchange, Server

Answer = Callable[[Exchange, bytes], None]
"""How a plain host answers one request for a file with this content."""


class PlainHost(Server):
    """A host with one file at every path. It gives the answers of ``script`` in turn, the last one again and again."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content, self.script = content, [whole]

    def plays(self, *script: Answer) -> None:
        """Forget what was asked, and give these answers."""
        self.asked.clear()
        self.script = list(script)

    def answer(self, exchange: Exchange) -> None:
        """Give the next answer."""
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        step(exchange, self.content)


def tag_of(content: bytes) -> str:
    """A strong ETag."""
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def whole(exchange: Exchange, content: bytes) -> None:
    """The file, as a good server gives it."""
    exchange.file(io.BytesIO(content), len(content), ETag=tag_of(content))


def dated(exchange: Exchange, content: bytes) -> None:
    """The file of a server that knows dates and no ETags."""
    exchange.file(io.BytesIO(content), len(content), Last_Modified=DATE)


def without_range(exchange: Exchange, content: bytes) -> None:
    """The file of a server that always sends all of it."""
    exchange.head(200, Content_Length=len(content), ETag=tag_of(content))
    exchange.wfile.write(content)


def page(text: str, status: int = 200, **headers: object) -> Answer:
    """A page in place of the file."""
    return lambda exchange, _: exchange.text(text, status, **headers)


def message(content: object, status: int = 200, **headers: object) -> Answer:
    """JSON in place of the file."""
    return lambda exchange, _: exchange.json(content, status, **headers)


def status(code: int, **headers: object) -> Answer:
    """A status without a body."""
    return lambda exchange, _: exchange.head(code, Content_Length=0, **headers)


def redirect(url: str) -> Answer:
    """A redirect."""
    return lambda exchange, _: exchange.redirect(url)


def of_another_version(change: Callable[[bytes], bytes], answer: Answer = whole) -> Answer:
    """An answer of a host whose file has changed."""
    return lambda exchange, content: answer(exchange, change(content))


def cut(after: int, **headers: object) -> Answer:
    """The file, from a connection that ends after some bytes; with other headers than an ETag, if there are any."""

    def answer(exchange: Exchange, content: bytes) -> None:
        exchange.head(200, Content_Length=len(content), **(headers or {"ETag": tag_of(content)}))
        exchange.wfile.write(content[:after])
        exchange.close_connection = True

    return answer


def stalled(after: int) -> Answer:
    """The file, from a server that says nothing more after some bytes."""

    def answer(exchange: Exchange, content: bytes) -> None:
        exchange.head(200, Content_Length=len(content), ETag=tag_of(content))
        exchange.wfile.write(content[:after])
        exchange.server.closing.wait(30)
        exchange.close_connection = True

    return answer


def dripping(exchange: Exchange, content: bytes) -> None:
    """The file, a byte at a time."""
    exchange.head(200, Content_Length=len(content), ETag=tag_of(content))
    for number in range(len(content)):
        exchange.wfile.write(content[number : number + 1])
        time.sleep(0.01)


def dripping_head(exchange: Exchange, content: bytes) -> None:
    """A server whose head never ends, a byte at a time."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not exchange.server.closing.wait(0.05):
        exchange.wfile.write(b".")


def in_chunks(size: int, end: bool = True) -> Answer:
    """The file without a size, in chunks; with or without the chunk that ends it."""

    def answer(exchange: Exchange, content: bytes) -> None:
        exchange.head(200, Transfer_Encoding="chunked")
        for begin in range(0, len(content), size):
            part = content[begin : begin + size]
            exchange.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        exchange.wfile.write(b"0\r\n\r\n" if end else b"")
        exchange.close_connection = not end

    return answer


def unsized(after: int | None = None) -> Answer:
    """The file, or its beginning, as an old server sends it: without a size, and the connection's end is its own."""

    def answer(exchange: Exchange, content: bytes) -> None:
        exchange.head(200, Connection="close", ETag=tag_of(content))
        exchange.wfile.write(content[:after])
        exchange.close_connection = True

    return answer


def announced(size: int) -> Answer:
    """A file that is said to be of another size than it is."""

    def answer(exchange: Exchange, content: bytes) -> None:
        exchange.head(200, Content_Length=size, ETag=tag_of(content))
        exchange.wfile.write(content)
        exchange.close_connection = True

    return answer
