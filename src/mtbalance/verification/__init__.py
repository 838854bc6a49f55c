"""Verification of a project: does everything that lies in it say what it should? Also one archive of its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from mtbalance.reporting.formats import counted


@dataclass
class Verified:
    """What was looked at, and what is not as it should be."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many things of a kind were looked at."""
    differences: list[str] = field(default_factory=list)
    """A line for each difference: the file, what differs, and what to do."""

    def look(self, kind: str, differences: Iterator[str]) -> None:
        """Count one thing of a kind, and keep its differences."""
        self.counts[kind] += 1
        self.differences += differences

    def said(self) -> str:
        """What was looked at, in a line."""
        return ", ".join(counted(count, kind) for kind, count in self.counts.items()) or "nothing"
