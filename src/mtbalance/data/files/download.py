"""Downloading raw files: whole and verified, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO

from rich.progress import DownloadColumn, Progress, TimeRemainingColumn

from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.files.raw_files import checked_sha256
from mtbalance.writing import replacing

CHUNK_BYTES = 2**20
TIMEOUT_SECONDS = 60


def fetch(file: RawFile) -> Path:
    """Download a raw file to its place, unless it is there already with its checksum; returns the place.

    Addresses are tried in order, once each. The download has a temporary name beside the target until it is complete
    and verified. Raises :class:`DataError` with the fault of each address.
    """
    target = Path(file.path)
    if not file.urls:
        checked_sha256(file)
        return target
    if target.is_file():
        with contextlib.suppress(DataError):  # a damaged file is fetched again
            checked_sha256(file)
            return target
    failures = []
    for url in file.urls:
        try:
            _download(url, target, file.sha256)
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append(f"{url}: {error or type(error).__name__}")
        else:
            return target
    raise DataError(
        f"{target} could not be fetched:\n  " + "\n  ".join(failures) + "\n"
        "Try again later, give another address under `urls`, or place the file there yourself"
    )


def _download(url: str, target: Path, sha256: str | None) -> None:
    with replacing(target) as partial:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response, partial.open("wb") as stream:
            if sha256 is None and response.headers.get_content_type() == "text/html":
                raise DataError("the server sent an HTML page, not a file (does it want a login?)")
            found = _copy(response, stream, target.name)
        if sha256 is not None and found != sha256.lower():
            raise DataError(f"the SHA-256 of what came is {found}, not {sha256}")


def _copy(response: Any, stream: BinaryIO, name: str) -> str:
    """Copy the whole body of a response, with a progress bar on a terminal; returns its SHA-256."""
    digest, received = hashlib.sha256(), 0
    announced = response.headers.get("Content-Length")
    total = None if announced is None else int(announced)
    columns = (*Progress.get_default_columns()[:2], DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not os.isatty(2), transient=True) as progress:
        task = progress.add_task(name, total=total)
        while chunk := response.read(CHUNK_BYTES):
            stream.write(chunk)
            digest.update(chunk)
            received += len(chunk)
            progress.update(task, completed=received)
    if total is not None and received != total:
        raise DataError(f"the connection ended after {received} of {total} bytes")
    return digest.hexdigest()
