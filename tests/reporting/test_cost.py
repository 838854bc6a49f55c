"""Seconds of training: the table `cost` and the figure `speed`, their cells recomputed, and Table V beside them."""

from pathlib import Path

import pandas as pd
import pytest

from mtbalance.reporting import printed
from mtbalance.reporting.costs import costs
from mtbalance.reporting.figures.common.speed import draw
from mtbalance.reporting.tables import write_table

ROWS, BATCH = 22_326_719, 4096
STEPS = 5451  # 22,326,719 / 4,096 = 5450.86
TABLE = pd.read_csv(Path(printed.__file__).parent / "published" / "pub_table5.csv").set_index("backbone")


@pytest.fixture
def named(collected):
    """Timings whose balancers have the levels and rules of their names; `pub` searches."""

    def make(**changed):
        frame = pd.read_parquet(collected())
        frame.loc[frame["balancer"] == "mgda", ["level", "rule"]] = ["gradient", "min_norm"]
        frame.loc[frame["balancer"] == "pub", ["level", "rule"]] = ["update", "nash"]
        return frame.assign(**changed)

    return make


def cell(cells, backbone, balancer, metric):
    chosen = (cells["backbone"] == backbone) & (cells["balancer"] == balancer) & (cells["metric"] == metric)
    return cells[chosen].iloc[0]


def test_seconds_follow_from_those_of_a_step(named):
    """PUB has half the throughput of LS, whose step takes a second; the quartiles of its throughput are .48 and .51."""
    cells = costs(named(), "ls")
    assert cell(cells, "mmoe", "pub", "seconds_a_step")["value"] == 2
    assert cell(cells, "mmoe", "pub", "seconds_an_epoch")["value"] == 2 * STEPS
    assert cell(cells, "mmoe", "pub", "seconds_a_search")["value"] == 0.3
    # One second above LS at each of ten steps, all booked on the one search.
    assert cell(cells, "mmoe", "pub", "overhead_a_search")["value"] == 10
    ratio = cell(cells, "mmoe", "pub", "relative_time")
    assert tuple(ratio[["value", "low", "high"]]) == pytest.approx((2, 1 / 0.51, 1 / 0.48))
    assert "overhead_a_search" not in set(cells.loc[cells["balancer"] == "ls", "metric"])


def test_an_epoch_of_real_data_has_their_own_rows(named):
    assert set(costs(named(), "ls")["epoch_rows"]) == {ROWS}, "a stand-in's number of rows means nothing"
    cells = costs(named(synthetic=False), "ls")
    assert set(cells["epoch_rows"]) == {81_920}
    assert cell(cells, "ple", "pub", "seconds_an_epoch")["value"] == 2 * 20


@pytest.mark.parametrize("backbone", ["mmoe", "ple"])
def test_printed_numbers_are_those_of_table_v_and_what_follows_from_them(named, backbone):
    cells = costs(named(), "ls")
    base, pub = TABLE.loc[backbone, "base"], TABLE.loc[backbone, "pub"]
    expected = {
        "seconds_an_epoch": pub,
        "seconds_a_step": pub / STEPS,
        "relative_time": pub / base,
        "overhead_a_search": (pub - base) / (STEPS / 10),
    }
    for metric, value in expected.items():
        assert cell(cells, backbone, "pub", metric)["published"] == pytest.approx(value)
    assert cell(cells, backbone, "ls", "seconds_an_epoch")["published"] == base
    # The text has 0.17 s and 0.256 s a search, and "only by 16%".
    says = printed.everything().says(f"search_{backbone}_seconds")
    assert cell(cells, backbone, "pub", "overhead_a_search")["published"] == pytest.approx(says, abs=0.002)
    assert int(100 * cell(cells, backbone, "pub", "relative_time")["published"]) == 116
    assert cells.loc[cells["balancer"] == "mgda", "published"].isna().all(), "Table V has no MGDA"
    assert pd.isna(cell(cells, backbone, "pub", "seconds_a_search")["published"]), "the paper measured no search"


def test_a_manipulated_update_and_another_backbone_are_not_in_table_v(named):
    for changed in ({"manipulation": "clippy"}, {"backbone": "shared_bottom"}):
        frame = named()
        frame = frame[frame["backbone"] != "ple"].assign(**changed)
        assert costs(frame, "ls")["published"].isna().all()


