"""The means of a preset, and their summary: the few of them that ``dvc metrics show`` prints side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtbalance.reporting.answer import SCORE, SUBJECTS
from mtbalance.reporting.comparison import by_seed, compare
from mtbalance.reporting.statistics import mean
from mtbalance.writing import write_text

LEFT_OUT = r"log_loss|best_auc|constant_\w+|\w+_batch_mean"
"""Metrics not in the summary: repeats of the normalized entropy, numbers that are no run's results, other averages."""
NAMES = {"mean_auc": "auc"}
DIGITS = 5
"""Decimals kept: more than tables print, and fewer than the last bits in which machines differ."""


def write_means(metrics: Sequence[Path], output: Path) -> None:
    """Write test metrics as JSON, means over seeds: by experiment, data set, backbone, balancer, metric and task.

    Timings are left out, because they change with every run. ``runs`` and ``failed`` count the runs of a balancer, and
    ``variant`` is the chosen trial of a tuned one.
    """
    tree: dict[str, Any] = {}
    for path in metrics:
        frame = pd.read_parquet(path)
        final = frame[frame["epoch"].isna() & (frame["split"] == "test") & ~frame["metric"].str.fullmatch(LEFT_OUT)]
        for key, group in final.groupby(["experiment", "dataset", "backbone", "balancer"], sort=False):
            _branch(tree, key).update(_leaf(group))
    write_text(output, json.dumps(tree, indent=2, sort_keys=True) + "\n")


def write_summary(metrics: Sequence[Path], output: Path, baseline: str) -> None:
    """Write a few mean AUCs as JSON: of the best balancer, the baseline, PUB and MultiBalance, by experiment.

    They are those of the data set and the backbone with the most balancers. An experiment without this score has none.
    """
    few = {}
    for path in metrics:
        frame = pd.read_parquet(path)
        few[str(frame["experiment"].iloc[0])] = _few(frame, baseline)
    write_text(output, json.dumps({name: found for name, found in few.items() if found}, indent=2) + "\n")


def _few(frame: pd.DataFrame, baseline: str) -> dict[str, Any]:
    scored = compare(frame, [SCORE], baseline) if SCORE in set(frame["metric"]) else pd.DataFrame()
    models = [model for _, model in scored.groupby(["dataset", "backbone"], sort=False)] if len(scored) else []
    if not models:
        return {}
    found = max(models, key=len).set_index("balancer")["mean"].dropna()
    if found.empty:
        return {}
    shown = {name: round(found[name], DIGITS) for name in (baseline, *SUBJECTS) if name in found}
    return {"best": found.idxmax(), "best_auc": round(found.max(), DIGITS)} | shown


def _branch(tree: dict[str, Any], key: Sequence[str]) -> dict[str, Any]:
    for name in key:
        tree = tree.setdefault(name, {})
    return tree


def _leaf(group: pd.DataFrame) -> dict[str, Any]:
    runs = group.drop_duplicates("seed")
    leaf: dict[str, Any] = {"runs": len(runs), "failed": int((runs["status"] != "finished").sum())}
    if runs["grid"].iloc[0]:
        leaf["variant"] = runs["variant"].iloc[0]
    for (metric, task), values in group.groupby(["metric", "task"], sort=False):
        average = mean(list(by_seed(values).values()))
        if not math.isnan(average):
            leaf.setdefault(NAMES.get(metric, metric), {})[task] = round(average, DIGITS)
    return leaf
