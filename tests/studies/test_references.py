"""References on a tiny synthetic data set: scored by an independent route."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import log_loss, roc_auc_score

from mtbalance.reporting.references import MODELS
from mtbalance.studies import references
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
    assert list(record.models) == list(MODELS)
    test = references._rows(folder, "test")
    tasks = list(record.models["constant"].chosen)
    models = [name for name in record.models for _ in tasks]
    for name, (task, fit) in zip(models, kept, strict=True):
        labels, logits = test.labels[task], fit.logits(test.inputs)
        found = {metric: values[tasks[task]] for metric, values in record.models[name].test.items()}
        loss = log_loss(labels, 1 / (1 + np.exp(-logits)))
        assert found["auc"] == pytest.approx(roc_auc_score(labels, logits), abs=1e-12)
        assert found["log_loss"] == pytest.approx(loss, rel=1e-9)
        assert found["ne"] == pytest.approx(loss / entropy([labels.mean(), 1 - labels.mean()]), rel=1e-6)
    assert record.models["constant"].test["auc"] == dict.fromkeys(tasks, 0.5)


def test_references_are_reproducible(folder):
    one, other = (references.references("synthetic_a", folder).model_dump(exclude={"models"}) for _ in range(2))
    assert one == other
