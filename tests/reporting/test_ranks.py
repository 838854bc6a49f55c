"""Ranks over data sets, from records with numbers chosen by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mtbalance.reporting.answer import answer
from mtbalance.reporting.collect import collect
from mtbalance.reporting.figures import write_figure
from mtbalance.reporting.figures.ranking.ranks import alike
from mtbalance.reporting.ranks import ranks, told_apart
from mtbalance.reporting.tables import write_table

DATASETS = ("synthetic_es", "synthetic_fr", "synthetic_nl", "synthetic_us")
SCORES = {"ls": (0.70, 0.70, 0.70, 0.70), "mgda": (0.69, 0.71, 0.68, 0.69), "pub": (0.72, 0.72, 0.71, 0.72)}


@pytest.fixture
def metrics(write, tmp_path):
    def collected(datasets=DATASETS, scores=SCORES):
        results = {
            (dataset, "mmoe", name): [(value, value), (value + 0.001, value)]
            for name, values in scores.items()
            for dataset, value in zip(datasets, values, strict=False)
        }
        paths, runs = write(results)
        collect(paths, runs, [], [], tmp_path / "demo.parquet")
        return tmp_path / "demo.parquet"

    return collected


def test_mean_ranks_and_wins(metrics):
    (found,) = ranks(pd.read_parquet(metrics()), "ls", 0.05)
    assert found.datasets == 4
    assert found.methods["rank"].to_dict() == {"pub": 1.0, "ls": 2.25, "mgda": 2.75}
    assert found.methods.loc["mgda", ["wins", "runs"]].tolist() == [2, 8]
    assert found.methods.loc["pub", ["wins", "runs"]].tolist() == [8, 8]
    # Demsar 2006, table 5: q is 2.343 for three methods at level .05.
    assert found.critical == pytest.approx(2.343 * math.sqrt(3 * 4 / (6 * 4)), abs=2e-3)
    assert found.friedman == pytest.approx(stats.friedmanchisquare(*SCORES.values()).pvalue)
    assert alike(found) == [(1.0, 2.25), (2.25, 2.75)]


def test_intervals_are_student_s_of_ranks_and_wilson_s_of_wins_and_ties_are_shared(metrics):
    """By the formulas, of four data sets of which one has two methods that are equal."""
    scores = {"ls": (0.70, 0.70, 0.70, 0.70), "pub": (0.71, 0.70, 0.69, 0.72), "mgda": (0.60, 0.60, 0.75, 0.60)}
    (found,) = ranks(pd.read_parquet(metrics(scores=scores)), "ls", 0.05)
    by_dataset = {"ls": [2, 1.5, 2, 2], "pub": [1, 1.5, 3, 1], "mgda": [3, 3, 1, 3]}
    for name, own in by_dataset.items():
        low, high = stats.t.interval(0.95, 3, np.mean(own), stats.sem(own))
        expected = [np.mean(own), max(low, 1), min(high, 3)]
        assert found.methods.loc[name, ["rank", "low", "high"]].tolist() == pytest.approx(expected)
    wins, z = found.methods.loc["pub"], stats.norm.ppf(0.975)
    assert wins[["wins", "runs"]].tolist() == [5, 8]  # two seeds each: 2 + 2 / 2 + 0 + 2
    middle, half = (5 + z**2 / 2) / (8 + z**2), z * math.sqrt(5 * 3 / 8 + z**2 / 4) / (8 + z**2)
    assert wins[["wins_low", "wins_high"]].tolist() == pytest.approx([middle - half, middle + half])


def test_two_methods_have_ranks_and_no_friedman_test(metrics):
    (found,) = ranks(pd.read_parquet(metrics(scores={"ls": SCORES["ls"], "pub": SCORES["pub"]})), "ls", 0.05)
    assert found.methods["rank"].to_dict() == {"pub": 1.0, "ls": 2.0}
    assert math.isnan(found.friedman) and told_apart(found, 0.05) == "no two methods are told apart"


def test_the_table_and_the_figure_say_the_same(metrics, tmp_path):
    path = metrics()
    write_table("ranks", path, tmp_path / "ranks", title="Title")
    text = (tmp_path / "ranks.md").read_text()
    assert "| PUB | **1.00 [1.00, 1.00]** | 8 of 8 [68%, 100%] |" in text
    assert "(Nemenyi, level 0.05): MMOE (4 data sets): 1.66; Friedman p = 0.039; told apart: PUB from MGDA" in text
    write_figure("ranks", path, tmp_path / "figure", title="Title")
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_the_answer_says_the_mean_ranks_and_who_is_told_apart(metrics):
    frame = pd.read_parquet(metrics())
    (said,) = [sentence for sentence in answer(frame, "Title", "ls") if "Mean ranks" in sentence]
    assert said.startswith("Mean ranks over 4 data sets on MMOE (1 is best): PUB 1.00, and LS 2.25; told apart: PUB fr")
    assert not any("Mean ranks" in sentence for sentence in answer(pd.read_parquet(metrics(DATASETS[:1])), "T", "ls"))


def test_without_friedmans_leave_nobody_is_told_apart(metrics):
    (found,) = ranks(pd.read_parquet(metrics()), "ls", 0.05)
    assert told_apart(found, 0.01) == "no two methods are told apart"
    assert told_apart(found._replace(critical=1.8), 0.05) == "no two methods are told apart"


def test_one_data_set_has_ranks_and_no_test(metrics, tmp_path):
    path = metrics(DATASETS[:1])
    (found,) = ranks(pd.read_parquet(path), "ls", 0.05)
    assert math.isnan(found.critical) and math.isnan(found.friedman) and alike(found) == []
    write_table("ranks", path, tmp_path / "ranks", title="Title")
    assert "one data set has no test" in (tmp_path / "ranks.md").read_text()
