"""The predictions that a run keeps: every test number of its record can be had from them again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss, roc_auc_score

import tiny_problems
from mtbalance.problems import open_problem
from mtbalance.problems.ranking.problem import RankingProblem
from mtbalance.training import run as run_module
from mtbalance.training.run import train


def test_scikit_learn_finds_the_records_numbers_in_the_predictions(configure, data, tmp_path):
    record = train(configure("pub", epochs=2), data, predictions=tmp_path / "predictions.parquet")
    kept = pd.read_parquet(tmp_path / "predictions.parquet")
    assert list(kept["row"]) == list(range(record.data.rows["test"]))
    for task in ("click", "conversion"):
        label, predicted = kept[task], kept[f"predicted_{task}"].astype(float)
        assert roc_auc_score(label, predicted) == pytest.approx(record.test["auc"][task], abs=1e-6)
        assert log_loss(label, predicted) == pytest.approx(record.test["log_loss"][task], rel=1e-5)
        entropy = log_loss(label, np.full(len(label), label.mean()))
        assert log_loss(label, predicted) / entropy == pytest.approx(record.test["ne"][task], rel=1e-5)


def test_columns_are_as_small_as_their_values_allow(configure, data, tmp_path):
    train(configure(epochs=1), data, predictions=tmp_path / "predictions.parquet")
    types = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "predictions.parquet")}
    expected = {"row": "int64", "click": "int8", "conversion": "int8"}
    assert types == expected | {"predicted_click": "float", "predicted_conversion": "float"}


def test_labels_are_those_of_the_test_split_in_its_order(configure, data, tmp_path, monkeypatch):
    monkeypatch.setattr(RankingProblem, "evaluation_batch", 300)
    train(configure(epochs=1), data, predictions=tmp_path / "predictions.parquet")
    kept, split = pd.read_parquet(tmp_path / "predictions.parquet"), pd.read_parquet(data / "test.parquet")
    assert (kept[["click", "conversion"]].to_numpy() == split[["click", "conversion"]].to_numpy()).all()
    assert list(kept["row"]) == list(range(len(split))) and len(split) > 300


def test_keeping_predictions_changes_no_number(configure, data, tmp_path):
    kept = train(configure(epochs=2), data, predictions=tmp_path / "predictions.parquet")
    assert train(configure(epochs=2), data).test == kept.test


def test_a_diverged_run_keeps_a_file_without_rows(configure, data, tmp_path, monkeypatch):
    def diverge(*_):
        raise FloatingPointError

    monkeypatch.setattr(run_module, "fit", diverge)
    assert train(configure(), data, predictions=tmp_path / "predictions.parquet").status == "diverged"
    assert pq.read_table(tmp_path / "predictions.parquet").num_rows == 0


def test_scenes_keep_the_metrics_of_each_image(tmp_path):
    folder = tiny_problems.prepared("scenes", tmp_path)
    run = tiny_problems.configure("scenes", "ls")
    record = train(run, folder, predictions=tmp_path / "predictions.parquet")
    kept = pd.read_parquet(tmp_path / "predictions.parquet")
    assert list(kept.columns) == ["row", *(f"{task.name}_{name}" for task in record.tasks for name in task.metrics)]
    depth = next(open_problem(run, folder).split("test").batches(record.data.rows["test"], None)).targets[1]
    pixels = (depth != 0).sum(dim=(1, 2, 3)).numpy()
    mean = np.average(kept["depth_abs_error"], weights=pixels)
    assert mean == pytest.approx(record.epochs[-1].evaluation["abs_error"]["depth"])
