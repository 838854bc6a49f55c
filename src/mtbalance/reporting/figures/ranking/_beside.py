"""What stands beside the methods in the figure of differences: separate models (STL), and simple models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from mtbalance.reporting.method_lines import Method
from mtbalance.reporting.names import backbone_name, balancer_name, is_single_task
from mtbalance.reporting.reference_errors import against
from mtbalance.reporting.references import MODELS, TRAINED, by_model

SIGNIFICANT = 0.05
LEVEL = "none"
"""Their level: they balance nothing."""


def beside(frame: pd.DataFrame, rows: pd.DataFrame, lines: Sequence[Method], baseline: str) -> pd.DataFrame:
    """Their scores, as rows of a backbone of their own, whose name says which runs of the baseline they stand against.

    ``rows`` are the scores of the runs in the collected ``frame``. The runs are those of the backbone with the most
    ``lines``, and are among the rows that are given. A simple model was fitted once: it has the same score at each of
    their seeds. Its interval is in the columns ``low`` and ``high``, NaN where it is not known. No rows if there is no
    such model, or no such run.
    """
    backbone = Counter(method[0] for method in lines).most_common(1)[0][0]
    runs = rows[(rows["backbone"] == backbone) & (rows["balancer"] == baseline)]
    separate = rows[rows.apply(is_single_task, axis=1)]
    found = [separate.assign(balancer="STL"), *_simple(frame, runs, baseline)]
    if not len(runs) or not sum(map(len, found)):
        return rows.head(0)
    name = f"against {backbone_name(backbone)} ({balancer_name(baseline)})"
    return pd.concat([runs, *found]).assign(backbone=name, level=LEVEL)


def _simple(frame: pd.DataFrame, runs: pd.DataFrame, baseline: str) -> Iterator[pd.DataFrame]:
    """The rows of each simple model on each data set."""
    for dataset, fitted in runs.groupby("dataset", sort=False):
        group, backbone = frame[frame["dataset"] == dataset], fitted["backbone"].iloc[0]
        for name, own in by_model(group):
            found = against(group, name, "mean_auc", baseline, SIGNIFICANT, backbone) if name in TRAINED else None
            if found:
                score = own.loc[own["metric"] == "mean_auc", "value"].iloc[0]
                changed = {"balancer": MODELS[name], "value": score, "status": "finished"}
                yield fitted.assign(**changed, low=found.low, high=found.high)
