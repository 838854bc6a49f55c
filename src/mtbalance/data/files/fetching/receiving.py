"""The one shell around every download: resumed, limited in seconds and bytes, and verified while it comes."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from threading import Thread
from typing import NamedTuple

import requests

from mtbalance.data.files.checksums import HashedFile
from mtbalance.data.files.fetching.body import at_most, chunks_of, ended
from mtbalance.data.files.fetching.limits import Limits
from mtbalance.data.files.fetching.partial import Partial
from mtbalance.data.files.fetching.progress import progress_bar
from mtbalance.data.files.fetching.refusals import (
    PAGE_BYTES,
    Interrupted,
    Refused,
    fault_of_connection,
    is_page,
    refuse_page,
    refuse_status,
)
from mtbalance.data.files.fetching.resource import Resource
from mtbalance.data.files.sources_lock import Expected

HEAD_READS = 10
"""Limit of the time to the end of an answer's head, with all redirects, in limits of a single read."""


class Received(NamedTuple):
    """A complete file that is as expected."""

    sha256: str
    bytes: int


def receive(resource: Resource, partial: Partial, expected: Expected, limits: Limits) -> Received:
    """Receive a file into ``partial``, from where it ended if the server still has the same version.

    Raises :class:`Refused` if the server has another file or none, :class:`Interrupted` if the download may be
    continued, ``OSError`` if the disk does not take it.
    """
    _refuse_other(resource.sha256, resource.bytes, expected, "the host announces")
    expected = expected.or_else(resource.sha256, resource.bytes)
    with _answer(resource, partial, limits) as response:
        there = _begin(response, partial, resource.address)
        length = response.raw.length_remaining
        announced = None if length is None else there + length
        chunks = chunks_of(response, limits, there)
        first = next(chunks, b"")
        if there == 0 and is_page(response.headers.get("Content-Type", ""), first, partial.target.name):
            refuse_page(at_most(PAGE_BYTES, first, chunks), resource.access)
        _refuse_other(None, announced, expected, "the server announces")
        if announced is None and not response.raw.chunked and expected.sha256 is None and expected.bytes is None:
            raise Refused("the server does not say how long it is, so half of it could pass for all; give its `bytes`")
        total = announced or expected.bytes
        _refuse_size((total or 0) - there, partial, limits)
        if there == 0:
            partial.begin(resource.address, _version(response))
        chunks = itertools.chain([first], chunks)
        received = _write(chunks, partial, there, total, limits)
    try:
        if not received.bytes:
            raise Refused("the server sent an empty file")
        _refuse_other(received.sha256, received.bytes, expected, "what came has")
        if expected.sha256 is None and partial.target.suffix.lower() == ".zip" and not zipfile.is_zipfile(partial.path):
            raise Refused("what came is no complete zip file")
    except Refused as fault:
        partial.discard()
        if there:  # what was here already may be what is damaged
            raise Interrupted(str(fault)) from None
        raise
    return received


def _answer(resource: Resource, partial: Partial, limits: Limits) -> requests.Response:
    """The server's answer: the file, or the rest of it if the part is of the version that the server has."""
    version = partial.version(resource.address)
    headers = {} if version is None else {"Range": f"bytes={partial.path.stat().st_size}-", "If-Range": version}
    try:
        response = _begun(
            lambda: resource.session.get(resource.url, headers=headers, stream=True, timeout=limits.silent_s), limits
        )
    except requests.RequestException as error:
        raise fault_of_connection(error, limits.silent_s, begun=version is not None) from None
    if response.status_code == 416:
        partial.discard()
    if response.status_code not in (200, 206):
        with response:
            body = at_most(PAGE_BYTES, b"", chunks_of(response, limits))
        refuse_status(response.status_code, response.headers, body, resource.access, limits.patience_s)
    return response


def _begun(ask: Callable[[], requests.Response], limits: Limits) -> requests.Response:
    """An answer whose head is complete. A server that drips it would keep every single read short enough."""
    answer: Future[requests.Response] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001  raised where it is waited for
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    seconds = HEAD_READS * limits.silent_s
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise Interrupted(f"no whole answer after {seconds:g} s") from None


def _begin(response: requests.Response, partial: Partial, address: str) -> int:
    """The number of bytes that are there and stay. Raises :class:`Interrupted` if the rest does not fit to them."""
    if response.status_code == 200:
        return 0
    there = partial.path.stat().st_size if partial.path.exists() else 0
    begin = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if begin is None or int(begin[1]) != there or _version(response) != partial.version(address):
        partial.discard()
        raise Interrupted("the server sent a part of another version of the file")
    return there


def _version(response: requests.Response) -> str | None:
    """What ``If-Range`` can ask for: a strong ETag, or else the date."""
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _write(chunks: Iterator[bytes], partial: Partial, there: int, total: int | None, limits: Limits) -> Received:
    """Write what comes, flushed to the disk; returns what is there in the end."""
    most, count = total or limits.most_bytes, there
    with (
        HashedFile(partial.path, append=there > 0) as file,
        progress_bar(partial.target.name, there, total) as progress,
    ):
        for chunk in chunks:
            count += len(chunk)
            if count > most:
                partial.discard()
                raise Refused(f"more than {most} bytes came: not the file")
            file.write(chunk)
            progress(count)
        if total is not None and count < total:
            raise ended("the connection ended", count, total)
        file.flush()
        os.fsync(file.fileno())
        return Received(file.sha256, count)


def _refuse_other(sha256: str | None, size: int | None, expected: Expected, who: str) -> None:
    """Raise :class:`Refused` if a size or a checksum is not the expected one, as far as both are known."""
    for unit, found, wanted in (("{} bytes", size, expected.bytes), ("SHA-256 {}", sha256, expected.sha256)):
        if None not in (found, wanted) and found != wanted:
            raise Refused(f"{who} {unit.format(found)}, not {wanted}{expected.how_to_accept}")


def _refuse_size(rest: int, partial: Partial, limits: Limits) -> None:
    """Raise if the rest of a file is larger than any file may be, or than the disk has room for."""
    if rest > limits.most_bytes:
        raise Refused(f"the server announces {rest} bytes; no file may have more than {limits.most_bytes}")
    free = shutil.disk_usage(partial.target.parent).free
    if rest > free:
        raise OSError(f"{rest / 1e9:.2f} GB are still to come, {free / 1e9:.2f} GB are free")
