"""A balancer with other settings against itself."""

import pandas as pd
import pytest

from mtbalance.errors import UserError
from mtbalance.reporting.figures.ranking.sensitivity import draw
from mtbalance.reporting.tables import write_table
from mtbalance.reporting.variants import Option, against_base, bases, option_of

RESULTS = {
    ("synthetic_nl", "mmoe", "ls"): [(0.70, 0.80), (0.70, 0.80)],
    ("synthetic_nl", "mmoe", "multibalance"): [(0.71, 0.81), (0.70, 0.82)],
    ("synthetic_nl", "mmoe", "multibalance@beta=0.5"): [(0.72, 0.82), (0.72, 0.82)],
    ("synthetic_nl", "mmoe", "multibalance@beta=10"): [(0.70, 0.80), (0.70, 0.81)],
    ("synthetic_nl", "mmoe", "multibalance@rho=0"): [(0.71, 0.81), (0.71, 0.81)],
    ("synthetic_nl", "mmoe", "multibalance@beta=2,rho=0"): [(0.60, 0.60), (0.60, 0.60)],
}


@pytest.fixture
def metrics(collected):
    return collected(RESULTS)


def test_the_option_of_a_variant():
    assert option_of("multibalance@beta=0.5") == Option("multibalance", "beta", 0.5)
    assert option_of("ls@optimizer.lr=0.006") == Option("ls", "optimizer.lr", 0.006)
    assert option_of("multibalance") is option_of("multibalance@beta=2,rho=0") is None


def test_only_balancers_with_variants_are_compared(metrics, collected):
    frame = pd.read_parquet(metrics)
    assert bases(frame) == ["multibalance"]
    assert bases(pd.read_parquet(collected())) == []
    ((base, cells),) = against_base(frame, "ls")
    row = cells[(cells["balancer"] == "multibalance@beta=0.5") & (cells["metric"] == "mean_auc")].iloc[0]
    # .77 and .77 against .76 and .76.
    assert base == "multibalance" and row["difference"] == pytest.approx(0.01)
    row = cells[(cells["balancer"] == "ls") & (cells["metric"] == "mean_ne")].iloc[0]
    assert row["ratio"] == pytest.approx(0.75 / 0.74)


def test_the_table_is_against_the_balancer_itself(metrics, tmp_path):
    write_table("sensitivity", metrics, tmp_path / "sensitivity", title="Settings")
    text = (tmp_path / "sensitivity.md").read_text()
    split = [[part.strip() for part in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    lines = {name: cells for name, *cells in split}
    assert lines["MMOE+MultiBalance (beta 0.5)"][:2] == ["0.7700 ± .0000", "+0.0100"]
    assert lines["MMOE+MultiBalance (rho 0)"][1] == "0.0000"
    assert lines["MMOE+MultiBalance"][1] == "–"
    assert lines["MMOE (LS)"][3] == "+1.35 %"
    # beta 0.5 +.01, beta 10 -.0075, rho 0 none, both at once -.16.
    assert "the 4 other settings of MultiBalance change mean AUC by −0.1600 to +0.0100; LS lies at −0.0100." in text
    assert "SYNTHETIC" in text


def test_a_variant_of_one_option_is_a_point_of_its_panel(metrics):
    figure = draw(pd.read_parquet(metrics), "Settings", "ls")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["MultiBalance: beta", "MultiBalance: rho", "", ""]
    beta = figure.axes[0]
    assert [label.get_text() for label in figure.axes[2].get_xticklabels()] == ["0.5", "10"]
    points = {line.get_xdata()[0]: line.get_ydata()[0] for line in beta.lines if line.get_marker() == "o"}
    assert points == {0: pytest.approx(100 * (0.77 / 0.75 - 1)), 1: pytest.approx(100 * (0.7525 / 0.75 - 1))}
    assert [line.get_ydata()[0] for line in beta.lines if line.get_linestyle() == "--"] == [pytest.approx(100 / 75)]


def test_without_variants_the_figure_says_so_and_the_table_is_refused(collected, tmp_path):
    frame = pd.read_parquet(collected())
    assert any("no balancer was run with another value" in t.get_text() for t in draw(frame, "S", "ls").axes[0].texts)
    with pytest.raises(UserError, match=r"demo\.tables: sensitivity needs a balancer and variants"):
        write_table("sensitivity", collected(), tmp_path / "sensitivity", title="Settings")
