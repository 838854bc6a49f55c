"""Stand-in rows with K tasks: their rates, their conflict, and that nothing else can be learned."""

import numpy as np
import polars as pl
import pytest
from numpy.random import default_rng
from sklearn.metrics import roc_auc_score

from mtbalance.data import DataError
from mtbalance.data.adapters.synthetic_tasks import SyntheticTasks
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.data.stand_in.features import draw_features
from mtbalance.data.stand_in.generated import FILES
from mtbalance.data.stand_in.rows import best_auc
from mtbalance.data.stand_in.task_rows import TaskModel

FOUR = SyntheticTasks(adapter="synthetic_tasks", tasks=4, train_rows=4000, test_rows=3000)
NAMES = ["task_1", "task_2", "task_3", "task_4"]


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks") / "raw"
    FOUR.generate(folder)
    return folder


@pytest.mark.parametrize("tasks", [2, 3, 8])
@pytest.mark.parametrize("common", [0.2, 0.5])
def test_two_scores_have_the_common_share_as_correlation_with_alternating_sign(tasks, common):
    features = draw_features(3000, 5.0, 0, default_rng(1))
    scores = TaskModel(features, np.full(tasks, 0.2), common, 1.5, default_rng(2)).scores(features)
    signs = np.resize([1, -1], tasks)
    expected = common * np.outer(signs, signs) + (1 - common) * np.eye(tasks)
    assert np.cov(scores, ddof=0) == pytest.approx(expected, abs=1e-6)


def test_mean_probabilities_are_the_rates_and_log_odds_have_the_signal():
    features, rates = draw_features(2000, 5.0, 0, default_rng(1)), np.array([0.3, 0.1, 0.02])
    found = TaskModel(features, rates, 0.5, 1.5, default_rng(2)).probabilities(features)
    assert found.mean(axis=1) == pytest.approx(rates, rel=1e-6)
    assert np.log(found / (1 - found)).std(axis=1) == pytest.approx([1.5] * 3, rel=1e-6)


def test_labels_are_drawn_from_the_true_probabilities(raw):
    labels, truth = pl.read_csv(raw / "test.csv"), pl.read_csv(raw / "truth.csv")
    for task, rate in zip(NAMES, np.geomspace(0.3, 0.03, 4), strict=True):
        chance = truth[task].to_numpy()
        deviation = np.sqrt((chance * (1 - chance)).sum())
        assert abs(labels[task].sum() - chance.sum()) < 4 * deviation
        assert chance.mean() == pytest.approx(rate, rel=0.2)  # rates are those of the training rows
    # Given the features, labels are independent: what is left of one says nothing of another.
    left = [(labels[task] - truth[task]).to_numpy() for task in NAMES]
    assert np.abs(np.corrcoef(left) - np.eye(4)).max() < 4 / np.sqrt(labels.height)


def test_prepared_rows_have_all_tasks_and_the_best_auc(raw, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    schema = FOUR.prepare("synthetic_four", tmp_path / "out")
    assert schema == RankingSchema.read(tmp_path / "out")
    assert [task.name for task in schema.tasks] == list(FOUR.task_names()) == NAMES
    assert schema.synthetic and schema.raw == {name: sha256_of(raw / name) for name in FILES}
    assert schema.best_auc == best_auc(raw, FOUR.split)
    rows, truth = pl.read_parquet(tmp_path / "out/test.parquet"), pl.read_csv(raw / "truth.csv")
    expected = truth.filter(pl.col("search_id").is_in(set(rows["search_id"])))
    for task in NAMES:
        assert schema.best_auc["test"][task] == pytest.approx(roc_auc_score(rows[task], expected[task]), abs=1e-12)
    written = pl.read_csv(raw / "train.csv")
    train = pl.read_parquet(tmp_path / "out/train.parquet")
    for column in ("search_id", "categorical_7", *NAMES):
        assert train[column].to_list() == written[column].to_list()


def test_another_name_than_synthetic_and_impossible_rates_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="synthetic"):
        FOUR.prepare("four", tmp_path / "out")
    with pytest.raises(DataError, match="above 0 and below 1"):
        FOUR.model_copy(update={"last_rate": 0.0}).generate(tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
