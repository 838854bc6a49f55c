"""Files with an address of their own, on any web server."""

from __future__ import annotations

from mtbalance.data.files.fetching.limits import Limits
from mtbalance.data.files.fetching.resource import Resource, connection

ACCESS = "the server wants a login; save the file with a browser and place it"


def resolve(address: str, limits: Limits) -> Resource:
    """The file at ``https://...`` or ``http://...``."""
    return Resource(address, address, connection(), ACCESS)
