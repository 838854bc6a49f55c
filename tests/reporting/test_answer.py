"""The answer where runs are missing, failed or alike, and where data sets have different scores."""

from __future__ import annotations

import pandas as pd
import pytest

from mtbalance.reporting.answer import answer
from mtbalance.reporting.page.leaderboard import leaderboard
from mtbalance.reporting.page.plots import plots
from mtbalance.reporting.ranks import ranks

LS, PUB, MGDA = [(0.70, 0.70), (0.71, 0.71), (0.73, 0.73)], [(0.75, 0.75), (0.77, 0.77), (0.78, 0.78)], (0.79, 0.79)


@pytest.fixture
def frame(collected):
    """The frame of methods on MMOE, each with its AUC by seed."""
    return lambda **methods: pd.read_parquet(
        collected({("synthetic_nl", "mmoe", name): values for name, values in methods.items()})
    )


@pytest.fixture
def mixed(frame):
    """Binary tasks on one data set, and on another one tasks of which some are regressions."""
    binary = frame(ls=LS, pub=PUB)
    other = binary.assign(dataset="telco")
    scores = other[other["metric"] == "mean_auc"].assign(metric="mean_score", value=lambda rows: rows["value"] - 0.2)
    return pd.concat([binary, other, scores], ignore_index=True)


def test_seeds_that_are_counted_are_those_that_were_compared(frame):
    said = answer(frame(ls=[*LS, (0.72, 0.72)], pub=[*PUB[:2], None, None], mgda=[*PUB[:2], None, None]), "T", "ls")
    assert said[-1].startswith("With 2 seeds the 95 % interval of a difference")


def test_one_task_is_said_to_leave_nothing_to_balance(frame):
    found = frame(ls=LS, pub=PUB)
    assert "nothing to balance" not in answer(found, "T", "ls")[0]
    said = answer(found[found["task"] != "conversion"], "T", "ls")[0]
    assert said.endswith("synthetic_nl has one task, so that there is nothing to balance.")


def test_a_best_mean_of_some_runs_says_of_how_many(frame):
    best = answer(frame(ls=LS, pub=PUB, mgda=[None, None, MGDA]), "T", "ls")[1]
    alone = "Best mean AUC: MGDA on MMOE, 0.7900 in the 1 of 3 runs that finished (+0.0600 against LS, not tested"
    assert best.startswith(alone)
    whole = answer(frame(ls=LS, pub=PUB, mgda=[None, None, (0.6, 0.6)]), "T", "ls")[1]
    assert whole.startswith("Best mean AUC: PUB on MMOE, 0.7667 (")


def test_a_backbone_of_failed_runs_has_no_best(collected):
    cells = {"ls": LS, "pub": PUB}
    results = {("synthetic_nl", "mmoe", name): values for name, values in cells.items()}
    results |= {("synthetic_nl", "ple", name): [None, None, None] for name in cells}
    best = answer(pd.read_parquet(collected(results)), "T", "ls")[1]
    assert best.startswith("Best mean AUC: PUB on MMOE, 0.7667 (") and "; none on PLE, where no run finished" in best


@pytest.mark.parametrize(
    "methods",
    [
        {"ls": LS, "pub": [PUB[0], None, None], "mgda": [None, MGDA, None]},
        {"ls": [None, None, None], "pub": PUB, "mgda": PUB},
        {"pub": PUB, "mgda": LS},
    ],
)
def test_where_no_method_has_two_seeds_of_the_baseline_scores_have_a_range(frame, methods):
    *_, scores, reason = answer(frame(**methods), "T", "ls")
    assert scores.startswith("Mean AUC, from best to worst: MMOE ")
    chance = "no difference to it can be told from chance"
    assert reason == f"No balancer has two finished seeds in common with LS: {chance}."


def test_equal_differences_are_not_called_a_lack_of_seeds(frame):
    said = answer(frame(ls=LS, pub=LS, mgda=LS), "T", "ls")[-1]
    assert said == "Differences to LS are the same with every seed, and were not tested."


def test_one_balancer_is_no_lack_of_seeds(frame):
    assert answer(frame(ls=LS), "T", "ls")[1:] == ["There is one balancer on each backbone: no comparison."]


def test_each_data_set_has_its_own_score(mixed):
    best = answer(mixed, "T", "ls")[1]
    assert "PUB on MMOE on synthetic_nl, 0.7667 (" in best and "PUB on MMOE on telco, 0.5667 (" in best


def test_ranks_are_by_each_data_sets_own_score(mixed):
    worse = (mixed["metric"] == "mean_score") & (mixed["balancer"] == "pub")
    (found,) = ranks(mixed.assign(value=mixed["value"].where(~worse, mixed["value"] - 0.1)), "ls", 0.05)
    assert found.methods["rank"].to_dict() == {"ls": 1.5, "pub": 1.5} and found.datasets == 2
    regressions = mixed[(mixed["dataset"] == "telco") & (mixed["metric"] != "mean_auc")]
    assert ranks(regressions, "ls", 0.05)[0].methods.index[0] == "pub"


def test_the_leaderboard_and_the_plot_of_costs_have_each_data_sets_own_score(mixed):
    board = leaderboard(mixed, "ls", "").set_index(["data set", "method"])["mean AUC or mean of AUC and R²"]
    assert board.to_dict() == pytest.approx(
        {("synthetic_nl", "PUB"): 0.7667, ("synthetic_nl", "LS"): 0.7133}
        | {("telco", "PUB"): 0.5667, ("telco", "LS"): 0.5133}
    )
    costs = plots(mixed, "ls")[0]
    assert {line.name: max(line.y) for line in costs.data} == pytest.approx(
        {"MMOE on synthetic_nl": 0.7667, "MMOE on telco": 0.5667}, abs=1e-4
    )
