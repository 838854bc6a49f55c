"""References on a tiny synthetic data set: scored by an independent route."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import entropy
from sklearn.metrics import log_loss, r2_score, roc_auc_score, root_mean_squared_error

from mtbalance.data.adapters.table import Table
from mtbalance.records.table import read_table
from mtbalance.reporting.references import MODELS
from mtbalance.studies import references
from mtbalance.studies.reference_rows import read_rows
from tiny_problems import prepared


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return prepared("ranking", tmp_path_factory.mktemp("references"))


def test_references_are_scored_on_the_test_split(folder, monkeypatch):
    kept = []

    def remembered(fit):
        def made(train, valid, task, ids):
            kept.append((task, fit(train, valid, task, ids)))
            return kept[-1][1]

        return made

    monkeypatch.setattr(references, "MODELS", {name: remembered(fit) for name, fit in references.MODELS.items()})
    record = references.references("synthetic_a", folder)
    assert set(record.models) < set(MODELS)
    test = read_rows(folder, "test")
    tasks = list(record.models["constant"].chosen)
    models = [name for name in record.models for _ in tasks]
    for name, (task, fit) in zip(models, kept, strict=True):
        labels, logits = test.labels[task], fit.outputs(test.inputs)
        found = {metric: values[tasks[task]] for metric, values in record.models[name].test.items()}
        loss = log_loss(labels, 1 / (1 + np.exp(-logits)))
        assert found["auc"] == pytest.approx(roc_auc_score(labels, logits), abs=1e-12)
        assert found["log_loss"] == pytest.approx(loss, rel=1e-9)
        assert found["ne"] == pytest.approx(loss / entropy([labels.mean(), 1 - labels.mean()]), rel=1e-6)
    assert record.models["constant"].test["auc"] == dict.fromkeys(tasks, 0.5)


def test_what_they_predict_is_kept_beside_the_labels(folder, tmp_path):
    record = references.references("synthetic_a", folder, tmp_path / "kept.parquet")
    kept = read_table(tmp_path / "kept.parquet", record.sha256["test"])
    for name, model in record.models.items():
        for task, auc in model.test["auc"].items():
            labels, predicted = (kept[column].to_numpy() for column in (task, f"{name}_{task}"))
            assert roc_auc_score(labels, predicted) == pytest.approx(auc, abs=1e-4)
            assert 0 < predicted.min() <= predicted.max() < 1


def test_references_are_reproducible(folder):
    one, other = (references.references("synthetic_a", folder).model_dump(exclude={"models"}) for _ in range(2))
    assert one == other


def test_regressions_have_references_in_their_units(tmp_path):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(900, 2))
    flow = np.exp(1 + inputs @ [0.5, -0.3] + 0.1 * random.normal(size=900))
    frame = pl.DataFrame({"a": inputs[:, 0], "b": inputs[:, 1], "flow": flow, "high": (flow > 3).astype(int), "w": 2.0})
    frame = frame.with_columns(flow=pl.when(pl.arange(900) % 3 > 0).then("flow"))
    frame.write_parquet(tmp_path / "t.parquet")
    tasks = {
        "flow": {"column": "flow", "kind": "regression", "loss": "log1p"},
        "high": {"column": "high", "above": 0.5},
    }
    block = {"adapter": "table", "files": {"all": {"path": str(tmp_path / "t.parquet")}}, "categorical": []}
    block |= {
        "numerical": ["a", "b"],
        "tasks": tasks,
        "weight": "w",
        "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
    }
    schema = Table.model_validate(block).prepare("t", tmp_path / "out")
    found = references.references("t", tmp_path / "out").models
    test = pl.read_parquet(tmp_path / "out" / "test.parquet")["flow"].drop_nans().to_numpy()
    (task,) = [task for task in schema.tasks if task.name == "flow"]
    constant = np.full(len(test), np.expm1(task.mean))
    assert found["mean"].test["rmse"]["flow"] == pytest.approx(root_mean_squared_error(test, constant), rel=1e-5)
    assert found["mean"].test["r2"]["flow"] == pytest.approx(r2_score(test, constant), rel=1e-4)
    assert found["ridge"].test["r2"]["flow"] > 0.9 and found["trees"].test["r2"]["flow"] > 0.7
    assert list(found["logistic"].test["auc"]) == ["high"] and list(found["ridge"].test["r2"]) == ["flow"]
