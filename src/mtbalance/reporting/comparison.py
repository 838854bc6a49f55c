"""The cells of a table: statistics of one metric over seeds, and the comparison with the baseline."""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy import stats

from mtbalance.reporting import convergence
from mtbalance.reporting.row_errors import ENDING
from mtbalance.reporting.statistics import BySeed, holm, mean, paired_test, ratios, standard_deviation
from mtbalance.reporting.value import METHOD, QPS

DESCRIPTION = ["experiment", "dataset", "synthetic", "backbone", "balancer", "level", "rule", "manipulation", "shares"]
DESCRIPTION += ["task", "task_title", "metric", "better"]
"""The columns of a collected table that describe a cell."""
BETTER = {"mean_auc": 1, "mean_score": 1, QPS: 1, f"{QPS}_with_data": 1}
"""``better`` for numbers that belong to no single task."""
CELL = [*METHOD, "task"]


def compare(frame: pd.DataFrame, metrics: list[str], baseline: str) -> pd.DataFrame:
    """A row for each data set, backbone, balancer, task and metric, with statistics over its seeds.

    ``frame`` is a collected table (:mod:`mtbalance.reporting.collect`). The baseline is the balancer of that name on
    the same backbone with the same seeds. Beside :data:`DESCRIPTION` the columns are ``n`` (finished runs), ``failed``
    (runs), ``flagged`` (runs that may not have converged; 0 for numbers that are not of the test split), ``mean``,
    ``std``, ``pairs`` (common seeds), ``difference`` and ``ratio`` to the baseline, ``ratio_std``, ``p``, ``p_holm``
    (corrected for all rows) and ``untested``, the reason for a missing p. These are over seeds. Over test rows are
    ``row_error``, the standard error of the difference (:mod:`~mtbalance.reporting.row_errors`), and ``p_rows``, from
    the normal distribution; both are missing where no predictions were collected.
    """
    rows = frame[frame["epoch"].isna() & frame["metric"].isin(metrics)]
    cells = dict(list(rows.groupby([*CELL, "metric"], sort=False)))
    table = pd.DataFrame([_cell(group, cells, baseline) for group in cells.values()])
    errors = _row_errors(frame, table, baseline)
    p_rows = 2 * stats.norm.sf(table["difference"].abs() / errors)
    return table.assign(p_holm=holm(list(table["p"])), row_error=errors, p_rows=p_rows)


def _row_errors(frame: pd.DataFrame, table: pd.DataFrame, baseline: str) -> pd.Series:
    """The row error of each cell; missing if those in ``frame`` are of differences to another baseline."""
    names = {f"{metric}{ENDING}": metric for metric in table["metric"].unique()}
    found = frame[frame["metric"].isin(names)]
    if (found["balancer"] == baseline).any():
        found = found.head(0)
    errors = found.assign(metric=found["metric"].map(names)).set_index([*CELL, "metric"])["value"]
    return table[[*CELL, "metric"]].join(errors.rename("row_error"), on=[*CELL, "metric"])["row_error"]


def _cell(group: pd.DataFrame, cells: dict[Any, pd.DataFrame], baseline: str) -> dict[str, Any]:
    first = group.iloc[0]
    own = by_seed(group)
    reference = cells.get((first["dataset"], first["backbone"], baseline, first["task"], first["metric"]))
    theirs = by_seed(reference) if reference is not None else {}
    test = paired_test(own, theirs)
    if first["balancer"] == baseline:
        test = test._replace(untested="is the baseline", p=float("nan"))
    relative = ratios(own, theirs)
    return {
        **first[DESCRIPTION],
        "better": first["better"] or BETTER.get(first["metric"], 0),
        "n": len(own),
        "failed": int((group["status"] != "finished").sum()),
        "flagged": convergence.flagged(group) if first["split"] == "test" else 0,
        "mean": mean(list(own.values())),
        "std": standard_deviation(list(own.values())),
        "ratio": mean(relative),
        "ratio_std": standard_deviation(relative),
        **test._asdict(),
    }


def by_seed(group: pd.DataFrame) -> BySeed:
    """The numbers of one cell by seed, of finished runs only."""
    finished = group[(group["status"] == "finished") & group["value"].notna()]
    return dict(zip(finished["seed"].tolist(), finished["value"].tolist(), strict=True))
