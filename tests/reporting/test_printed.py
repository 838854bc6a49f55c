"""The printed Table III, recomputed by another way than the audit's."""

from pathlib import Path

import pandas as pd
import pytest

from mtbalance.reporting import printed

TABLE = pd.read_csv(Path(printed.__file__).parent / "published" / "pub_table3.csv")
KEY = ["dataset", "backbone", "balancer"]


def units(row: pd.Series) -> float:
    """Printed average minus the mean of the tasks, in units of the fourth decimal."""
    return round(1e4 * (row["average"] - (row["ctr"] + row["ctcvr"]) / 2), 6)


def cell(dataset: str, backbone: str, balancer: str) -> pd.Series:
    return TABLE.set_index(KEY).loc[(f"aliexpress_{dataset}", backbone, balancer)]


def test_the_table_is_complete():
    assert len(TABLE) == 100
    assert not TABLE.duplicated(KEY).any()
    per_dataset = TABLE.groupby("dataset")["balancer"].value_counts().unstack()
    assert (per_dataset["ls"] == 3).all()
    assert (per_dataset.drop(columns="ls") == 2).all().all()


def test_wrong_averages_are_exactly_the_audited_ones():
    off = TABLE.assign(units=TABLE.apply(units, axis=1))
    # Half a unit is rounding in the last decimal, up or down.
    wrong = off[off["units"].abs() > 0.5].set_index(KEY)["units"]
    assert wrong.to_dict() == {
        ("aliexpress_us", "ple", "nashmtl"): 1.0,
        ("aliexpress_us", "mmoe", "cagrad"): -1.0,
        ("aliexpress_us", "ple", "cagrad"): -1.0,
        ("aliexpress_us", "ple", "pub"): -1.0,
        ("aliexpress_fr", "mmoe", "famo"): -40.0,
        ("aliexpress_fr", "mmoe", "pub"): 3.0,
    }


def test_two_baseline_averages_carry_the_mark_and_nine_are_above_their_backbone():
    backbones = TABLE[TABLE["balancer"] == "ls"].set_index(["dataset", "backbone"])["average"]
    others = TABLE[~TABLE["balancer"].isin(["ls", "pub"])]
    base = backbones.loc[pd.MultiIndex.from_frame(others[["dataset", "backbone"]])].to_numpy()
    assert len(others) == 80
    assert others["average_mark"].sum() == 2
    assert (others["average"] > base).sum() == 9


def test_marks_do_not_follow_the_size_of_the_difference():
    assert cell("us", "ple", "pub")["ctcvr_mark"] == 1
    assert cell("us", "ple", "pub")["ctcvr"] < cell("us", "ple", "ls")["ctcvr"]
    assert cell("es", "ple", "cagrad")["average_mark"] == 0
    assert cell("es", "ple", "cagrad")["average"] - cell("es", "ple", "ls")["average"] == pytest.approx(0.0009)
    assert cell("us", "ple", "clippy_adam")["ctr_mark"] == 1
    assert cell("us", "ple", "clippy_adam")["ctr"] - cell("us", "ple", "ls")["ctr"] == pytest.approx(0.0012)


def test_long_form_has_a_row_a_number():
    long = printed.pub_table3().set_index([*KEY, "task_title"])
    assert len(long) == 300
    assert long.loc[("aliexpress_fr", "mmoe", "pub", "Average"), "published"] == 0.8067
    assert long.loc[("aliexpress_nl", "ple", "nashmtl", "Average"), "published_mark"]
