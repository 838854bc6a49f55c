"""What is shown to a search, and the files that are refused because they are not of this test split."""

import numpy as np
import polars as pl
import pytest

from market_data import candidates
from mtbalance.config.datasets import HashSplit
from mtbalance.data import DataError
from mtbalance.data.adapters.synthetic import Synthetic
from mtbalance.studies.market.candidates import Candidates, read_candidates, read_predictions

SMALL = Synthetic(adapter="synthetic", train_rows=300, test_rows=400, click_rate=0.3, conversion_rate=0.1)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SMALL.prepare("synthetic_a", tmp_path / "data/processed/synthetic_a")
    return tmp_path / "data/raw/synthetic_a", tmp_path / "data/processed/synthetic_a"


def write(path, true: Candidates, **changed):
    """Predictions as a run keeps them, with some columns replaced."""
    rows = len(true.search)
    columns = {"row": np.arange(rows), "click": true.labels[:, 0], "conversion": true.labels[:, 1]}
    columns |= {"predicted_click": np.full(rows, 0.5, np.float32), "predicted_conversion": true.conversion}
    pl.DataFrame(columns | changed).write_parquet(path)
    return path


def test_a_search_is_shown_its_highest_product_of_probability_and_price():
    ones = np.ones(5)
    true = Candidates(np.array([7, 7, 2, 2, 9]), np.zeros((5, 2), np.int8), ones, ones, np.array([1, 3, 2, 2, 1.0]))
    assert true.shown(np.array([0.5, 0.2, 0.1, 0.1, 0.0])).tolist() == [
        2,
        1,
        4,
    ]  # searches 2, 7, 9; the first of equals
    assert true.shown(np.array([0.7, 0.2, 0.1, 0.2, 0.0])).tolist() == [3, 0, 4]


def test_truth_and_test_split_fit_row_by_row(project):
    """The labels were drawn from these probabilities: their mean by deciles of the truth follows it."""
    raw, prepared = project
    true = read_candidates(raw, prepared, SMALL.split)
    test = pl.read_parquet(prepared / "test.parquet")
    assert true.search.tolist() == test["search_id"].to_list()
    assert np.array_equal(true.labels, test.select("click", "conversion").to_numpy())
    for label, probability in zip(true.labels.T, (true.click, true.conversion), strict=True):
        assert label.sum() == pytest.approx(probability.sum(), abs=4 * np.sqrt((probability * (1 - probability)).sum()))
        high = probability > np.median(probability)
        assert label[high].mean() > label[~high].mean()


def test_a_truth_of_another_split_is_refused(project):
    raw, prepared = project
    with pytest.raises(DataError, match=r"truth\.csv does not have the .* searches of .*test\.parquet"):
        read_candidates(raw, prepared, HashSplit(seed=1))


def test_predictions_of_the_split_are_read(tmp_path):
    true = candidates()
    assert read_predictions(write(tmp_path / "p.parquet", true), true).tolist() == true.conversion.tolist()


REFUSED = {
    "has 1,199 rows, but the test split has 1,200": lambda true: Candidates(*(part[:-1] for part in true)),
    "have other labels than the test split": lambda true: true._replace(labels=true.labels[::-1]),
}


@pytest.mark.parametrize("said", REFUSED)
def test_predictions_of_another_split_are_refused(said, tmp_path):
    true = candidates()
    path = write(tmp_path / "seed-0.predictions.parquet", REFUSED[said](true))
    with pytest.raises(DataError, match=rf"seed-0\.predictions\.parquet.*{said}"):
        read_predictions(path, true)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"row": np.arange(1200)[::-1]}, "does not count from 0 to 1199"),
        ({"predicted_conversion": np.full(1200, np.nan)}, "of row 0 is not finite"),
    ],
)
def test_predictions_that_cannot_be_used_are_refused(changed, said, tmp_path):
    true = candidates()
    with pytest.raises(DataError, match=rf"p\.parquet.*{said}"):
        read_predictions(write(tmp_path / "p.parquet", true, **changed), true)


def test_a_missing_file_and_a_missing_column_are_named(tmp_path):
    true = candidates()
    with pytest.raises(DataError, match=r"none\.parquet has no predictions"):
        read_predictions(tmp_path / "none.parquet", true)
    pl.DataFrame({"row": [0]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match=r"other\.parquet has no predictions with the columns .*predicted_conversion"):
        read_predictions(tmp_path / "other.parquet", true)
