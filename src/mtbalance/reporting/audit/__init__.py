"""The audit: the PUB paper's printed tables, recomputed from their own cells. No run of ours enters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mtbalance.reporting.audit import cost, market, ranking, relation, scenes
from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.markdown import lines
from mtbalance.reporting.printed import Printed, released
from mtbalance.writing import write_text

PARTS = (relation, ranking, cost, market, scenes)
"""The modules that look at the tables, in the order of the paper."""


def findings(printed: Printed) -> list[Finding]:
    """Everything that can be recomputed, in the order of the paper."""
    return [finding for part in PARTS for finding in part.findings(printed)]


def write_audit(output: Path, printed: Printed) -> None:
    """Write the audit as Markdown."""
    write_text(output, "\n".join(_document(findings(printed), released())))


def _document(found: list[Finding], release: pd.DataFrame) -> Iterator[str]:
    differing = [finding for finding in found if not finding.fits]
    yield "# Audit of the PUB paper's printed numbers\n"
    yield (
        "The printed tables of *Parameter Update Balancing for Multi-task Ranking Models* (arXiv 2410.05806), "
        "recomputed from their own cells. No run of this project enters. A difference says that two printed numbers do "
        f"not fit together, not which of them is wrong. Of {len(found)} checks, {len(differing)} found a difference.\n"
    )
    yield "## What does not fit\n"
    yield from _grid(differing)
    yield "\n## What fits\n"
    yield from _grid([finding for finding in found if finding.fits])
    yield "\n## The paper and its released code\n"
    yield "What the released code does, as it was read. The last column says how to get each reading here.\n"
    yield from lines(["topic", "the paper", "the release", "here"], release.fillna("").to_numpy().tolist())
    yield ""


def _grid(found: list[Finding]) -> Iterator[str]:
    rows = [[finding.place, finding.printed, finding.recomputed, finding.arithmetic] for finding in found]
    yield from lines(["place", "printed", "recomputed", "how"], rows)
