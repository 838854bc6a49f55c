"""Tables in which all methods are equal by construction: seeds of one method, relabelled as methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mtbalance.reporting import grid
from mtbalance.reporting.collect import TYPES
from mtbalance.reporting.comparison import compare

TABLES, METHODS, SEEDS, LEVEL = 200, 8, 3, 0.05


def relabelled(random: np.random.Generator, row_error: float | None) -> pd.DataFrame:
    """A collected table of the mean AUCs of equal methods; the error over rows may be given."""
    empty = {name: {"string": "", "bool": False}.get(kind, 0) for name, kind in TYPES.items()}
    facts = empty | {"dataset": "synthetic_a", "backbone": "mmoe", "status": "finished", "split": "test"}
    facts |= {"task": "mean", "epoch": None}
    rows = []
    for method in ("ls", *(f"m{index}" for index in range(METHODS))):
        for seed in range(SEEDS):
            value = 0.77 + random.normal(scale=0.002)
            rows.append(facts | {"balancer": method, "seed": seed, "metric": "mean_auc", "better": 1, "value": value})
        if row_error and method != "ls":
            rows.append(facts | {"balancer": method, "metric": "mean_auc_row_error", "value": row_error})
    return pd.DataFrame(rows, columns=list(TYPES)).astype(TYPES)


@pytest.mark.long
def test_equal_methods_earn_no_more_marks_than_stated():
    random = np.random.default_rng(0)
    single = double = fewer = 0
    for _ in range(TABLES):
        cells = compare(relabelled(random, None), ["mean_auc"], "ls")
        marks = [grid.mark(row, LEVEL, 1) for _, row in cells.iterrows()]
        single += sum(map(bool, marks))
        double += "‡‡" in marks
        with_rows = cells.assign(p_rows=np.where(cells["difference"].abs() > 0.003, 0.01, 0.5))
        fewer += sum(bool(grid.mark(row, LEVEL, 1)) for _, row in with_rows.iterrows())
    stated = TABLES * METHODS * LEVEL / 2  # the caption's number of marks by chance
    assert single <= stated + 3 * np.sqrt(stated)
    assert double <= TABLES * LEVEL / 2 + 3 * np.sqrt(TABLES * LEVEL / 2)
    assert 0 < fewer < single


def test_a_difference_within_the_error_over_rows_has_no_mark():
    random = np.random.default_rng(1)
    frame = relabelled(random, 0.05)
    better = frame["balancer"].eq("m0") & frame["metric"].eq("mean_auc")
    frame.loc[better, "value"] += 0.03
    cells = compare(frame, ["mean_auc"], "ls").set_index("balancer")
    row = cells.loc["m0"]
    assert row["p"] < 0.05 and row["p_rows"] == pytest.approx(0.55, abs=0.05)
    assert grid.mark(row, LEVEL, 1) == "" and grid.mark(row.drop("p_rows"), LEVEL, 1)
