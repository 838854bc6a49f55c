"""The body of an answer, as it comes from the network."""

from __future__ import annotations

from collections.abc import Iterator

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from mtbalance.data.files.fetching.limits import Limits, Pace
from mtbalance.data.files.fetching.refusals import Interrupted

CHUNK_BYTES = 2**20


def chunks_of(response: requests.Response, limits: Limits, there: int = 0) -> Iterator[bytes]:
    """The body as it comes, not decoded, after the bytes that are there.

    Raises :class:`Interrupted` if it stalls, drips or breaks.
    """
    pace, length = Pace(limits), response.raw.length_remaining
    total = None if length is None else there + length
    while True:
        try:
            chunk = response.raw.read1(CHUNK_BYTES, decode_content=False)
            pace.add(len(chunk))
        except ReadTimeoutError:
            raise ended(f"nothing came for {limits.silent_s:g} s", there, total) from None
        except (HTTPError, OSError):  # not urllib3's alone: a reset connection is the system's
            raise ended("the connection ended", there, total) from None
        except Interrupted as fault:
            raise ended(str(fault), there, total) from None
        if not chunk:
            return
        there += len(chunk)
        yield chunk


def ended(how: str, there: int, total: int | None) -> Interrupted:
    """The error to raise for a body that ended early."""
    return Interrupted(f"{how} after {there}{'' if total is None else f' of {total}'} bytes")


def at_most(count: int, begin: bytes, chunks: Iterator[bytes]) -> bytes:
    """The first ``count`` bytes."""
    body = bytearray(begin)
    while len(body) < count and (chunk := next(chunks, b"")):
        body += chunk
    return bytes(body[:count])
