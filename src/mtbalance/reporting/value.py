"""Value: one number of a run, as a row of the collected frame."""

from __future__ import annotations

from typing import NamedTuple


class Value(NamedTuple):
    """One number of a run."""

    epoch: int | None
    split: str
    task: str
    metric: str
    value: float | None
