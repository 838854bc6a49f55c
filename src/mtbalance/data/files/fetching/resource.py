"""Resource: what an address turned into, and the connection that it is received through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests

from mtbalance.config.addresses import shown
from mtbalance.data.files.fetching.refusals import Refused

MOST_REDIRECTS = 10


class Resource(NamedTuple):
    """A file that a server has."""

    address: str
    """The address in ``params.yaml``, which names the file."""
    url: str
    """The URL of its bytes; it may hold secrets and is never shown."""
    session: requests.Session
    """The connection, with headers and cookies."""
    access: str
    """What to do if the server refuses access."""
    bytes: int | None = None
    """Its size, where the host says it."""
    sha256: str | None = None
    """Its checksum, where the host says it."""


def connection(headers: Mapping[str, str] | None = None) -> requests.Session:
    """A connection that gets bytes as they are stored, and follows redirects to no other scheme but https.

    Proxies and certificates are those of the environment. An ``Authorization`` header goes to no other host.
    """
    session = requests.Session()
    session.headers.update({"User-Agent": "mtbalance", **(headers or {}), "Accept-Encoding": "identity"})
    session.max_redirects = MOST_REDIRECTS
    session.hooks["response"].append(_refuse_other_schemes)
    return session


def _refuse_other_schemes(response: requests.Response, **_: Any) -> None:
    if response.is_redirect:
        url = urljoin(response.url, response.headers["Location"])
        if urlsplit(url).scheme not in (urlsplit(response.url).scheme, "https"):
            raise Refused(f"the server redirects to {shown(url).split('?')[0]}, which is not safe; use another address")
