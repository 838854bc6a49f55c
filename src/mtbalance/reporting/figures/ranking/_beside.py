"""What stands beside the methods in the figure of differences: separate models (STL), and simple models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from mtbalance.reporting.method_lines import Method
from mtbalance.reporting.names import backbone_name, balancer_name, is_single_task
from mtbalance.reporting.references import MODELS, TRAINED, by_model

LEVEL = "none"
"""Their level: they balance nothing."""


def beside(frame: pd.DataFrame, rows: pd.DataFrame, lines: Sequence[Method], baseline: str) -> pd.DataFrame:
    """Their scores, as rows of a backbone of their own, whose name says which runs of the baseline they stand against.

    ``rows`` are the scores of the runs in the collected ``frame``. The runs are those of the backbone with the most
    ``lines``, and are among the rows that are given. A simple model was fitted once: it has the same score at each of
    their seeds. No rows if there is no such model, or no such run.
    """
    backbone = Counter(method[0] for method in lines).most_common(1)[0][0]
    runs = rows[(rows["backbone"] == backbone) & (rows["balancer"] == baseline)]
    separate = rows[rows.apply(is_single_task, axis=1)]
    found = [separate.assign(balancer="STL"), *_simple(frame, runs)]
    if not len(runs) or not sum(map(len, found)):
        return rows.head(0)
    name = f"against {backbone_name(backbone)} ({balancer_name(baseline)})"
    return pd.concat([runs, *found]).assign(backbone=name, level=LEVEL)


def _simple(frame: pd.DataFrame, runs: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The rows of each simple model."""
    for name, own in by_model(frame):
        if name in TRAINED:
            scores = own[own["metric"] == "mean_auc"].set_index("dataset")["value"]
            fitted = runs[runs["dataset"].isin(scores.index)]
            yield fitted.assign(balancer=MODELS[name], value=fitted["dataset"].map(scores), status="finished")
