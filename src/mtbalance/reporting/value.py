"""Value: one number of a run, as a row of the collected frame; the columns that say which run it is of; and QPS."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

RUN = ["dataset", "backbone", "balancer", "seed"]
"""The columns that name a run within an experiment."""
METHOD = RUN[:3]
"""Those that name a method."""
GROUP = RUN[:2]
"""Those that name a group of methods, which are compared: all on one data set and backbone."""
QPS = "relative_throughput"
"""The metric that says what a step costs: training samples per second over the baseline's. With ``_low`` and ``_high``
at its end it is a quartile over blocks, and with ``_with_data`` the loading of data counts, too."""


class Value(NamedTuple):
    """One number of a run."""

    epoch: int | None
    split: str
    task: str
    metric: str
    value: float | None


def trained(frame: pd.DataFrame) -> pd.DataFrame:
    """A row of a collected frame for each run that was trained. Runs that were only timed have none."""
    return frame[frame["metric"] == "best_epoch"]
