"""Convergence: runs that chose their last epoch are flagged in the record, in the cells, and counted in the caption;
those that chose their first one are counted in the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mtbalance.records import read_run, write_record
from mtbalance.reporting.answer import answer
from mtbalance.reporting.collect import collect
from mtbalance.reporting.convergence import no_better_than_a_constant
from mtbalance.reporting.tables import write_table
from mtbalance.reporting.tables.ranking import auc

METHODS = ("ls", "pub", "pub_clippy", "clippy_adam", "nash_update", "multibalance", "multibalance@beta=2")
SHOWN = {
    "auc": METHODS,
    "ne": METHODS,
    "tasks": METHODS,
    "ranks": METHODS,
    "levels": ("ls", "nash_update"),
    "sensitivity": ("ls", "multibalance", "multibalance@beta=2"),
    "manipulations": ("ls", "pub", "pub_clippy", "clippy_adam"),
}
"""The tables of collected test metrics, and the methods that each of them shows."""
BETTER = {"auc": 1, "mean_auc": 1, "ne": -1, "mean_ne": -1}


@pytest.fixture
def metrics(write: Callable, tmp_path: Path) -> Callable[[bool], Path]:
    """Collect two seeds of each method; in the first seed of all but LS the last epoch was chosen, if so wished."""

    def collected(flagged: bool) -> Path:
        paths, runs = write({("synthetic_nl", "mmoe", name): [(0.7, 0.8), (0.71, 0.8)] for name in METHODS})
        for path in paths if flagged else ():
            if "/ls/" not in str(path) and path.stem == "seed-0":
                write_record(path, read_run(path).model_copy(update={"unconverged": ["epoch 3 was chosen"]}))
        collect(paths, runs, [], [], tmp_path / "demo.parquet")
        return tmp_path / "demo.parquet"

    return collected


def written(name: str, metrics: Path, folder: Path) -> tuple[dict[str, list[str]], str, pd.DataFrame]:
    """The cells of each line of a table, without empty ones, the whole text, and the numbers."""
    write_table(name, metrics, folder / name, title="Title")
    text = (folder / f"{name}.md").read_text()
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    cells = {first: [cell for cell in rest if cell not in ("–", "")] for first, *rest in lines[1:]}
    return cells, text, pd.read_csv(folder / f"{name}.csv")


@pytest.mark.parametrize("name", SHOWN)
def test_cells_of_flagged_runs_have_a_sign_in_every_table(name, metrics, tmp_path):
    cells, text, numbers = written(name, metrics(True), tmp_path)
    with_sign = {line for line, texts in cells.items() if any("†" in cell for cell in texts)}
    plain = set(cells) - with_sign - {auc.REACHABLE}
    assert plain == {next(line for line in ("MMOE (LS)", "MMOE+equal", "LS") if line in cells)}
    assert len(with_sign) >= len(SHOWN[name]) - 1
    assert "6 of the experiment's 14 runs" in text
    own = numbers[numbers["over"].isna()] if "over" in numbers else numbers
    assert own.groupby("balancer")["flagged"].unique().map(list).to_dict() == {
        method: [0 if method == "ls" else 1] for method in SHOWN[name]
    }


@pytest.mark.parametrize("name", SHOWN)
def test_without_a_flagged_run_there_is_no_sign(name, metrics, tmp_path):
    _, text, numbers = written(name, metrics(False), tmp_path)
    assert "†" not in text and not numbers["flagged"].any()


def test_a_gain_rests_on_the_flagged_runs_of_both_methods(metrics, tmp_path):
    cells, _, numbers = written("manipulations", metrics(True), tmp_path)
    assert set(numbers.loc[numbers["over"].notna(), "flagged"]) == {2}
    assert cells["MMOE: PUB+Clippy minus PUB"] == ["0.0000†"] * 3


def test_the_sign_is_printed_in_latex(metrics, tmp_path):
    written("auc", metrics(True), tmp_path)
    assert r"\dag{}" in (tmp_path / "auc.tex").read_text() and "†" not in (tmp_path / "auc.tex").read_text()


@pytest.mark.parametrize("name", ["auc", "ne", "levels", "sensitivity", "tasks", "manipulations"])
def test_the_numbers_say_which_way_a_metric_is_better(name, metrics, tmp_path):
    _, _, numbers = written(name, metrics(False), tmp_path)
    assert (numbers["better"] == numbers["metric"].map(BETTER)).all()


def test_the_answer_counts_the_flagged_runs(metrics):
    assert "6 of 14 runs may not have converged." in answer(pd.read_parquet(metrics(True)), "Title", "ls")[0]
    assert "converged" not in answer(pd.read_parquet(metrics(False)), "Title", "ls")[0]


def test_a_task_that_is_close_to_chance_is_no_sign_of_too_few_epochs(metrics, tmp_path):
    frame = pd.read_parquet(metrics(False))
    ne = (frame["metric"] == "ne") & (frame["split"] == "test") & frame["epoch"].isna() & (frame["task"] == "click")
    frame = frame.assign(value=frame["value"].mask(ne & (frame["balancer"] == "pub"), 1.01))
    frame["unconverged"] = (frame["balancer"] == "pub").astype(int)
    said = answer(frame, "Title", "ls")[0]
    assert "CTR is predicted no better than by a constant in 2 of 14 runs: its labels" in said
    assert "converged" not in said
    frame.to_parquet(tmp_path / "frame.parquet")
    _, text, _ = written("auc", tmp_path / "frame.parquet", tmp_path)
    assert "2 of the experiment's 14 runs. All of them are of the last kind: CTR is predicted" in text
    frame["unconverged"] *= 2
    assert "2 of 14 runs may not have converged. CTR" in answer(frame, "Title", "ls")[0]


def test_a_regression_without_r2_is_predicted_no_better_than_by_a_constant(metrics):
    frame = pd.read_parquet(metrics(False)).replace({"metric": {"auc": "r2"}})
    assert no_better_than_a_constant(frame) == []
    test = (frame["metric"] == "r2") & (frame["split"] == "test") & frame["epoch"].isna() & (frame["task"] == "click")
    worse = test & (frame["balancer"] == "pub") & (frame["seed"] == 0)
    (said,) = no_better_than_a_constant(frame.assign(value=frame["value"].mask(worse, -0.01)))
    assert said.startswith("CTR is predicted no better than by a constant in 1 of 14 runs")


def test_many_tasks_that_are_close_to_chance_have_one_sentence(metrics):
    frame = pd.read_parquet(metrics(False))
    ne = (frame["metric"] == "ne") & (frame["split"] == "test") & frame["epoch"].isna() & (frame["task"] == "click")
    many = [frame[ne].assign(task=f"t{number}", task_title=f"T{number}", value=1.01) for number in range(5)]
    (said,) = no_better_than_a_constant(pd.concat([frame, *many], ignore_index=True))
    assert said.startswith("5 tasks are predicted no better than by a constant in some of 14 runs: their labels may")


def test_the_answer_counts_the_runs_that_were_best_after_their_first_epoch(metrics):
    frame = pd.read_parquet(metrics(False))

    def first(frame: pd.DataFrame) -> str:
        return answer(frame, "Title", "ls")[0]

    def chosen(frame: pd.DataFrame, at_once: pd.Series) -> pd.DataFrame:
        best = frame["metric"] == "best_epoch"
        return frame.assign(value=frame["value"].mask(best & at_once, 1.0).mask(best & ~at_once, 2.0))

    pub = frame["balancer"] == "pub"
    assert "learning rate" not in first(chosen(frame, pub & False))
    said = (
        "2 of 14 runs were best after the first epoch: the learning rate (training.optimizer.lr) may be too high, or a "
        "task's valid score is chance, as where few rows are positive."
    )
    assert first(chosen(frame, pub)).endswith(f". {said}")
    one = chosen(frame, pub & (frame["seed"] == 0))
    assert "1 of 14 runs was best after the first epoch" in first(one)
    assert "learning rate" not in first(one.assign(status=one["status"].mask(pub, "diverged")))
    assert "learning rate" not in first(one[~(one["epoch"] > 1).fillna(False)])
