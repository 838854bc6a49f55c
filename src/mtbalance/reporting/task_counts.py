"""What balancing many tasks changes: NE and throughput against the baseline, by the number of tasks."""

from __future__ import annotations

import pandas as pd

from mtbalance.reporting.comparison import compare
from mtbalance.reporting.derived import with_mean
from mtbalance.reporting.printed import others
from mtbalance.reporting.throughput import throughput
from mtbalance.reporting.value import METHOD, QPS

NE = "mean_ne"
SOURCE = "MultiBalance (arXiv 2411.11871"
"""How the rows of the MultiBalance paper begin in ``others.csv``."""


def changes(frame: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The cells of mean NE and of throughput with ``tasks``, their number, and ``change_percent`` to the baseline.

    ``low`` and ``high`` are the quartiles of a change of throughput over blocks.
    """
    timed = throughput(frame[frame["metric"] != f"{QPS}_with_data"], baseline)
    found = pd.concat([compare(with_mean(frame, "ne"), [NE], baseline), timed], ignore_index=True)
    counts = frame[frame["metric"] == "weight"].groupby("dataset")["task"].nunique()
    found["tasks"] = found["dataset"].map(counts)
    found["change_percent"] = 100 * (found["ratio"] - 1)
    for name in ("low", "high"):
        quartiles = frame[frame["metric"] == f"{QPS}_{name}"].set_index(METHOD)["value"]
        keys = pd.MultiIndex.from_frame(found[METHOD])
        found[name] = (100 * (quartiles.reindex(keys).to_numpy() - 1)).round(12)
        found.loc[found["metric"] != QPS, name] = float("nan")
    return found


def printed_loss() -> tuple[float, float]:
    """The loss of QPS in percent, from and to, that the MultiBalance paper prints of earlier methods."""
    rows = others(SOURCE)
    earlier = rows[(rows["method"] == "earlier methods") & (rows["metric"] == "QPS")]["value"]
    return float(earlier.min()), float(earlier.max())


def printed_gain() -> float:
    """The improvement of NE in percent that the MultiBalance paper prints."""
    rows = others(SOURCE)
    return float(rows.loc[rows["metric"] == "normalized entropy", "value"].iloc[0])
