"""The table of regressions, and what else is shown of runs that have one."""

import numpy as np
import pandas as pd
import pytest

from mtbalance.config.run import RunConfig
from mtbalance.reporting.captions import selection
from mtbalance.reporting.choice import held_out_score, score_name, valid_score
from mtbalance.reporting.collect import collect
from mtbalance.reporting.figures.ranking.curves import draw
from mtbalance.reporting.score import score_title
from mtbalance.reporting.tables.ranking import auc, regression
from sample_records import epoch_record, ranking_run, run_record, write_run

TASKS = {
    "clicked": ("Click", {"auc": 1, "log_loss": -1, "ne": -1}),
    "flow": ("Flow", {"rmse": -1, "mae": -1, "r2": 1}),
    "level": ("Level", {"rmse": -1, "mae": -1, "r2": 1}),
}
RMSE = {"ls": [200.0, 210.0, 190.0], "pub": [180.0, 190.0, 169.0], "mgda": [205.0, None, 191.0]}


def config(balancer: str, seed: int) -> RunConfig:
    return ranking_run("flows", "rivers", "shared_bottom", balancer, seed, epochs=3)


def evaluation(rmse: float) -> dict:
    metrics = {
        "auc": {"clicked": 0.8},
        "log_loss": {"clicked": 0.4},
        "ne": {"clicked": 0.9},
        "rmse": {"flow": rmse, "level": rmse / 1000},
        "mae": {"flow": rmse / 2, "level": rmse / 2000},
        "r2": {"flow": 1 - rmse / 400, "level": 1 - rmse / 800},
        "mean_auc": 0.8,
    }
    return metrics | {"mean_score": (0.8 + sum(metrics["r2"].values())) / 3}


@pytest.fixture
def frame(tmp_path):
    runs, paths = [], []
    for balancer, values in RMSE.items():
        for seed, rmse in enumerate(values):
            run = config(balancer, seed)
            found = None if rmse is None else evaluation(rmse)
            epochs = [epoch_record(n, list(TASKS), evaluation((rmse or 300) + 5 - n)) for n in (1, 2, 3)]
            runs.append(run)
            paths.append(write_run(tmp_path, run, run_record(run, TASKS, epochs, found)))
    collect(paths, runs, [], [], tmp_path / "metrics.parquet")
    return pd.read_parquet(tmp_path / "metrics.parquet")


def test_every_error_has_its_change_against_the_baseline(frame):
    table, numbers = regression.tabulate(frame, "Flows", "ls", 0.05)
    (group,) = table.groups
    assert group.columns == (
        *("RMSE Flow ↓", "MAE Flow ↓", "R² Flow ↑", "RMSE Level ↓", "MAE Level ↓", "R² Level ↑", "R² Average ↑"),
    )
    cells = {row.name: row.cells[0] for row in table.rows}
    ls, pub, mgda = (cells[name] for name in ("Shared bottom (LS)", "Shared bottom+PUB", "Shared bottom+MGDA"))
    assert ls[0].text == "200.00 ± 10.00" and ls[0].beside == ""
    change = 100 * np.mean([180 / 200, 190 / 210, 169 / 190]) - 100
    assert pub[0].beside == f"−{-change:.2f} %" and pub[0].bold and "‡" in pub[0].text
    assert pub[3].text.startswith("0.17967 ± .01050")
    r2 = np.mean([20 / 400, 20 / 400, 21 / 400])
    assert pub[2].beside == f"+{r2:.4f}"
    assert "failed" in mgda[0].text
    mean = numbers[(numbers["metric"] == "mean_r2") & (numbers["balancer"] == "ls")]["mean"].item()
    assert mean == pytest.approx(np.mean([(2 - r / 400 - r / 800) / 2 for r in RMSE["ls"]]))


def test_errors_that_are_small_in_their_unit_have_as_many_digits_as_others(frame):
    frame.loc[frame["metric"].isin(["rmse", "mae"]), "value"] *= 1e-8
    table, _ = regression.tabulate(frame, "Flows", "ls", 0.05)
    cells = {row.name: row.cells[0] for row in table.rows}
    ls, pub = cells["Shared bottom (LS)"][3], cells["Shared bottom+PUB"][3]
    assert ls.text == "0.0000000020000 ± .0000000001000" and pub.text.startswith("0.0000000017967")
    assert pub.bold and not ls.bold


def test_cells_of_flagged_runs_have_a_sign(frame):
    frame.loc[(frame["balancer"] == "pub") & (frame["seed"] == 1), "unconverged"] = 2
    table, numbers = regression.tabulate(frame, "Flows", "ls", 0.05)
    cells = {row.name: row.cells[0] for row in table.rows}
    assert all(cell.text.endswith("†") for cell in cells["Shared bottom+PUB"])
    assert not any("†" in cell.text for cell in cells["Shared bottom (LS)"])
    assert numbers.groupby("balancer")["flagged"].unique().map(list).to_dict() == {"ls": [0], "mgda": [0], "pub": [1]}


def test_lower_errors_and_higher_r2_are_better(frame):
    _, numbers = regression.tabulate(frame, "Flows", "ls", 0.05)
    assert dict(zip(numbers["metric"], numbers["better"], strict=True)) == {
        "rmse": -1,
        "mae": -1,
        "r2": 1,
        "mean_r2": 1,
    }


def test_the_table_of_auc_shows_the_binary_tasks(frame):
    table, _ = auc.tabulate(frame, "Flows", "ls", 0.05)
    assert table.groups[0].columns == ("Click", "Average")


def test_captions_and_curves_name_the_score(frame):
    assert "Epochs are selected by mean of AUC and R² on the valid split" in selection(frame)
    figure = draw(frame, "Flows", "ls")
    assert "mean of AUC and R²" in figure.axes[0].get_ylabel()
    height = figure.axes[0].lines[0].get_ydata()
    assert list(height) == pytest.approx([evaluation(200 + 5 - n)["mean_score"] for n in (1, 2, 3)])


def test_the_score_is_named_by_the_kinds_of_tasks():
    scores = [["mean_auc"], ["mean_r2", "mean_score"], ["mean_auc", "mean_r2", "mean_score"]]
    titles = [score_title(pd.DataFrame({"metric": metrics})) for metrics in scores]
    assert titles == ["mean AUC", "mean R²", "mean of AUC and R²"]


def test_trials_are_chosen_by_the_score_of_their_tasks():
    run = config("ls", 0)
    epochs = [epoch_record(1, list(TASKS), evaluation(100))]
    record = run_record(run, TASKS, epochs, evaluation(120))
    assert score_name(record) == "mean_score"
    assert valid_score(record) == evaluation(100)["mean_score"]
    assert held_out_score(record) == evaluation(120)["mean_score"]
