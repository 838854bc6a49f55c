"""Finding: a printed number beside what the other printed numbers say."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One check."""

    place: str
    """The table and the cell, or the section."""
    printed: str
    recomputed: str
    arithmetic: str
    """How it was recomputed, in print."""
    fits: bool
    """True if the two agree to the last printed digit."""
