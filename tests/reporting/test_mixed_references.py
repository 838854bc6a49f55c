"""References where a regression stands among binary tasks: kinds that have all tasks, and others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from mtbalance.records import write_record
from mtbalance.records.reference import ReferenceModel, ReferenceRecord
from mtbalance.records.table import write_table
from mtbalance.reporting.answer import answer
from mtbalance.reporting.captions import untested
from mtbalance.reporting.collect import collect
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.figures.ranking.seesaw import draw
from mtbalance.reporting.page.leaderboard import leaderboard
from mtbalance.reporting.reference_errors import against
from sample_records import epoch_record, ranking_run, run_record, write_run

BINARY, REGRESSIONS = {"churned": "Churned", "upgraded": "Upgraded"}, {"spend": "Spend"}
FITTED = {
    "constant": {"auc": {"churned": 0.5, "upgraded": 0.5}},
    "logistic": {"auc": {"churned": 0.69, "upgraded": 0.67}},
    "boosting": {"auc": {"churned": 0.66, "upgraded": 0.66}},
    "mean": {"r2": {"spend": -0.01}},
    "ridge": {"r2": {"spend": 0.1}},
    "trees": {"r2": {"spend": 0.21}},
}
SCORE = "mean of AUC and R²"


@pytest.fixture
def collected(tmp_path):
    """Collect runs of LS and PUB with so many seeds, and references; of each seed PUB predicts as the trees do."""

    def write(seeds, binary=BINARY):
        titles = binary | REGRESSIONS
        tasks = {name: (title, {"auc": 1} if name in binary else {"r2": 1}) for name, title in titles.items()}
        random = np.random.default_rng(0)
        labels = {name: random.random(900) < 0.3 if name in binary else random.random(900) for name in titles}
        trees = {name: (random.random(900) + own).astype(np.float32) / 2 for name, own in labels.items()}
        runs, paths, files = [], [], []
        for balancer in ("ls", "pub"):
            for seed in range(seeds):
                run = ranking_run("shop", "telco", "mmoe", balancer, seed, epochs=1)
                better = 0.01 * (balancer == "pub") + 0.002 * seed**2
                auc = dict.fromkeys(binary, 0.65 + better)
                means = {"mean_auc": 0.65 + better} if binary else {}
                means["mean_score"] = (sum(auc.values()) + 0.15 + better) / len(tasks)
                evaluation = ({"auc": auc} if auc else {}) | {"r2": {"spend": 0.15 + better}} | means
                record = run_record(run, tasks, [epoch_record(1, list(tasks), evaluation)], evaluation)
                runs.append(run)
                paths.append(write_run(tmp_path, run, record))
                noise = {name: (random.random(900) + own).astype(np.float32) / 2 for name, own in labels.items()}
                predicted = {f"predicted_{name}": (trees if balancer == "pub" else noise)[name] for name in titles}
                files.append(paths[-1].with_suffix(".parquet"))
                write_table(files[-1], pa.table(labels | predicted), run.digest())
        models, kept = {}, dict(labels)
        for name, test in FITTED.items():
            own = [task for values in test.values() for task in values if task in titles]
            kept |= {f"{name}_{task}": trees[task] for task in own}
            chosen = dict.fromkeys(own, "")
            models |= {name: ReferenceModel(test=test, chosen=chosen, seconds=1.0)} if own else {}
        facts = {"dataset": "telco", "sha256": {"train": "a", "test": "b"}, "fitted_rows": 9, "scikit_learn": "1"}
        write_record(tmp_path / "reference.json", ReferenceRecord(**facts, models=models))
        write_table(tmp_path / "reference.parquet", pa.table(kept), "b")
        collect(
            *(paths, runs, [], [], tmp_path / "metrics.parquet"),
            predictions=files,
            references=[tmp_path / "reference.json"],
            reference_predictions=[tmp_path / "reference.parquet"],
        )
        return pd.read_parquet(tmp_path / "metrics.parquet")

    return write


def test_the_leaderboard_compares_those_that_have_all_tasks(collected):
    board = leaderboard(collected(3), "ls", "").set_index("method")
    means = {"gradient boosting": (0.66 + 0.66 + 0.21) / 3, "constant": (0.5 + 0.5 - 0.01) / 3}
    assert board[SCORE].dropna().drop(["LS", "PUB"]).to_dict() == pytest.approx(means, abs=1e-4)
    partial = board.loc[["logistic regression", "ridge regression"]]
    assert partial[[SCORE, "Δ to LS", "low", "high"]].isna().all(axis=None)
    assert partial.loc["logistic regression", ["AUC Churned", "AUC Upgraded"]].tolist() == [0.69, 0.67]
    assert partial.loc["ridge regression", "R² Spend"] == 0.1 and pd.isna(
        partial.loc["ridge regression", "AUC Churned"]
    )
    assert len(board) == 6 and board.loc["gradient boosting", "R² Spend"] == 0.21


def test_the_interval_is_of_all_tasks(collected):
    """PUB's predictions are those of gradient boosting, so the row errors are the same."""
    frame = collected(3)
    errors = frame[frame["metric"].str.endswith("mean_score_row_error")].set_index("metric")["value"]
    assert sorted(errors.index) == ["mean_score_row_error", "reference_boosting_mean_score_row_error"]
    assert errors.iloc[0] == pytest.approx(errors.iloc[1])
    found = against(frame, "boosting", "mean_score", "ls", 0.05)
    assert found.low < found.difference < found.high
    assert against(frame, "logistic", "mean_score", "ls", 0.05) is None


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_answer_has_the_simple_models_with_their_tasks(collected, seeds):
    scores = answer(collected(seeds), "Shop", "ls")[1]
    assert "; gradient boosting has 0.5100, " in scores and ("against LS on MMOE" in scores) == (seeds > 1)
    of_churn = (
        "; logistic regression has an AUC of 0.6900 for Churned and 0.6700 for Upgraded, and no network is better"
    )
    assert f"{of_churn} on either; ridge regression has an R² of 0.1000 for Spend." in scores


