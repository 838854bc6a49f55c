"""The table and the figure of simulated A/B tests, from a small market."""

import pandas as pd
import pytest

from market_data import candidates, wrong
from mtbalance.reporting.figures import write_figure
from mtbalance.reporting.figures.ranking.market import draw
from mtbalance.reporting.market import alarm, false_alarms
from mtbalance.reporting.tables import write_table
from mtbalance.reporting.tables.ranking.market import tabulate
from mtbalance.studies.market.simulation import Model, Settings, simulate

FACTS = {"experiment": "demo", "problem": "ranking", "synthetic": True, "selection": "valid", "grid": ""}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    true = candidates()
    found = {Model("ple", "ls", 0): wrong(true, 0.6, 3), Model("ple", "pub", 0): wrong(true, 0.5, 4)}
    found |= {Model("mmoe", "ls", seed): wrong(true, 0.6, seed) for seed in (0, 1)}
    found |= {Model("mmoe", "pub", seed): wrong(true, 0.1, 10 + seed) for seed in (0, 1)}
    settings = Settings(each=50, trials=20, trial_days=9)
    return simulate("synthetic_a", true, found, "ls", settings).assign(**FACTS)


def test_the_table_has_the_printed_days_above_ours(frame):
    table, numbers = tabulate(frame, "Demo", "ls", 0.05)
    names = [row.name for row in table.rows]
    assert names == [
        "PUB paper, Table VI (real traffic)",
        *("MMOE+PUB", "MMOE+LS, another seed", "MMOE+the true probabilities"),
        *("PLE+PUB", "PLE+the true probabilities"),
    ]
    printed = ["+3.29", "+3.35", "+6.10", "+4.79", "+3.70", "+3.53", "+3.99", "+4.06"]
    assert [cell.text for cell in table.rows[0].cells[0]] == printed
    assert table.groups[0].columns == (*(f"day {day}" for day in range(1, 8)), "all days")
    pub = numbers[(numbers["balancer"] == "pub") & (numbers["backbone"] == "mmoe") & (numbers["metric"] == "rpm")]
    ours = pub[(pub["span"] == "to date") & (pub["share"] == 0.5)].iloc[0]
    cell = table.rows[1].cells[0][-1]
    assert cell.text == f"{100 * ours['lift']:+.2f}"
    assert cell.beside == f"[{100 * ours['low']:+.2f}, {100 * ours['high']:+.2f}]"
    assert (numbers["span"].dropna() == "to date").any() and numbers["needed"].notna().any()


def test_the_expected_lift_stands_with_its_spread_over_seeds(frame):
    table, numbers = tabulate(frame, "Demo", "ls", 0.05)
    exact = numbers[(numbers["part"] == "expected") & (numbers["metric"] == "rpm") & (numbers["backbone"] == "mmoe")]
    values = 100 * exact[exact["balancer"] == "pub"]["expected"]
    first, over_seeds, _, visitors, day = table.rows[1].cells[2]
    assert first.text == f"{values.iloc[0]:+.2f}"
    assert over_seeds.text == f"{values.mean():.2f} ± {values.std():.2f}".replace("± 0.", "± .")
    assert int(visitors.text.replace(",", "")) == pytest.approx(exact["needed"].iloc[0], rel=0.005)
    assert day.text in {str(day) for day in range(1, 8)}  # PUB is far better here: the sequential test sees it


def test_everything_says_simulation_and_synthetic(frame, tmp_path):
    frame.to_parquet(tmp_path / "market.parquet")
    write_table("market", tmp_path / "market.parquet", tmp_path / "market", title="Demo")
    text = (tmp_path / "market.md").read_text()
    assert text.startswith("# Demo: simulated A/B test on synthetic data")
    for sentence in (
        "SIMULATION",
        "SYNTHETIC stand-in data",
        "PUB paper, Table VI (real traffic)",
        "40 simulated trials",
    ):
        assert sentence in text
    assert r"\caption{Demo: simulated A/B test on synthetic data" in (tmp_path / "market.tex").read_text()
    heading = draw(frame, "Demo", "ls").get_suptitle()
    assert "simulated" in heading and "synthetic" in heading


def test_the_figure_has_a_row_for_each_backbone_and_every_test_in_it(frame):
    panels = draw(frame, "Demo", "ls").axes
    assert len(panels) == 6
    shown = [{label.get_text() for label in panels[place].get_yticklabels()} for place in (1, 4)]
    assert shown == [{"PUB", "LS, another seed"}, {"PUB"}]
    assert "best possible: +" in panels[1].get_title()
    assert all(axes.get_xlabel() and (axes.get_ylabel() or place % 3 == 1) for place, axes in enumerate(panels))
    assert {line.get_label() for line in panels[2].lines} >= {"a look every day", "level 0.05"}


def test_the_figure_warns_of_a_selection_on_test_and_is_the_same_twice(frame, tmp_path):
    assert "TEST" not in draw(frame, "Demo", "ls").get_suptitle()
    market = tmp_path / "market.parquet"
    frame.assign(selection="test").to_parquet(market)
    assert "epochs selected on the TEST split" in draw(pd.read_parquet(market), "Demo", "ls").get_suptitle()
    for folder in ("a", "b"):
        write_figure("market", market, tmp_path / folder / "market", title="Demo")
    for ending in ("png", "pdf", "svg"):
        assert len({(tmp_path / folder / f"market.{ending}").read_bytes() for folder in ("a", "b")}) == 1


def test_an_alarm_is_the_first_day_outside():
    days = pd.DataFrame({"day": [1, 2, 3], "sequential_low": [-1.0, -0.5, 0.1], "sequential_high": [1.0, 1.0, 0.9]})
    assert alarm(days) == 3
    assert alarm(days.iloc[:2]) is None
    assert alarm(days.assign(sequential_high=[1.0, -0.1, 1.0])) == 2


def test_false_alarms_are_shares_of_all_trials(frame):
    rates = false_alarms(frame)
    assert set(rates["trials"]) == {40}  # 20 for each backbone
    assert rates["rate"].between(0, 1).all() and len(rates) == 3 * 9
