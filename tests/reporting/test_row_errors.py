"""Row errors: standard errors of differences over test rows, against the bootstrap and on equal methods."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, roc_auc_score, root_mean_squared_error

from mtbalance.records import RecordError
from mtbalance.reporting.row_errors import (
    auc_influences,
    binary_influences,
    entropy_influences,
    influences_of,
    regression_influences,
    row_errors,
)

ROWS, TASKS = 2000, ("click", "conversion")
BINARY = {"auc": 1, "ne": -1}


def labels_and_scores(seed: int, methods: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels [rows, 2] that depend on each other, and probabilities [rows, 2] of some methods."""
    random = np.random.default_rng(seed)
    signal = random.normal(size=(ROWS, 1)) + random.normal(size=(ROWS, 2))
    labels = random.random((ROWS, 2)) < 1 / (1 + np.exp(2 - signal))
    scores = [signal + random.normal(scale=0.8, size=(ROWS, 2)) - 2 for _ in range(methods)]
    return labels, [1 / (1 + np.exp(-score)) for score in scores]


def ne(labels: np.ndarray, scores: np.ndarray) -> float:
    rate = labels.mean()
    losses = -np.where(labels, np.log(scores), np.log(1 - scores))
    return float(losses.mean() / -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)))


def written(folder, labels, methods, metrics, seeds=(0,)):
    """Records and predictions of methods, each the same for all seeds."""
    runs, files = [], {}
    tasks = [SimpleNamespace(name=name, metrics=metrics) for name in TASKS]
    for name, scores in methods.items():
        for seed in seeds:
            digest = f"{name}-{seed}"
            columns = {task: labels[:, index] for index, task in enumerate(TASKS)}
            columns |= {f"predicted_{task}": scores[:, index].astype(np.float32) for index, task in enumerate(TASKS)}
            files[digest] = folder / f"{digest}.parquet"
            pq.write_table(pa.table(columns), files[digest])
            run = SimpleNamespace(seed=seed)
            record = SimpleNamespace(digest=digest, tasks=tasks, status="finished", run=run)
            runs.append((("data", "mmoe", name), record))
    return runs, files


def test_row_errors_are_those_of_the_paired_bootstrap(tmp_path):
    labels, (ours, theirs) = labels_and_scores(0, 2)
    runs, files = written(tmp_path, labels, {"ls": theirs, "pub": ours}, BINARY, seeds=(0, 1))
    (found,) = row_errors(runs, files, "ls").values()
    random = np.random.default_rng(1)
    draws = {key: [] for key in found}
    for _ in range(400):
        rows = random.integers(0, ROWS, ROWS)
        aucs = []
        for index, task in enumerate(TASKS):
            truth = labels[rows, index]
            one, other = ours[rows, index], theirs[rows, index]
            aucs.append(roc_auc_score(truth, one) - roc_auc_score(truth, other))
            draws["auc", task].append(aucs[-1])
            draws["ne", task].append(ne(truth, one) - ne(truth, other))
        draws["mean_auc", "mean"].append(np.mean(aucs))
    assert len(found) == 5
    for key, values in draws.items():
        assert found[key] == pytest.approx(np.std(values), rel=0.15), key


