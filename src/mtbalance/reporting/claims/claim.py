"""A claim of a paper, and what came out of its check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mtbalance.reporting.claims.evidence import Evidence
from mtbalance.reporting.printed import Printed

PUB, MULTIBALANCE = "PUB (arXiv 2410.05806)", "MultiBalance (arXiv 2411.11871)"


class Verdict(StrEnum):
    """What a check says about a claim."""

    HELD = "held"
    FAILED = "did not hold"
    OPEN = "not distinguishable"
    UNTESTED = "not tested here"


@dataclass(frozen=True)
class Outcome:
    """A verdict with the numbers behind it."""

    verdict: Verdict
    evidence: str
    """The numbers, with spread, number of seeds and p where there are any."""
    power: str = ""
    """How large an effect would have been seen; empty where nothing was tested."""
    data: tuple[str, ...] = ()
    """The data sets as headings, which mark synthetic data."""
    synthetic: bool = False
    """True if some of the data are a stand-in: the verdict is then about the stand-in."""
    trace: tuple[dict[str, Any], ...] = ()
    """Where each number comes from: files and cells."""


Check = Callable[[Evidence], Outcome | None]
"""A check on what was run; None if the rows that it needs are not there."""
PrintedCheck = Callable[[Printed], Outcome]
"""A check on a paper's own printed numbers: held, or did not hold."""


@dataclass(frozen=True)
class Claim:
    """One claim: the sentence, and how it is checked."""

    id: str
    paper: str
    section: str
    quote: str
    """The paper's words, few of them."""
    test: str
    """What is checked, in our words."""
    needs: str
    """What a check on runs needs: experiments, data, or a device; empty if the claim is about the print alone."""
    here: Check | None = None
    """The check on what was run; None for a claim that this project cannot run."""
    printed: PrintedCheck | None = None
    """The check on the paper's own numbers; None if it prints none that decide."""
