"""Fetching raw files from where they are published: whole and verified, or not at all.

Each kind of address turns into a :class:`Resource` (:mod:`~mtbalance.data.files.fetching.http`,
:mod:`~mtbalance.data.files.fetching.huggingface`, :mod:`~mtbalance.data.files.fetching.google_drive`), which one shell
receives (:mod:`~mtbalance.data.files.fetching.receiving`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from mtbalance.config.addresses import parsed, shown
from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.files import sources_lock
from mtbalance.data.files.fetching import google_drive, http, huggingface
from mtbalance.data.files.fetching.limits import STANDARD, Limits
from mtbalance.data.files.fetching.partial import Partial
from mtbalance.data.files.fetching.receiving import receive
from mtbalance.data.files.fetching.refusals import Interrupted, Refused
from mtbalance.data.files.fetching.resource import Resource
from mtbalance.data.files.raw_files import checked_sha256
from mtbalance.data.files.staging import writing

RESOLVERS: Mapping[str, Callable[[str, Limits], Resource]] = {
    "http": http.resolve,
    "hf": huggingface.resolve,
    "gdrive": google_drive.resolve,
}
"""Kinds of addresses, as :data:`mtbalance.config.addresses.FORMS` has them."""


def fetch(file: RawFile, limits: Limits = STANDARD) -> Path:
    """Download a raw file to its place, unless it is there already as expected; returns the place.

    Addresses are tried in order. Each of them is asked again, with a pause, if its server or the connection fails. The
    download has a temporary name beside the target until it is complete and verified; the next call continues it.
    Raises :class:`DataError` with the fault of each address, or of the disk.
    """
    target = Path(file.path)
    if not file.urls:
        checked_sha256(file)
        return target
    if target.is_file():
        with contextlib.suppress(DataError):  # a damaged file is fetched again
            checked_sha256(file)
            return target
    failures, limits = [], limits.begun()
    with writing(target), Partial(target) as partial:
        for address in file.urls:
            try:
                _persist(address, file, partial, limits)
            except (Refused, Interrupted) as error:
                failures.append(f"{shown(address)}: {error}")
            else:
                return target
    raise DataError(
        f"{target} could not be fetched:\n  " + "\n  ".join(failures) + "\n"
        "Try again later, give another address under `urls`, or place the file there yourself"
    )


def _persist(address: str, file: RawFile, partial: Partial, limits: Limits) -> None:
    """Take the file from one address, which is asked again after each pause while the fault may pass."""
    for pause in limits.pauses:
        try:
            return _take(address, file, partial, limits)
        except Interrupted as fault:
            time.sleep(pause if fault.after is None else fault.after)
    return _take(address, file, partial, limits)


def _take(address: str, file: RawFile, partial: Partial, limits: Limits) -> None:
    limits.refuse_late()
    resource = RESOLVERS[parsed(address).kind](address, limits)
    with resource.session:
        received = receive(resource, partial, sources_lock.expected(file), limits)
    sources_lock.record(file, address, received.sha256, received.bytes)
    partial.publish()
