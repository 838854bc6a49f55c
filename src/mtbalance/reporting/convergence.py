"""Convergence: methods whose runs may need more epochs, so that differences to them may be those of the training."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.formats import counted
from mtbalance.reporting.value import RUN

METRIC = "unconverged"
"""The number of signs in a run's record that it had not converged."""
SIGN = "°"
"""The sign of cells that rest on such a run."""
METHOD = RUN[:-1]


def doubtful(frame: pd.DataFrame) -> set[tuple[str, ...]]:
    """Data set, backbone and balancer of the methods with at least one such run."""
    runs = flagged(frame)
    return set(zip(*(runs[name] for name in METHOD), strict=True))


def signed(text: str, row: pd.Series, methods: set[tuple[str, ...]]) -> str:
    """The text of a cell, with the sign if its method is one of the doubtful ``methods``."""
    return f"{text}{SIGN}" if row["n"] and tuple(row[METHOD]) in methods else text


def sentence(frame: pd.DataFrame) -> list[str]:
    """What the sign means, and how many runs it is about; nothing if there is none."""
    found, trained = len(flagged(frame)), int((frame["metric"] == METRIC).sum())
    if not found:
        return []
    return [
        f"{SIGN}: {counted(found, 'run')} of {trained} chose the last epoch that they may have, or predict a"
        " task worse than a constant does. They may not have converged: with more epochs the order may be another."
    ]


def flagged(frame: pd.DataFrame) -> pd.DataFrame:
    """A row of the collected frame for each run with such a sign."""
    return frame[(frame["metric"] == METRIC) & (frame["value"] > 0)]
