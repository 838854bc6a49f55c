"""Raw rows get the probabilities that the run kept for them, and what is wrong with rows is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from kept_models import Kept, predicted
from mtbalance.data import DataError
from mtbalance.data.ranking.schema import Categorical
from mtbalance.errors import UserError
from mtbalance.inference.model import open_model
from mtbalance.inference.predicting import Unknown, _find_other_ways, predictions, write_predictions

EACH = pytest.mark.parametrize("name", ["rows", "visits", "amounts"])


def write(path: Path, frame: pd.DataFrame, separator: str = ";") -> Path:
    frame.to_csv(path, sep=separator, index=False)
    return path


@pytest.fixture
def visits(kept: dict[str, Kept]) -> pd.DataFrame:
    return pd.read_csv(kept["visits"].raw, sep=";", dtype=str, keep_default_na=False)


@EACH
def test_the_rows_of_the_test_split_get_the_predictions_that_the_run_kept(kept, name: str):
    ours = predicted(kept[name].model, kept[name].test)
    before = pd.read_parquet(kept[name].predictions)
    assert list(ours["row"]) == list(before["row"]) and len(ours) > 100
    for column in ours.columns[1:]:
        np.testing.assert_allclose(ours[column], before[column], atol=1e-5)
        assert ours[column].std() > 1e-3  # the test can fail: predictions differ from row to row


def test_csv_with_other_columns_gz_and_parquet_are_one_table(kept, visits, tmp_path):
    whole = predicted(kept["visits"].model, kept["visits"].raw)
    alone = visits.drop(columns=["visit", "note", "bought", "returned"]).sort_index(axis=1)
    with gzip.open(tmp_path / "alone.csv.gz", "wt") as stream:
        alone.to_csv(stream, sep=";", index=False)
    alone.assign(pages=alone["pages"].astype(int)).to_parquet(tmp_path / "alone.parquet")
    for file in ("alone.csv.gz", "alone.parquet"):
        pd.testing.assert_frame_equal(predicted(kept["visits"].model, tmp_path / file), whole)


def test_whole_numbers_are_read_without_labels_and_searches(kept, tmp_path):
    rows = pd.read_csv(kept["rows"].raw, dtype=str)
    bare = rows[[name for name in rows if name.startswith(("categorical", "numerical"))]]
    ours = predicted(kept["rows"].model, write(tmp_path / "bare.csv", bare, ","))
    pd.testing.assert_frame_equal(ours, predicted(kept["rows"].model, kept["rows"].raw))


def test_unknown_values_are_counted_named_and_all_alike(kept, visits, tmp_path):
    rows = pd.concat([visits.head(6)] * 2, ignore_index=True).assign(device="phone")
    rows["country"] = ["BE", "FR", "BE", "LU", "NL", "UK"] * 2
    unknown = Unknown()
    ours = predicted(kept["visits"].model, write(tmp_path / "rows.csv", rows), unknown)
    said = "country: 10 of 12 rows have a value that no training row had ('BE', 'FR', 'LU', ...); the model takes it as"
    assert [line.startswith(said) for line in unknown.lines()] == [True]
    unknown = Unknown()
    same = predicted(kept["visits"].model, write(tmp_path / "same.csv", rows.assign(country="XX")), unknown)
    pd.testing.assert_frame_equal(ours.drop([4, 10]), same.drop([4, 10]))
    said = (
        "warning: country: NONE of 12 rows has a value that a training row had ('XX'); the model takes all as unknown"
    )
    assert [line.startswith(said) for line in unknown.lines()] == [True]


def test_a_code_is_the_same_written_as_a_float(kept, visits, tmp_path):
    """As pandas writes whole numbers as soon as one is missing, and as Parquet has them then."""
    pages = [*visits["pages"].head(19).astype(float), np.nan]
    rows, floats = visits.head(20).copy(), visits.head(20).assign(pages=pages)
    rows["pages"] = [*rows["pages"].head(19), ""]
    floats.to_parquet(tmp_path / "floats.parquet")
    unknown = Unknown()
    files = write(tmp_path / "rows.csv", rows), write(tmp_path / "floats.csv", floats), tmp_path / "floats.parquet"
    ours, *others = (predicted(kept["visits"].model, file, unknown) for file in files)
    for other in others:
        pd.testing.assert_frame_equal(ours, other)
    assert list(unknown.lines()) == [
        "pages (category): 3 of 60 rows have a value that no training row had (''); the model takes it as unknown"
    ]


def test_columns_and_numbers_that_are_missing_are_named(kept, visits, tmp_path):
    model = kept["visits"].model
    with pytest.raises(DataError, match=r"rows\.csv has no column 'device'; it has visit, country"):
        predicted(model, write(tmp_path / "rows.csv", visits.drop(columns="device")))
    with pytest.raises(DataError, match=r"no column 'country'; it has visit,c.*; .* separated by commas, not by ';'"):
        predicted(model, write(tmp_path / "rows.csv", visits, ","))
    with pytest.raises(DataError, match=r"no column 'categorical_.*; .* separated by semicolons, not by ','"):
        predicted(kept["rows"].model, write(tmp_path / "rows.csv", pd.read_csv(kept["rows"].raw), ";"))
    bad = visits.head(4).assign(pages=["1", "2", "many", "4"])
    said = r"rows\.csv: row 4 \(the file's first line is row 1\), column pages: 'many' is not a finite number"
    with pytest.raises(DataError, match=said):
        predicted(model, write(tmp_path / "rows.csv", bad))
    rows = pd.read_csv(kept["rows"].raw, dtype=str).head(3).assign(categorical_2=["1", "1.5", "2"])
    with pytest.raises(DataError, match=r"row 3 .*\(categorical_2\): '1\.5' is not a whole number"):
        predicted(kept["rows"].model, write(tmp_path / "rows.csv", rows, ","))
    with pytest.raises(DataError, match=r"nothing\.csv is not here"):
        predicted(model, tmp_path / "nothing.csv")


def test_predictions_have_the_digits_of_float32(kept, tmp_path):
    """Of probabilities and of numbers alike: no digit that the model did not compute."""
    model = open_model(kept["amounts"].model)
    for name in ("out.csv", "out.parquet"):
        write_predictions(predictions(model, kept["amounts"].test, Unknown()), tmp_path / name)
    stored = pd.read_parquet(tmp_path / "out.parquet")
    texts = pd.read_csv(tmp_path / "out.csv", dtype=str)
    for column in ("predicted_pages", "predicted_bought", "predicted_speed"):
        assert stored[column].dtype == np.float32
        assert texts[column].astype(np.float32).equals(stored[column])
        assert max(len(text.lstrip("-0.").replace(".", "")) for text in texts[column]) <= 9


def test_a_file_is_written_whole_or_not_at_all(kept, visits, tmp_path):
    model = open_model(kept["visits"].model)
    write(tmp_path / "rows.csv", visits)
    for output in (tmp_path / "out.parquet", tmp_path / "out.csv"):
        write_predictions(predictions(model, tmp_path / "rows.csv", Unknown()), output)
    found = [pd.read_parquet(tmp_path / "out.parquet"), pd.read_csv(tmp_path / "out.csv")]
    pd.testing.assert_frame_equal(*found, check_dtype=False, rtol=1e-6)
    assert list(found[0].columns) == ["row", "predicted_bought", "predicted_returned"]
    write(tmp_path / "rows.csv", visits.assign(pages="none"))
    with pytest.raises(DataError):
        write_predictions(predictions(model, tmp_path / "rows.csv", Unknown()), tmp_path / "bad.parquet")
    assert not list(tmp_path.glob("*bad*"))
    with pytest.raises(UserError, match=r"out\.txt: predictions are written as \.parquet or \.csv"):
        write_predictions(iter(()), tmp_path / "out.txt")


def test_truth_values_are_found_as_pandas_and_parquet_write_them():
    member = Categorical(name="member", vocabulary=["false", "true"])
    ids = np.zeros((4, 1), np.int32)
    _find_other_ways(pa.table({"member": ["True", "False", "yes", "TRUE"]}), ids, [member])
    assert ids.ravel().tolist() == [2, 1, 0, 0]
