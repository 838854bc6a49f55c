"""Addresses of raw files: the kinds that there are, and how an address is shown to people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from mtbalance.errors import quoted, without_secrets

FORMS = {
    "http": ("https://<host>/<path>", re.compile(r"https?://[^\s/]+\S*")),
    "hf": (
        "hf:<owner>/<data set>@<revision>/<file>",
        re.compile(r"hf:(?P<dataset>[^\s/@]+/[^\s/@]+)@(?P<revision>[^\s/@]+)/(?P<file>.*[^/])"),
    ),
    "gdrive": ("gdrive:<folder or file id>/<name>", re.compile(r"gdrive:(?P<id>[-\w]+)(?:/(?P<name>.*[^/]))?")),
}
"""The form of each kind of address, for people and as an expression whose groups are its parts."""


class Address(NamedTuple):
    """An address, taken apart."""

    kind: str
    """A key of :data:`FORMS`."""
    parts: Mapping[str, str | None]
    """The values of its parts, by name."""


def parsed(address: str) -> Address:
    """Take an address apart. Raises ``ValueError`` that lists the forms there are."""
    for kind, (_, form) in FORMS.items():
        if match := form.fullmatch(address):
            return Address(kind, match.groupdict())
    known = ", ".join(shape for shape, _ in FORMS.values())
    raise ValueError(f"{quoted(shown(address))} is no address that can be fetched; it should be one of {known}")


def shown(address: str) -> str:
    """An address as messages and files may hold it: without user, password and query, which can be secrets."""
    return without_secrets(address) if address.startswith(("http://", "https://")) else address
