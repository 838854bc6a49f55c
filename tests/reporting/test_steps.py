"""Rows of the collected frame from steps files whose products were chosen by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mtbalance.records import RecordError, read_run
from mtbalance.reporting.collect import collect
from mtbalance.reporting.steps import of_steps

RESULTS = {("synthetic_nl", "mmoe", "ls"): [(0.7, 0.8)], ("synthetic_nl", "mmoe", "pub"): [(0.7, 0.8)]}


def steps(parts: dict[str, list[tuple[float, float, float]]], epochs: list[int]) -> pd.DataFrame:
    """A steps file: for each part the products g.Delta, |g|^2 and |Delta|^2 of every step."""
    found: dict[str, Any] = {"step": range(1, len(epochs) + 1), "epoch": epochs}
    for part, products in parts.items():
        for name, column in zip(("dot", "gradient", "update"), zip(*products, strict=True), strict=True):
            found[f"{part}_{name}"] = column
    found["weight_click"] = [1.0, 3.0, 1.0, 1.0, 9.0][: len(epochs)]
    return pd.DataFrame(found)


OWN = [(-1.0, 4.0, 1.0)] * 5  # cosine 0.5
SHARED = [(-2.0, 4.0, 1.0), (0.0, 4.0, 4.0), (0.0, 0.0, 9.0), (1.0, 1.0, 1.0), (-1.0, 1.0, 1.0)]
HALF = [(-1.0, 1.0, 1.0), *[(0.0, 0.5, 0.5)] * 4]
EPOCHS = [1, 1, 2, 3, 4]  # the records have three epochs, the last of them the best; epoch 4 was not finished


@pytest.fixture
def frame(write: Callable[..., Any], tmp_path: Path) -> Callable[[list[pd.DataFrame]], pd.DataFrame]:
    """Collect records with the given steps files."""

    def collected(files: list[pd.DataFrame]) -> pd.DataFrame:
        records, runs = write(RESULTS)
        paths = [tmp_path / f"{number}.steps.parquet" for number in range(len(runs))]
        for path, table in zip(paths, files, strict=False):
            table.to_parquet(path)
        collect(records, runs, [], [], tmp_path / "metrics.parquet", paths)
        return pd.read_parquet(tmp_path / "metrics.parquet")

    return collected


def numbers(frame: pd.DataFrame, balancer: str, epoch: int | None) -> dict[tuple[str, str], float]:
    """The numbers of steps of one run: of an epoch, or over the run."""
    rows = frame[(frame["balancer"] == balancer) & (frame["split"] == "train")]
    rows = rows[rows["epoch"].isna() if epoch is None else rows["epoch"] == epoch]
    rows = rows[rows["metric"].str.match("cosine_|length_|weight_(?:mean|spread)")]
    return {(row.metric, row.task): row.value for row in rows.itertuples()}


def test_a_run_has_means_up_to_its_best_epoch_and_means_of_every_epoch(frame):
    both = frame([steps({"shared": SHARED, "task_specific": OWN, "half": HALF}, EPOCHS)] * 2)
    whole = numbers(both, "ls", None)
    assert whole["cosine_shared", ""] == pytest.approx((1 + 0 - 1) / 3)  # a step without a gradient has no cosine
    assert whole["cosine_task_specific", ""] == pytest.approx(0.5)
    assert whole["cosine_half", ""] == pytest.approx(1 / 4)
    assert whole["length_shared", ""] == pytest.approx(math.sqrt((1 + 4 + 9 + 1) / 4))
    assert whole["weight_mean", "click"] == pytest.approx(1.5)
    assert whole["weight_spread", "click"] == pytest.approx(math.sqrt(0.75))
    first = numbers(both, "ls", 1)
    assert first["cosine_shared", ""] == pytest.approx(0.5) and first["weight_mean", "click"] == 2.0
    assert numbers(both, "ls", 3)["cosine_shared", ""] == pytest.approx(-1)
    assert numbers(both, "ls", 4) == {}


def test_the_other_half_is_what_is_left_of_the_shared_parameters(frame):
    shared = [(-1.0, 2.0, 5.0)] * 3
    both = frame([steps({"shared": shared, "half": [(-1.0, 1.0, 1.0)] * 3}, [1, 2, 3])] * 2)
    whole = numbers(both, "pub", None)
    assert whole["cosine_half", ""] == 1.0 and whole["cosine_other_half", ""] == 0.0
    both = frame([steps({"shared": shared, "half": [(1.0, 1.0, 1.0)] * 3}, [1, 2, 3])] * 2)
    assert numbers(both, "pub", None)["cosine_other_half", ""] == pytest.approx(2 / math.sqrt(1 * 4))


def test_a_part_without_parameters_has_no_rows(frame):
    both = frame([steps({"task_specific": OWN}, EPOCHS)] * 2)
    metrics = {metric for metric, _ in numbers(both, "ls", None)}
    assert metrics == {"cosine_task_specific", "length_task_specific", "weight_mean", "weight_spread"}


def test_a_missing_file_is_named(frame):
    with pytest.raises(RecordError, match=r"1\.steps\.parquet is missing"):
        frame([steps({"shared": SHARED}, EPOCHS)])


def test_a_file_of_another_run_is_refused(frame):
    shorter = steps({"shared": SHARED[:3]}, EPOCHS[:3])
    with pytest.raises(RecordError, match=r"0\.steps\.parquet has no steps of epoch 3"):
        frame([shorter, shorter])


def test_a_run_that_finished_no_epoch_counts_without_numbers(write, tmp_path):
    records, runs = write({("synthetic_nl", "mmoe", "ls"): [None]})
    steps({"shared": SHARED}, EPOCHS).to_parquet(tmp_path / "steps.parquet")
    collect(records, runs, [], [], tmp_path / "metrics.parquet", [tmp_path / "steps.parquet"])
    whole = numbers(pd.read_parquet(tmp_path / "metrics.parquet"), "ls", None)
    assert math.isnan(whole["cosine_shared", ""]) and math.isnan(whole["weight_spread", "click"])


def test_steps_are_not_looked_up_in_a_data_frame_for_each_epoch(write, tmp_path, monkeypatch):
    records, _ = write(RESULTS)
    record, file = read_run(records[0]), tmp_path / "0.steps.parquet"
    steps({"shared": SHARED, "task_specific": OWN, "half": HALF}, EPOCHS).to_parquet(file)
    looked, get = [], pd.DataFrame.__getitem__
    monkeypatch.setattr(pd.DataFrame, "__getitem__", lambda self, key: looked.append(key) or get(self, key))
    assert list(of_steps(record, file)) and not looked
