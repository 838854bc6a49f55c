"""The few numbers of a preset that ``dvc metrics diff`` compares."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.statistics import mean

LEFT_OUT = r"log_loss|best_auc|constant_\w+|\w+_batch_mean"
"""Said by the normalised entropy, no result of a run, or another average of a number that is there."""
NAMES = {"mean_auc": "auc"}
DIGITS = 5
"""Decimals kept: more than tables print, and fewer than the last bits in which machines differ."""


def summary(metrics: Sequence[Path], output: Path) -> None:
    """Write means over seeds as JSON: experiment, dataset, backbone, balancer, metric, task.

    Timings are left out: they change with every run. A balancer's ``runs`` and ``failed`` count its runs.
    """
    tree: dict[str, Any] = {}
    for path in metrics:
        frame = pd.read_parquet(path)
        final = frame[frame["epoch"].isna() & (frame["split"] == "test") & ~frame["metric"].str.fullmatch(LEFT_OUT)]
        for key, group in final.groupby(["experiment", "dataset", "backbone", "balancer"], sort=False):
            _branch(tree, key).update(_leaf(group))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(tree, indent=2, sort_keys=True) + "\n")


def _branch(tree: dict[str, Any], key: Sequence[str]) -> dict[str, Any]:
    for name in key:
        tree = tree.setdefault(name, {})
    return tree


def _leaf(group: pd.DataFrame) -> dict[str, Any]:
    runs = group.drop_duplicates("seed")
    leaf: dict[str, Any] = {"runs": len(runs), "failed": int((runs["status"] != "finished").sum())}
    for (metric, task), values in group.groupby(["metric", "task"], sort=False):
        average = mean(list(by_seed(values).values()))
        if not math.isnan(average):
            leaf.setdefault(NAMES.get(metric, metric), {})[task] = round(average, DIGITS)
    return leaf
