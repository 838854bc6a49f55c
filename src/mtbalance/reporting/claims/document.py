"""The ledger as Markdown and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mtbalance.reporting.claims import Entry, judge
from mtbalance.reporting.claims.claim import Outcome, Verdict
from mtbalance.reporting.claims.evidence import Evidence
from mtbalance.reporting.formats import MISSING
from mtbalance.reporting.markdown import lines
from mtbalance.reporting.names import is_a_papers
from mtbalance.writing import write_json, write_text

DIGITS = 6
"""Significant digits in JSON."""


def write_claims(stem: Path, evidence: Evidence) -> None:
    """Write ``stem`` .md and .json: every claim with its verdicts."""
    entries = judge(evidence)
    write_text(stem.with_name(f"{stem.name}.md"), "\n".join(_document(entries, evidence)))
    content = {
        "experiments": _experiments(evidence),
        "level": evidence.level,
        "claims": [_record(entry) for entry in entries],
    }
    write_json(stem.with_name(f"{stem.name}.json"), content)


def _document(entries: Sequence[Entry], evidence: Evidence) -> Iterator[str]:
    yield "# What the papers claim, and what we find\n"
    names = ", ".join(_experiments(evidence))
    yield (
        f"{len(entries)} claims of two papers, each checked twice where that is possible: on the paper's own printed"
        f" numbers, and on our runs (experiments: {names}).\n"
    )
    yield from lines(["verdict", "by our runs", "by their own numbers"], _counts(entries))
    yield "\n## How to read it\n"
    yield from (f"- {sentence}" for sentence in _guide(entries, evidence.level))
    for paper in dict.fromkeys(entry.claim.paper for entry in entries):
        yield f"\n## {paper}\n"
        rows = [_row(entry) for entry in entries if entry.claim.paper == paper]
        yield from lines(["claim", "what is checked", "by our runs", "evidence", "sees", "by their own numbers"], rows)
    yield ""


def _experiments(evidence: Evidence) -> list[str]:
    return [str(name) for name in evidence.metrics["experiment"].unique()]


def _counts(entries: Sequence[Entry]) -> list[list[str]]:
    here, print_ = [entry.here for entry in entries], [entry.printed for entry in entries]
    rows = []
    for verdict in Verdict:
        own = [found for found in here if found and found.verdict is verdict]
        noted = sum(bool(found.data) if verdict is Verdict.UNTESTED else found.synthetic for found in own)
        theirs = sum(found.verdict is verdict for found in print_ if found)
        note = "run, with too few seeds for a test" if verdict is Verdict.UNTESTED else "on synthetic data"
        text = f"{len(own)} ({noted} {note})" if noted else f"{len(own)}"
        rows.append([verdict, text, f"{theirs}" if verdict in (Verdict.HELD, Verdict.FAILED) else MISSING])
    return [*rows, ["about their print alone, or not printed", f"{here.count(None)}", f"{print_.count(None)}"]]


def _guide(entries: Sequence[Entry], level: float) -> Iterator[str]:
    yield (
        f"A comparison is *seen* if its two-sided paired t-test over common seeds has p at most {level:g}. *Held*: all"
        " comparisons of the claim are seen as it says. *Did not hold*: at least one is seen to be otherwise, after"
        " Holm's correction for all of the claim's comparisons. *Not distinguishable*: neither. Where a claim names a"
        " bound, p is that of the distance from the bound."
    )
    yield (
        "*Sees*: the true difference that one comparison finds with a power of 80 %, at the spread seen (the median"
        " over the claim's comparisons). A claim that is not distinguishable may be true of any smaller difference."
    )
    yield (
        "Differences are a method minus another, as the metric has it; n counts common seeds (in section III: data sets"
        " and backbones), and ± is the standard deviation of the differences. Ratios of throughput are medians and"
        " quartiles over blocks of steps; they held if both quartiles are on the claim's side."
    )
    yield (
        "*By their own numbers* says whether the printed tables bear out the text. It is no verdict on the method."
        " The cells are in src/mtbalance/reporting/published/."
    )
    if any(entry.here and entry.here.synthetic for entry in entries):
        yield "On SYNTHETIC stand-in data a verdict is about the stand-in, not about a paper's data."
    yield f"Every number's file and cell are in claims.json. {_untested(entries)}"


def _untested(entries: Sequence[Entry]) -> str:
    number = sum(entry.here is not None and entry.here.verdict is Verdict.UNTESTED for entry in entries)
    return f"{number} claims were not tested here; the evidence then says what it needs."


def _row(entry: Entry) -> list[str]:
    claim, here = entry.claim, entry.here
    theirs = f"{entry.printed.verdict}: {entry.printed.evidence}" if entry.printed else MISSING
    if here is None:
        found = [MISSING, "about their print alone", MISSING]
    else:
        found = [_verdict(here), here.evidence, here.power or MISSING]
    return [f"**{claim.id}** ({claim.section}): “{claim.quote}”", claim.test, *found, theirs]


def _verdict(outcome: Outcome) -> str:
    if not outcome.data:
        return f"*{outcome.verdict}*"
    others = not outcome.synthetic and not any(map(is_a_papers, outcome.data))
    note = "; not the paper's data" if others and outcome.data != ("toy problem",) else ""
    return f"*{outcome.verdict}* on {', '.join(outcome.data)}{note}"


def _record(entry: Entry) -> dict[str, Any]:
    claim = entry.claim
    texts = {name: getattr(claim, name) for name in ("id", "paper", "section", "quote", "test", "needs")}
    return texts | {"here": _outcome(entry.here), "printed": _outcome(entry.printed)}


def _outcome(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {
        "verdict": str(outcome.verdict),
        "evidence": outcome.evidence,
        "sees": outcome.power,
        "data": list(outcome.data),
        "synthetic": outcome.synthetic,
        "trace": [{key: _plain(value) for key, value in cell.items()} for cell in outcome.trace],
    }


def _plain(value: Any) -> Any:
    """A number with :data:`DIGITS` digits, or None for one that is missing; other values as they are."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
