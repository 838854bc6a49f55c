"""The means of a preset, and their summary: the few of them that ``dvc metrics show`` prints side by side."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mtbalance.reporting.answer import SUBJECTS
from mtbalance.reporting.captions import ALONE
from mtbalance.reporting.collected import read_collected
from mtbalance.reporting.comparison import by_seed
from mtbalance.reporting.statistics import mean
from mtbalance.writing import write_text

LEFT_OUT = rf"log_loss|{ALONE}.+|best_auc|constant_\w+|\w+_batch_mean"
"""Metrics not in the summary: repeats of the normalized entropy, numbers that are no run's results, other averages."""
NAMES = {"mean_auc": "auc"}
DIGITS = 5
"""Decimals kept: more than tables print, and fewer than the last bits in which machines differ."""


def write_means(metrics: Sequence[Path], output: Path) -> dict[str, Any]:
    """Write test metrics as JSON, means over seeds: by experiment, data set, backbone, balancer, metric and task.

    Timings are left out, because they change with every run. ``runs`` and ``failed`` count the runs of a balancer, and
    ``variant`` is the chosen trial of a tuned one. Returns what was written.
    """
    tree: dict[str, Any] = {}
    for path in metrics:
        frame = read_collected(path)
        final = frame[frame["epoch"].isna() & (frame["split"] == "test") & ~frame["metric"].str.fullmatch(LEFT_OUT)]
        for key, group in final.groupby(["experiment", "dataset", "backbone", "balancer"], sort=False):
            _branch(tree, key).update(_leaf(group))
    write_text(output, json.dumps(tree, indent=2, sort_keys=True) + "\n")
    return tree


def write_summary(means: Mapping[str, Any], output: Path, baseline: str) -> None:
    """Write a few mean AUCs as JSON: of the best balancer, the baseline, PUB and MultiBalance, by experiment.

    ``means`` are those of :func:`write_means`. The few are of the data set and the backbone with the most balancers. An
    experiment without this score has none.
    """
    few = {experiment: _few(datasets, baseline) for experiment, datasets in means.items()}
    write_text(output, json.dumps({name: found for name, found in few.items() if found}, indent=2) + "\n")


def _few(datasets: Mapping[str, Any], baseline: str) -> dict[str, Any]:
    largest = max((balancers for backbones in datasets.values() for balancers in backbones.values()), key=len)
    found = {name: leaf["auc"]["mean"] for name, leaf in largest.items() if "mean" in leaf.get("auc", {})}
    if not found:
        return {}
    best = max(found, key=lambda name: found[name])
    shown = {name: found[name] for name in (baseline, *SUBJECTS) if name in found}
    return {"best": best, "best_auc": found[best]} | shown


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
