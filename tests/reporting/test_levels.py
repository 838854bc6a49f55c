"""The level study: one rule a row, one level a column."""

import pandas as pd
import pytest

from mtbalance.reporting.figures.ranking.levels import draw
from mtbalance.reporting.tables import write_table

RESULTS = {
    ("synthetic_nl", "mmoe", "ls"): [(0.70, 0.80), (0.72, 0.80)],
    ("synthetic_nl", "mmoe", "nash_update"): [(0.71, 0.82), (0.74, 0.80)],
    ("synthetic_nl", "mmoe", "nash_gradient"): [(0.69, 0.79), (0.70, 0.80)],
    ("synthetic_nl", "mmoe", "pub_clippy"): [(0.90, 0.90), (0.90, 0.90)],
}


@pytest.fixture
def written(collected, tmp_path):
    write_table("levels", collected(RESULTS), tmp_path / "levels", title="Study")
    return (tmp_path / "levels.md").read_text(), pd.read_csv(tmp_path / "levels.csv")


def test_rules_are_rows_and_levels_are_columns_in_their_order(written):
    text, _ = written
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[0] == "| method | loss | gradient | update |"
    cells = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in rows[2:]}
    # Means over tasks: ls .75, .76; gradient .74, .75; update .765, .77.
    assert cells["MMOE+equal"] == ["0.7550 ± .0071", "–", "–"]
    assert cells["MMOE+nash"][0] == "–" and cells["MMOE+nash"][1] == "0.7450 ± .0071"
    assert cells["MMOE+nash"][2].startswith("**0.7675 ± .0035")


def test_manipulated_updates_are_left_out_and_synthetic_is_said(written):
    text, numbers = written
    assert "0.9000" not in text and "pub_clippy" not in set(numbers["balancer"])
    assert "SYNTHETIC" in text and "synthetic_nl (synthetic data)" in text


def test_the_figure_has_a_line_for_each_rule(collected):
    figure = draw(pd.read_parquet(collected(RESULTS)), "Study", "ls")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["loss", "representation", "gradient", "update"]
    means = {tuple(round(value, 6) for value in line.get_ydata()) for line in axes.get_lines()}
    assert (-0.01, 0.0125) in means, "nash: gradient -.010 and update +.0125 against ls"
    assert "synthetic" in axes.get_title()


def test_holms_correction_is_for_the_tests_that_the_caption_counts(collected, tmp_path):
    results = RESULTS | {("synthetic_nl", "mmoe", "nash_update"): [(0.71, 0.82), (0.73, 0.821)]}
    write_table("levels", collected(results), tmp_path / "levels", title="Study")
    assert "Holm's correction for all 1 test of this table" in (tmp_path / "levels.md").read_text()
    update = pd.read_csv(tmp_path / "levels.csv").set_index("balancer").loc["nash_update"]
    assert update["p_holm"] == update["p"] < 0.05
