from pathlib import Path

import numpy as np
import polars as pl
import pytest
from full_disk import said_on_a_full_disk
from numpy.random import default_rng
from sample_data import SMALL, processed
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mtbalance.data import DataError
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.stand_in.features import CARDINALITIES, draw_features
from mtbalance.data.stand_in.generated import FILES, MARK, is_generated
from mtbalance.data.stand_in.rows import best_auc
from mtbalance.data.stand_in.truth import TrueModel


@pytest.fixture(scope="module")
def train(raw) -> pl.DataFrame:
    return pl.read_csv(raw / "train.csv")


def test_rates_are_those_asked_for_within_binomial_error(train):
    for task, rate in (("click", SMALL.click_rate), ("conversion", SMALL.conversion_rate)):
        assert abs(train[task].mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / train.height)
    assert (train["conversion"] <= train["click"]).all()


def test_columns_look_like_those_of_the_real_set(train):
    assert train.columns == LAYOUT.columns
    distinct = [train[name].n_unique() for name in LAYOUT.categorical]
    assert all(found <= most for found, most in zip(distinct, CARDINALITIES, strict=True))
    assert sum(distinct) > sum(CARDINALITIES) - 5  # rare values may be absent from few rows
    numbers = train.select(LAYOUT.numerical)
    assert numbers.min().min_horizontal()[0] == 0
    assert numbers.max().max_horizontal()[0] <= 1
    constant = [name for name in LAYOUT.numerical if train[name].n_unique() == 1]
    assert constant == ["numerical_58", "numerical_59", "numerical_60"]
    assert (train["numerical_53"].round(6) == train["numerical_53"]).all()


def test_a_searchs_columns_are_the_same_in_its_rows(train):
    counts = train.group_by("search_id").agg(pl.all().n_unique())
    of_search = [f"categorical_{n}" for n in range(1, 10)] + [f"numerical_{n}" for n in range(1, 24)]
    assert counts.select(of_search).max().max_horizontal()[0] == 1
    assert counts["numerical_30"].max() > 1
    assert train.height / counts.height == pytest.approx(SMALL.rows_per_search, rel=0.1)


def test_train_and_test_share_no_search(raw, train):
    assert not set(train["search_id"]) & set(pl.read_csv(raw / "test.csv")["search_id"])


@pytest.mark.parametrize("conflict", [0.0, 0.25, 0.5, 0.6, 1.0])
def test_conflict_is_the_angle_between_the_scores(conflict):
    features = draw_features(2000, 5.0, 0, default_rng(1))
    model = TrueModel(features, conflict, 1.5, default_rng(2))
    click, conversion = model.scores(features)
    assert np.corrcoef(click, conversion)[0, 1] == pytest.approx(np.cos(np.pi * conflict), abs=1e-6)
    assert [click.std(), conversion.std()] == pytest.approx([1, 1], abs=1e-6)


def test_mean_probabilities_and_log_odds_are_as_asked():
    features = draw_features(2000, 5.0, 0, default_rng(1))
    model = TrueModel(features, 0.3, 1.5, default_rng(2))
    model.solve(features, 0.021, 0.0007)
    rates = model.probabilities(features)
    assert (rates.click.mean(), rates.conversion.mean()) == pytest.approx((0.021, 0.0007), rel=1e-6)
    assert np.log(rates.click / (1 - rates.click)).std() == pytest.approx(1.5, rel=1e-6)


def test_labels_can_be_learned_but_not_beyond_the_best_auc(tmp_path):
    config = SMALL.model_copy(update={"train_rows": 10_000, "test_rows": 10_000})
    config.generate(tmp_path)
    best = best_auc(tmp_path, config.split)["test"]
    rows = {side: pl.read_csv(tmp_path / f"{side}.csv") for side in ("train", "test")}
    inputs = {side: frame.select(LAYOUT.numerical).to_numpy() for side, frame in rows.items()}
    spread = inputs["train"].std(axis=0) + 1e-6
    for task in LAYOUT.tasks:
        model = LogisticRegression(C=0.01).fit(inputs["train"] / spread, rows["train"][task].to_numpy())
        reached = roc_auc_score(rows["test"][task], model.decision_function(inputs["test"] / spread))
        assert 0.62 < reached < best[task] < 0.9


