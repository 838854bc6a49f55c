"""Change by the number of tasks, and the claims of the MultiBalance paper."""

from pathlib import Path

import pandas as pd
import pytest

from mtbalance.reporting import printed
from mtbalance.reporting.collect import collect
from mtbalance.reporting.figures.ranking.tasks import draw
from mtbalance.reporting.tables import write_table
from mtbalance.reporting.task_counts import changes, printed_gain, printed_loss

TWO = {"click": "CTR", "conversion": "CTCVR"}
FOUR = TWO | {"like": "like", "share": "share"}


@pytest.fixture
def frame(write, timings, tmp_path):
    """Two and four tasks. NE is 1.5 minus AUC in each task; MGDA has 0.4 of the throughput of LS."""
    parts = []
    for dataset, tasks, seeds in (
        ("synthetic_two", TWO, {"ls": [(0.70, 0.80), (0.70, 0.80)], "mgda": [(0.72, 0.80), (0.70, 0.84)]}),
        ("synthetic_four", FOUR, {"ls": [(0.7,) * 4, (0.7,) * 4], "mgda": [(0.6,) * 4, None]}),
    ):
        paths, runs = write({(dataset, "shared_bottom", name): values for name, values in seeds.items()}, tasks=tasks)
        output = tmp_path / f"{dataset}.parquet"
        collect(paths, runs, timings(runs), runs, output)
        parts.append(pd.read_parquet(output))
    found = pd.concat(parts, ignore_index=True)
    four = found["dataset"] == "synthetic_four"
    for ending, value in (("", 0.25), ("_low", 0.24), ("_high", 0.26)):
        slow = four & (found["balancer"] == "mgda") & (found["metric"] == f"relative_throughput{ending}")
        found.loc[slow, "value"] = value
    return found


def cell(cells, dataset, balancer, metric):
    chosen = (cells["dataset"] == dataset) & (cells["balancer"] == balancer) & (cells["metric"] == metric)
    return cells[chosen].iloc[0]


def test_one_cell_recomputed_by_hand(frame):
    cells = changes(frame, "ls")
    # LS: NE .80 and .70, mean .75. MGDA: .78 and .70, mean .74; .80 and .66, mean .73.
    row = cell(cells, "synthetic_two", "mgda", "mean_ne")
    assert row["change_percent"] == pytest.approx(100 * ((0.74 + 0.73) / 2 / 0.75 - 1))
    assert (row["tasks"], row["pairs"]) == (2, 2)
    row = cell(cells, "synthetic_four", "mgda", "mean_ne")
    assert row["change_percent"] == pytest.approx(100 * (0.9 / 0.8 - 1)) and (row["pairs"], row["failed"]) == (1, 1)
    row = cell(cells, "synthetic_four", "mgda", "relative_throughput")
    assert tuple(row[["change_percent", "low", "high"]]) == pytest.approx((-75, -76, -74))


def test_regressions_count_among_the_tasks(frame):
    """A data set has as many tasks as a run has weights; NE is of the binary ones."""
    binary = frame[~((frame["task"] == "share") & (frame["metric"] != "weight"))]
    assert cell(changes(binary, "ls"), "synthetic_four", "mgda", "mean_ne")["tasks"] == 4


def test_the_claims_are_those_of_the_csv():
    table = pd.read_csv(Path(printed.__file__).parent / "published" / "others.csv").set_index(["method", "metric"])
    assert printed_gain() == table.loc[("MultiBalance", "normalized entropy"), "value"].item() == 0.738
    assert list(printed_loss()) == sorted(table.loc[("earlier methods", "QPS"), "value"]) == [70, 80]


def test_the_table_says_from_how_many_tasks_on_the_claim_holds(frame, tmp_path):
    frame.to_parquet(tmp_path / "m.parquet")
    write_table("tasks", tmp_path / "m.parquet", tmp_path / "tasks", title="Tasks")
    text = (tmp_path / "tasks.md").read_text()
    assert "At least 70 % of QPS are lost here, of 2, 4 tasks, by: Shared bottom+MGDA with 4." in text
    assert "prints an NE better by 0.738 % with neutral QPS" in text and "70 to 80 % less QPS" in text
    lines = [line for line in text.splitlines() if line.startswith("| Shared bottom+MGDA |")]
    assert "−60.0 [−62.0, −59.0]" in lines[0] and "−2.00 ± 0.94" in lines[0]
    assert "−75.0 [−76.0, −74.0]" in lines[1] and "+12.50" in lines[1]
    assert "| Shared bottom (LS) | 0 | 0 |" in text and "Failed runs: 1 of 8" in text


def test_a_method_that_never_loses_as_much_is_said(frame, tmp_path):
    frame[frame["dataset"] == "synthetic_two"].to_parquet(tmp_path / "m.parquet")
    write_table("tasks", tmp_path / "m.parquet", tmp_path / "tasks", title="Tasks")
    assert "At least 70 % of QPS are lost here, of 2 tasks, by: no method." in (tmp_path / "tasks.md").read_text()


def test_the_figure_has_a_line_for_each_method(frame):
    left, right = draw(frame, "Tasks", "ls").axes
    points = {tuple(line.get_xdata()): tuple(line.get_ydata()) for line in left.lines if line.get_marker() == "o"}
    assert points == {(2, 4): pytest.approx((-60, -75))}
    points = [line.get_ydata() for line in right.lines if line.get_marker() == "o"]  # the level in these records: loss
    assert [list(values) for values in points] == [pytest.approx([-2, 12.5])]
    bars = [segment for bar in right.collections for segment in bar.get_segments()]
    assert abs(bars[0][1][1] - bars[0][0][1]) == pytest.approx(2 * 0.942809, rel=1e-4), "standard deviation, both ways"
    assert [label.get_text() for label in left.get_xticklabels()] == ["2", "4"]
