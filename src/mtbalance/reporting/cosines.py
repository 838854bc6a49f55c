"""Cosines: what a run's gradients have in common with its updates, compared with the baseline run by run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mtbalance.errors import UserError
from mtbalance.reporting.names import is_single_task
from mtbalance.reporting.statistics import holm, mean, paired_test, standard_deviation
from mtbalance.reporting.value import GROUP, RUN

UNIT = [*GROUP, "seed"]
MEASURES = ("task_specific", "shared", "diff", "relative_diff", "halves_diff")
"""Of each run: both cosines, both readings of Diff, and the control: the Diff of two random halves of the shared
parameters, which says what any two parts differ by."""
STL = "single_task"


def diffs(task_specific: pd.Series, shared: pd.Series) -> dict[str, pd.Series]:
    """Diff of the two cosines in both readings of the PUB paper's equation (1), whose formula is lost in print.

    ``diff`` is their distance, and ``relative_diff`` that over the task-specific one.
    """
    distance = (task_specific - shared).abs()
    return {"diff": distance, "relative_diff": distance / task_specific.abs()}


def by_run(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each finished run, with :data:`MEASURES`; ``frame`` is of an experiment that measures cosines.

    Single-task runs share nothing and have the cosine of their task-specific parameters alone; their balancer is called
    :data:`STL`. Raises :class:`UserError` if no run has cosines.
    """
    names = ["cosine_shared", "cosine_task_specific", "cosine_half", "cosine_other_half"]
    chosen = frame[frame["epoch"].isna() & frame["metric"].isin(names) & (frame["status"] == "finished")]
    if chosen.empty:
        raise UserError("no run has cosines: the experiment needs `measure: [cosines]`")
    runs = chosen.pivot(index=RUN, columns="metric", values="value").reindex(columns=names)
    shared, own, half, other = (runs[name] for name in names)
    found = pd.DataFrame(
        {
            "task_specific": own,
            "shared": shared,
            **diffs(own, shared),
            "halves_diff": (half - other).abs(),
        }
    ).reset_index()
    rows = frame.drop_duplicates(["backbone", "balancer"])
    single = {(row["backbone"], row["balancer"]) for _, row in rows.iterrows() if is_single_task(row)}
    keys = pd.MultiIndex.from_frame(found[["backbone", "balancer"]])
    found.loc[keys.isin(single), "balancer"] = STL
    order = {name: place for place, name in enumerate(dict.fromkeys([STL, *frame["balancer"]]))}
    return found.sort_values("balancer", key=lambda names: names.map(order), kind="stable")


def against_baseline(runs: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """A row for each balancer and measure: mean and spread, and two paired t-tests against the baseline.

    ``p`` pairs runs on the same data set, backbone and seed, as if they were independent; ``p_groups`` pairs the means
    of data set and backbone. ``p_holm`` corrects ``p`` for all rows.
    """
    theirs = runs[runs["balancer"] == baseline]
    rows = []
    for balancer, own in runs.groupby("balancer", sort=False):
        for measure in MEASURES:
            values = own[measure].dropna().tolist()
            if not values:
                continue
            tested = balancer not in (baseline, STL)
            rows.append(
                {
                    "balancer": balancer,
                    "measure": measure,
                    "runs": len(values),
                    "mean": mean(values),
                    "std": standard_deviation(values),
                    "p": _p(own, theirs, measure, UNIT) if tested else np.nan,
                    "p_groups": _p(own, theirs, measure, GROUP) if tested else np.nan,
                }
            )
    table = pd.DataFrame(rows)
    return table.assign(p_holm=holm(list(table["p"])))


def _p(own: pd.DataFrame, theirs: pd.DataFrame, measure: str, unit: list[str]) -> float:
    """p of the paired t-test over units that both have; the units are numbered, as seeds are."""
    ours, baseline = (runs.groupby(unit)[measure].mean() for runs in (own, theirs))
    common = ours.index.intersection(baseline.index)
    first, second = (dict(enumerate(series.loc[common])) for series in (ours, baseline))
    return paired_test(first, second).p
