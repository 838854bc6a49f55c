"""Models and calibration in the workflow: kept, used by their run's name, and made again after an edit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workflow_tree import Tree, numbers

CALIBRATED = {"calibrate tiny", "table tiny/calibration", "figure tiny/calibration", "page "}
CELL = "results/runs/tiny/synthetic_a/mmoe/pub/seed-1"


def keeping(tree: Tree) -> Tree:
    """The tree, whose tiny experiment now keeps models, and shows its calibration."""
    tree.set("experiments.tiny.keep", ["model", "valid_predictions"])
    tree.set("experiments.tiny.tables", ["auc", "ne", "calibration"])
    tree.set("experiments.tiny.figures", ["auc", "seesaw", "curves", "weights", "calibration"])
    return tree


@pytest.mark.long
def test_models_are_kept_predict_and_are_calibrated(tree: Tree):
    before = tree.records()
    keeping(tree).snakemake()
    assert tree.due() == set()
    assert {cell: numbers(record) for cell, record in tree.records().items()} == {
        cell: numbers(record) for cell, record in before.items()
    }
    rows = "data/processed/synthetic_a/test.parquet"
    tree.call("mtbalance", "predict", "tiny/mmoe/pub/1", rows, "--output", "found.parquet")
    kept, found = (
        pd.read_parquet(tree.root / f"{CELL}.predictions.parquet"),
        pd.read_parquet(tree.root / "found.parquet"),
    )
    np.testing.assert_allclose(found, kept[list(found)], atol=1e-5)
    assert "calibration on the test split" in tree.read("results/tables/tiny/calibration.md")

    tree.edit("src/mtbalance/reporting/figures/ranking/calibration.py", lambda text: f"{text}# edited\n")
    assert tree.due() == {"figure tiny/calibration"}
    (tree.root / f"{CELL}.model.safetensors").unlink()
    assert "train_model_valid_predictions tiny/synthetic_a/mmoe/pub/1" in tree.due()


@pytest.mark.slow
def test_a_run_without_its_model_says_how_to_get_one(tree: Tree):
    said = tree.call("mtbalance", "predict", "tiny/mmoe/pub/1", "rows.csv", expect=1)
    assert f"{CELL}.model.safetensors is not here: experiments.tiny needs `keep: [model]`" in said


@pytest.mark.slow
def test_what_an_experiment_keeps_and_shows_is_due(tree: Tree):
    due = keeping(tree).due()
    assert due >= CALIBRATED
    assert {job.split()[0] for job in due if job.startswith("train")} == {"train_model_valid_predictions"}
