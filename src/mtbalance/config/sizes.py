"""Size and StandIn: what is known of a data set before it is here, for a plan of downloads, disk and time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Size(NamedTuple):
    """The size of a data set, as far as it is known before the data are here."""

    rows: Mapping[str, int] | None = None
    """Rows (or images) of each prepared split. None: unknown."""
    raw: int | None = None
    """Bytes of the raw files, in the form that is fetched. None: unknown."""
    prepared: int | None = None
    """Bytes of the prepared data set, and of the decoded rows that runs share. None: unknown."""
    about: bool = False
    """True if a number is derived or remembered, not published or counted."""


class StandIn(NamedTuple):
    """A small synthetic data set in the layout of another, which training steps can be timed on."""

    block: Mapping[str, Any]
    """Its block, as under ``datasets``."""
    share: float = 1.0
    """The work of one of its rows over that of a real one: with smaller images, the ratio of the pixels."""
