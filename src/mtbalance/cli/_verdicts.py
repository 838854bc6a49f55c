"""The verdicts on a rule as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from mtbalance.balancing.contract.verdicts import Subject, Verdict

STYLES = {"holds": "green", "fails": "bold red", "not asked": "dim"}


def table(subject: Subject, verdicts: Iterable[Verdict]) -> Table:
    """A row for each verdict: check, verdict, what was found, what to do."""
    found = Table(title=f"{subject.rule.__name__} in {subject.file.name}", box=box.SIMPLE, show_lines=False)
    for title, ratio in {"check": None, "verdict": None, "what was found": 3, "what to do": 2}.items():
        found.add_column(title, ratio=ratio, overflow="fold", no_wrap=ratio is None)
    for verdict in verdicts:
        style = STYLES[verdict.outcome]
        quiet = "" if verdict.outcome == "fails" else "dim"
        cells = (verdict.check, verdict.outcome, verdict.found, verdict.advice)
        found.add_row(*(Text(text, style=each) for text, each in zip(cells, ("", style, quiet, ""), strict=True)))
    return found