def test_of_many_tasks_the_answer_has_their_mean(collected):
    frame = collected(3)
    further = frame[frame["task"] == frame.loc[frame["task_title"] == "Churned", "task"].iloc[0]]
    many = [further.assign(task=f"t{number}", task_title=f"T{number}") for number in range(4)]
    scores = answer(pd.concat([frame, *many], ignore_index=True), "Shop", "ls")[1]
    mean = (5 * 0.69 + 0.67) / 6
    assert f"logistic regression has a mean AUC of {mean:.4f} over 6 tasks, and no network is better on 6 of" in scores


def test_a_simple_model_is_ahead_of_a_task_if_no_network_is_better(collected):
    """One network of two is better on Churned."""
    frame = collected(3)
    better = frame["metric"].eq("auc") & frame["task_title"].eq("Churned") & frame["balancer"].eq("pub")
    scores = answer(frame.assign(value=frame["value"].mask(better & frame["epoch"].isna(), 0.7)), "Shop", "ls")[1]
    assert "0.6900 for Churned and 0.6700 for Upgraded, and no network is better on Upgraded;" in scores


def test_the_best_balancer_is_said_once(collected):
    assert " ".join(answer(collected(3), "Shop", "ls")).count("PUB on MMOE") == 1


@pytest.mark.parametrize("seeds", [1, 2])
def test_captions_say_what_is_there_once(collected, seeds):
    frame = collected(seeds)
    heading = " ".join(draw(frame, "Shop", "ls").get_suptitle().split())
    assert ("bars: standard deviation" in heading) == (seeds > 1) and "without regressions: Spend" in heading
    assert untested(compare(frame.assign(value=0.5), ["auc"], "ls")) == (
        ["Not tested: 2 cells (differences without variance)."] if seeds > 1 else []
    )


def test_regressions_alone_have_a_mean(collected):
    frame = collected(2, binary={})
    board = leaderboard(frame, "ls", "").set_index("method")["mean R²"]
    assert board[["gradient boosting", "ridge regression", "constant"]].tolist() == [0.21, 0.1, -0.01]
    assert "; gradient boosting has 0.2100, " in answer(frame, "Shop", "ls")[1]