def test_the_table_has_ours_printed_and_what_to_make_of_both(named, tmp_path):
    named().to_parquet(tmp_path / "metrics.parquet")
    write_table("cost", tmp_path / "metrics.parquet", tmp_path / "cost", title="Demo")
    text, numbers = (tmp_path / "cost.md").read_text(), pd.read_csv(tmp_path / "cost.csv")
    line = next(line for line in text.splitlines() if line.startswith("| MMOE+PUB |"))
    cells = [part.strip() for part in line.strip("|").split("|")]
    assert cells[1:5] == ["2.0000", "0.1195", "2.000 [1.961, 2.083]", "1.167"]
    assert cells[5:] == ["0.3000", "10902.0", "651.4", "10.0000", "0.1708"]
    assert "SYNTHETIC" in text and "22,326,719 on synthetic_nl (those of AliExpress ES); of a batch: 4,096." in text
    assert "AliExpress ES" in text and "Compare ratios, not seconds." in text and "another, 1 thread(s)" in text
    assert "MMOE: printed time over LS 1.167; here PUB 2.000. Nearest: PUB." in text
    assert "another case" not in text, "the batch is the paper's"
    assert cell(numbers, "mmoe", "pub", "seconds_an_epoch")["published"] == TABLE.loc["mmoe", "pub"]


def test_a_batch_of_another_size_is_said(named, tmp_path):
    frame = named()
    frame.loc[frame["metric"] == "batch_size", "value"] = 512
    frame.to_parquet(tmp_path / "metrics.parquet")
    write_table("cost", tmp_path / "metrics.parquet", tmp_path / "cost", title="Demo")
    text = (tmp_path / "cost.md").read_text()
    assert "of a batch: 512." in text and "do not have the paper's 4,096 rows: even ratios are another case" in text


def test_a_reading_of_the_paper_stands_beside_the_printed_number_too(named, tmp_path):
    frame = named()
    fast = frame[(frame["backbone"] == "mmoe") & (frame["balancer"] == "pub")].assign(balancer="pub_fast")
    fast.loc[fast["metric"] == "relative_throughput", "value"] = 0.9
    pd.concat([frame, fast]).to_parquet(tmp_path / "metrics.parquet")
    write_table("cost", tmp_path / "metrics.parquet", tmp_path / "cost", title="Demo")
    text = (tmp_path / "cost.md").read_text()
    # log(2 / 1.167) is .54, and log(1.111 / 1.167) -.05.
    assert "here PUB 2.000; PUB (one pass) 1.111. Nearest: PUB (one pass)." in text


def test_without_table_v_its_arithmetic_is_left_out(named, tmp_path):
    named(backbone="shared_bottom").to_parquet(tmp_path / "metrics.parquet")
    write_table("cost", tmp_path / "metrics.parquet", tmp_path / "cost", title="Demo")
    text = (tmp_path / "cost.md").read_text()
    assert "Table V" not in text and "ten steps" not in text and "s a search adds" in text


def test_without_a_timing_the_table_says_so(named, tmp_path):
    frame = named()
    frame[~frame["metric"].str.match("relative|seconds_a|batch|train_rows")].to_parquet(tmp_path / "m.parquet")
    write_table("cost", tmp_path / "m.parquet", tmp_path / "cost", title="Demo")
    assert "was not measured" in (tmp_path / "cost.md").read_text()
    figure = draw(pd.read_parquet(tmp_path / "m.parquet"), "Demo", "ls")
    assert any("Nothing was timed" in text.get_text() for text in figure.axes[0].texts)


def test_the_figure_has_the_throughput_of_each_method_and_the_seconds_of_an_epoch(named):
    figure = draw(named(), "Demo", "ls")
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["MMOE", "MGDA", "PUB", "PLE", "MGDA", "PUB"]
    marks = {
        (line.get_xdata()[0], line.get_ydata()[0]): line.get_marker()
        for line in axes.lines
        if line.get_marker() in "s^"
    }
    # Markers tell the level: MGDA combines gradients (s), PUB updates (^).
    assert marks == {(0.4, 1): "s", (0.5, 2): "^", (0.4, 4): "s", (0.5, 5): "^"}
    ends = sorted({tuple(segment[:, 0].round(6)) for bars in axes.collections for segment in bars.get_segments()})
    assert ends == [(0.38, 0.41), (0.48, 0.51)], "the quartiles"
    beside = [text.get_text() for text in axes.texts]
    assert beside.count("10902.0 s") == 2 and beside.count("LS: 5451.0 s") == 2, "PUB and LS, on both backbones"