def test_row_errors_of_regressions_are_those_of_the_paired_bootstrap(tmp_path):
    random = np.random.default_rng(3)
    truth = random.gamma(2, size=(ROWS, 2))
    ours, theirs = (truth + random.normal(scale=scale, size=(ROWS, 2)) * truth for scale in (0.3, 0.35))
    runs, files = written(tmp_path, truth, {"ls": theirs, "pub": ours}, dict.fromkeys(("rmse", "mae"), -1) | {"r2": 1})
    (found,) = row_errors(runs, files, "ls").values()
    measures = {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
    draws = {key: [] for key in found}
    for _ in range(400):
        rows = random.integers(0, ROWS, ROWS)
        for metric, measure in measures.items():
            pairs = [(truth[rows, index], ours[rows, index], theirs[rows, index]) for index in range(len(TASKS))]
            differences = [measure(labels, one) - measure(labels, other) for labels, one, other in pairs]
            for task, difference in zip(TASKS, differences, strict=True):
                draws[metric, task].append(difference)
            if metric == "r2":
                for mean in ("mean_r2", "mean_score"):
                    draws[mean, "mean"].append(np.mean(differences))
    assert len(found) == 8
    for key, values in draws.items():
        assert found[key] == pytest.approx(np.std(values), rel=0.15), key


def test_influences_add_up_to_nothing_and_ties_count_half():
    labels, (scores,) = labels_and_scores(2, 1)
    rounded = scores[:, 0].round(1)
    for influence in (auc_influences, entropy_influences):
        assert abs(influence(rounded.clip(0.05, 0.95), labels[:, 0]).sum()) < 1e-12
    tied = np.full(ROWS, 0.5)
    assert np.abs(auc_influences(tied, labels[:, 0])).max() == 0


def test_an_influence_is_what_a_metric_gains_by_a_little_more_weight_of_the_row():
    """The reference: scikit-learn's metrics with sample weights, by central differences; the entropy stays."""
    random, rows = np.random.default_rng(4), 40

    def weighted_ne(truth, predicted, sample_weight):
        return log_loss(truth, predicted, sample_weight=sample_weight) / stats.bernoulli(truth.mean()).entropy()

    def by_differences(measure, truth, predicted, row):
        one, other = (measure(truth, predicted, sample_weight=1 + step * np.eye(rows)[row]) for step in (1e-4, -1e-4))
        return (one - other) / 2e-4

    truth, probabilities = (random.random(rows) < 0.3).astype(float), random.random(rows).round(1).clip(0.1, 0.9)
    binary = (binary_influences, truth, probabilities, {"auc": roc_auc_score, "ne": weighted_ne})
    numbers, estimates = random.gamma(2, size=rows), random.gamma(2, size=rows)
    measures = {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
    for influences, labels, predicted, metrics in (binary, (regression_influences, numbers, estimates, measures)):
        found = influences(predicted, labels)
        assert found.keys() == metrics.keys()
        for name, measure in metrics.items():
            expected = [by_differences(measure, labels, predicted, row) for row in range(rows)]
            assert found[name] == pytest.approx(expected, rel=1e-5, abs=1e-8), name


def test_equal_methods_differ_over_rows_as_often_as_the_level_says():
    """Two methods of the same quality on new rows, 200 times: about 5 % of the z-tests have p below .05."""
    seen = 0
    for seed in range(200):
        labels, (ours, theirs) = labels_and_scores(100 + seed, 2)
        influence = auc_influences(ours[:, 0], labels[:, 0]) - auc_influences(theirs[:, 0], labels[:, 0])
        difference = roc_auc_score(labels[:, 0], ours[:, 0]) - roc_auc_score(labels[:, 0], theirs[:, 0])
        seen += abs(difference) > 1.96 * np.sqrt(np.sum(influence**2))
    assert 2 <= seen <= 20


def test_rows_without_a_label_count_for_nothing(tmp_path):
    labels, (scores,) = labels_and_scores(3, 1)
    runs, files = written(tmp_path, labels, {"pub": scores}, BINARY)
    (record,) = (record for _, record in runs)
    table = pq.read_table(files[record.digest]).to_pandas()
    table["click"] = table["click"].astype(float).where(np.arange(ROWS) % 2 == 0)
    table.to_parquet(files[record.digest])
    found = influences_of(record, files)
    assert np.all(found["auc", "click"][1::2] == 0)
    assert found["auc", "click"][::2] == pytest.approx(
        auc_influences(scores[::2, 0].astype(np.float32).astype(float), labels[::2, 0])
    )


def test_lost_predictions_are_told(tmp_path):
    labels, (scores,) = labels_and_scores(4, 1)
    runs, files = written(tmp_path, labels, {"ls": scores, "pub": scores}, BINARY)
    files["pub-0"].unlink()
    with pytest.raises(RecordError, match=r"pub-0.parquet cannot be read"):
        row_errors(runs, files, "ls")
