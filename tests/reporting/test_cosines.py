"""Table I: cosines by method, from the steps of runs to the t-tests, each by another route."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtbalance.errors import UserError
from mtbalance.reporting.cosines import STL, against_baseline, by_run
from mtbalance.reporting.figures.ranking import cosines as figure
from mtbalance.reporting.tables.ranking.cosines import tabulate

NAMES = ("cosine_task_specific", "cosine_shared", "cosine_half", "cosine_other_half")


def frame(random: np.random.Generator, **shift: float) -> pd.DataFrame:
    """Runs on two data sets, two backbones and three seeds; a method's cosines are shifted by its number."""
    rows = []
    for dataset in ("synthetic_a", "synthetic_b"):
        for backbone in ("single_task", "mmoe", "ple"):
            for balancer in ("ls", *shift) if backbone != "single_task" else ("ls",):
                for seed in range(3):
                    run = {"experiment": "e", "dataset": dataset, "synthetic": True, "backbone": backbone, "seed": seed}
                    run |= {"balancer": balancer, "level": "loss", "rule": "equal", "manipulation": "none"}
                    run |= {"shares": backbone != "single_task", "status": "finished", "selection": "valid"}
                    names = NAMES if backbone != "single_task" else NAMES[:1]
                    for epoch in (pd.NA, 1, 2):
                        rows += [
                            run | {"epoch": epoch, "split": "train", "task": "", "metric": name,
                                   "value": 0.1 + shift.get(balancer, 0) + random.normal(scale=0.01)}
                            for name in names
                        ]  # fmt: skip
    return pd.DataFrame(rows)


def test_means_and_tests_are_numpys_and_scipys():
    data = frame(np.random.default_rng(1), mgda=0.004, nashmtl=0.0)
    numbers = against_baseline(by_run(data), "ls").set_index(["balancer", "measure"])
    shared = data[data["epoch"].isna() & (data["metric"] == "cosine_shared")]
    values = {
        name: shared[shared["balancer"] == name].sort_values(["dataset", "backbone", "seed"]) for name in ("mgda", "ls")
    }
    found = numbers.loc[("mgda", "shared")]
    assert found["mean"] == pytest.approx(values["mgda"]["value"].mean())
    expected = stats.ttest_rel(values["mgda"]["value"], values["ls"]["value"]).pvalue
    assert found["p"] == pytest.approx(expected)
    groups = {name: part.groupby(["dataset", "backbone"])["value"].mean() for name, part in values.items()}
    assert found["p_groups"] == pytest.approx(stats.ttest_rel(groups["mgda"], groups["ls"]).pvalue)
    runs = data[data["epoch"].isna() & (data["balancer"] == "mgda")]
    half, other = (runs.loc[runs["metric"] == name, "value"].to_numpy() for name in NAMES[2:])
    assert numbers.loc[("mgda", "halves_diff"), "mean"] == pytest.approx(np.mean(abs(half - other)))
    assert numbers.loc[(STL, "task_specific"), "runs"] == 6
    assert (STL, "shared") not in numbers.index


@pytest.mark.long
def test_an_effect_that_is_there_is_seen_and_one_that_is_not_keeps_the_level():
    found = [
        against_baseline(by_run(frame(np.random.default_rng(seed), mgda=0.02, nashmtl=0.0)), "ls").set_index(
            ["balancer", "measure"]
        )["p"]
        for seed in range(30)
    ]
    assert sum(p[("mgda", "shared")] < 0.05 for p in found) >= 27
    false = sum(p[("nashmtl", "shared")] < 0.05 for p in found)
    assert stats.binomtest(false, len(found), 0.05).pvalue > 0.001


def test_the_table_has_the_printed_numbers_and_the_controls_beside_ours():
    table, numbers = tabulate(frame(np.random.default_rng(2), mgda=0.0), "Title", "ls", 0.05)
    rows = {row.name: row.cells[0] for row in table.rows}
    assert list(rows) == ["STL (control)", "LS", "MGDA"]
    assert rows["MGDA"][0].beside == "0.138 (p 0.11)" and rows["LS"][1].beside == "0.116"
    assert rows["STL (control)"][1].text == "–"
    assert set(numbers["measure"]) == {"task_specific", "shared", "diff", "relative_diff", "halves_diff"}


def test_without_measured_steps_the_table_says_what_is_needed():
    with pytest.raises(UserError, match=r"needs `measure: \[cosines\]`"):
        by_run(frame(np.random.default_rng(3))[lambda rows: rows["metric"] == "auc"])


def test_the_figure_has_a_panel_for_each_backbone():
    drawn = figure.draw(frame(np.random.default_rng(4), mgda=0.0), "Title", "ls")
    assert [axes.get_title() for axes in drawn.axes] == ["STL", "MMOE", "PLE"]
    assert [len(axes.lines) for axes in drawn.axes] == [1, 4, 4]
