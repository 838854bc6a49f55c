"""The ledger of claims: what the two papers say, by their own printed numbers and by our runs.

A claim is one entry in the file of its topic. It names its section, quotes a few words, says what is checked and what
the check needs, and gives the check: one of :mod:`checks` (paired comparisons over seeds), :mod:`measured` (throughput
and single numbers), :mod:`association` and :mod:`by_print` (printed numbers).
"""

from __future__ import annotations

from typing import NamedTuple

from mtbalance.reporting.claims import (
    cost,
    introduction,
    manipulations,
    market,
    method,
    multibalance,
    ranking,
    scenes,
    section3,
    toy,
)
from mtbalance.reporting.claims.claim import Claim, Outcome, Verdict
from mtbalance.reporting.claims.evidence import Evidence

TOPICS = (introduction, toy, section3, method, ranking, manipulations, cost, market, scenes, multibalance)
LEDGER: tuple[Claim, ...] = tuple(claim for topic in TOPICS for claim in topic.CLAIMS)
"""All claims, in the order of the papers."""


class Entry(NamedTuple):
    """A claim with its outcomes."""

    claim: Claim
    here: Outcome | None
    """By our runs; None for a claim about print alone."""
    printed: Outcome | None
    """By the paper's own numbers; None if it prints none that decide."""


def judge(evidence: Evidence) -> list[Entry]:
    """Check every claim of :data:`LEDGER`."""
    return [
        Entry(claim, _here(claim, evidence), claim.printed(evidence.printed) if claim.printed else None)
        for claim in LEDGER
    ]


def _here(claim: Claim, evidence: Evidence) -> Outcome | None:
    if not claim.needs:
        return None
    found = claim.here(evidence) if claim.here else None
    if found is None:
        return Outcome(Verdict.UNTESTED, f"needs {claim.needs}")
    return found
