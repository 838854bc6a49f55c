"""What a run keeps beside its record: the weights of the epoch that counts, and predictions for valid rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import safe_open
from sklearn.metrics import roc_auc_score

import tiny_problems
from mtbalance.errors import UserError
from mtbalance.inference.model import open_model
from mtbalance.models.kept import read_model
from mtbalance.problems import open_problem
from mtbalance.training import run as run_module
from mtbalance.training.run import train


def kept(folder):
    names = {"predictions": "test.parquet", "valid_predictions": "valid.parquet", "model": "model.safetensors"}
    return {option: folder / name for option, name in names.items()}


@pytest.fixture(scope="module")
def diverge():
    def diverge(*_):
        raise FloatingPointError

    return diverge


def test_keeping_more_changes_no_number(configure, data, tmp_path):
    run = configure(epochs=3)
    with_more, plain = train(run, data, **kept(tmp_path)), train(run, data)
    assert with_more.test == plain.test
    assert [epoch.train_loss for epoch in with_more.epochs] == [epoch.train_loss for epoch in plain.epochs]
    assert [epoch.evaluation for epoch in with_more.epochs] == [epoch.evaluation for epoch in plain.epochs]


def test_valid_predictions_are_those_of_the_best_epoch(configure, data, tmp_path):
    record = train(configure(epochs=14, optimizer={"lr": 0.01}), data, **kept(tmp_path))
    assert record.best_epoch < 14  # it has overfitted, else the test says nothing
    valid = pd.read_parquet(tmp_path / "valid.parquet")
    assert list(valid["row"]) == list(range(record.data.rows["valid"]))
    for task, auc in record.epochs[record.best_epoch - 1].evaluation["auc"].items():
        assert roc_auc_score(valid[task], valid[f"predicted_{task}"]) == pytest.approx(auc, abs=1e-6)


def test_the_weights_are_those_of_the_best_epoch(configure, data, tmp_path):
    run = configure(epochs=14, optimizer={"lr": 0.01})
    record = train(run, data, **kept(tmp_path))
    found = read_model(tmp_path / "model.safetensors")
    model = open_problem(found.config, found.schema).model()
    model.load_state_dict(found.weights)
    batch = next(open_problem(run, data).split("test").batches(record.data.rows["test"], None))
    with torch.no_grad():
        ours = [output.sigmoid().numpy() for output in model.eval()(batch.inputs)]
    test = pd.read_parquet(tmp_path / "test.parquet")
    for task, probabilities in zip(record.tasks, ours, strict=True):
        np.testing.assert_allclose(probabilities, test[f"predicted_{task.name}"], atol=1e-6)
    assert found.config == run and found.schema.read_text() == (data / "schema.json").read_text()


def test_a_run_that_goes_on_keeps_the_same_weights(configure, data, tmp_path, monkeypatch):
    run, checkpoint = configure(epochs=3), tmp_path / "checkpoint.pt"
    train(run, data, model=tmp_path / "whole.safetensors")

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(run, data, checkpoint=checkpoint, watcher=type("Stops", (run_module.Watcher,), {"after_epoch": stop})())
    train(run, data, checkpoint=checkpoint, model=tmp_path / "resumed.safetensors")
    assert (tmp_path / "resumed.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_a_diverged_run_keeps_files_without_rows_and_weights(configure, data, tmp_path, monkeypatch, diverge):
    monkeypatch.setattr(run_module, "fit", diverge)
    assert train(configure(), data, **kept(tmp_path)).status == "diverged"
    assert pq.read_table(tmp_path / "valid.parquet").num_rows == 0
    with safe_open(tmp_path / "model.safetensors", "pt") as stored:
        assert list(stored.keys()) == []


def test_scenes_keep_their_weights_and_read_no_table(tmp_path):
    folder, run = tiny_problems.prepared("scenes", tmp_path), tiny_problems.configure("scenes", "ls")
    train(run, folder, model=tmp_path / "model.safetensors")
    found = read_model(tmp_path / "model.safetensors")
    open_problem(found.config, found.schema).model().load_state_dict(found.weights)
    with pytest.raises(UserError, match="models of the kind 'scenes' do not read rows of a table"):
        open_model(tmp_path / "model.safetensors")