def test_the_best_auc_is_that_of_each_split_as_prepared(raw, prepared):
    truth = pl.read_csv(raw / "truth.csv")
    for split, best in best_auc(raw, SMALL.split).items():
        rows = pl.read_parquet(prepared / f"{split}.parquet")
        expected = truth.filter(pl.col("search_id").is_in(set(rows["search_id"])))
        for task, value in best.items():
            assert value == pytest.approx(roc_auc_score(rows[task], expected[task]), abs=1e-12)


def test_the_same_configuration_gives_the_same_files_and_another_seed_does_not(raw, tmp_path):
    SMALL.generate(tmp_path / "same")
    SMALL.model_copy(update={"seed": 1}).generate(tmp_path / "other")
    for name in FILES:
        checksum = sha256_of(raw / name)
        assert sha256_of(tmp_path / "same" / name) == checksum != sha256_of(tmp_path / "other" / name)


def test_prepare_generates_once_and_again_for_another_configuration(raw, prepared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    schema = SMALL.prepare("synthetic_small", tmp_path / "out")
    assert schema.synthetic and schema.best_auc == best_auc(raw, SMALL.split)
    assert schema.raw == {name: sha256_of(raw / name) for name in FILES}
    assert sha256_of(tmp_path / "out" / "test.parquet") == sha256_of(prepared / "test.parquet")
    written = (tmp_path / "data/raw/synthetic_small/train.csv").stat().st_mtime_ns
    SMALL.prepare("synthetic_small", tmp_path / "out")
    assert (tmp_path / "data/raw/synthetic_small/train.csv").stat().st_mtime_ns == written
    other = SMALL.model_copy(update={"signal": 1.0}).prepare("synthetic_small", tmp_path / "out")
    assert other.raw != schema.raw


@pytest.mark.parametrize("name", FILES)
def test_a_generated_file_that_was_changed_is_refused(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    SMALL.generate(folder := Path("data/raw/synthetic_small"))
    content = bytearray((folder / name).read_bytes())
    content[-2] ^= 1  # another digit
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=rf"{name} has not the SHA-256 that generated.json beside it says.* delete"):
        SMALL.prepare("synthetic_small", tmp_path / "out")


@pytest.mark.parametrize("mark", ["", "[]", '{"options": {}}', '{"sha256": {"train.csv": "0"}}', "[" * 100_000])
def test_a_damaged_mark_has_the_files_generated_again(raw, tmp_path, monkeypatch, mark):
    monkeypatch.chdir(tmp_path)
    SMALL.generate(folder := Path("data/raw/synthetic_small"))
    (folder / MARK).write_text(mark)
    (folder / "train.csv").write_text("damaged, too")
    schema = SMALL.prepare("synthetic_small", tmp_path / "out")
    assert schema.raw == {name: sha256_of(raw / name) for name in FILES}


def test_generated_rows_are_never_called_real(raw, tmp_path):
    with pytest.raises(DataError, match="synthetic"):
        SMALL.prepare("aliexpress_nl", tmp_path / "out")
    assert not processed(raw).prepare("plain", tmp_path / "out").synthetic  # only the adapter knows


@pytest.mark.parametrize("rates", [(0.0, 0.0), (0.1, 0.2), (1.0, 0.5), (0.1, 0.1)])
def test_impossible_rates_are_refused(rates, tmp_path):
    config = SMALL.model_copy(update=dict(zip(("click_rate", "conversion_rate"), rates, strict=True)))
    with pytest.raises(DataError, match="0 < conversion_rate < click_rate < 1"):
        config.generate(tmp_path / "raw")
    assert is_generated(config, tmp_path / "raw") is False


@pytest.mark.parametrize("room", [0, 1000, 1_000_000])
def test_rows_are_generated_whole_or_not_at_all(tmp_path, room):
    output = tmp_path / "raw" / "synthetic_small"
    said = said_on_a_full_disk("generate", SMALL, output, room)
    assert f"{output}: cannot write" in said and "free disk space" in said
    assert not list(output.parent.iterdir())


def test_rows_that_cannot_be_generated_leave_those_that_were_there(raw, tmp_path):
    SMALL.generate(tmp_path / "out")
    before = {path.name: sha256_of(path) for path in (tmp_path / "out").iterdir()}
    assert set(before) == set(SMALL.generated)
    other = SMALL.model_copy(update={"seed": 1})
    said_on_a_full_disk("generate", other, tmp_path / "out", room=1_000_000)
    assert {path.name: sha256_of(path) for path in (tmp_path / "out").iterdir()} == before
    assert is_generated(SMALL, tmp_path / "out") and not is_generated(other, tmp_path / "out")
