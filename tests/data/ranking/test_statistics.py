import numpy as np
import polars as pl
import pytest

from mtbalance.data import DataError
from mtbalance.data.ranking.statistics import Moments, Vocabularies


def test_moments_of_blocks_are_those_of_all_rows():
    random = np.random.default_rng(0)
    columns = {
        "far": (1e4 + random.random(5000)).astype(np.float32),  # a sum of squares in float32 would lose this
        "holes": np.where(random.random(5000) < 0.3, np.nan, random.normal(size=5000)).astype(np.float32),
        "constant": np.full(5000, 0.25, dtype=np.float32),
    }
    moments = Moments(list(columns))
    for rows in np.array_split(np.arange(5000), [1, 20, 21, 3000]):
        moments.add(pl.DataFrame({name: values[rows] for name, values in columns.items()}))
    for found in moments.result():
        values = columns[found.name].astype(np.float64)
        expected = [f(values) for f in (np.nanmean, np.nanstd, np.nanmin, np.nanmax)]
        assert [found.mean, found.std, found.min, found.max] == pytest.approx(expected, rel=1e-10)


def test_a_column_without_any_number_is_refused_by_name():
    moments = Moments(["empty"])
    moments.add(pl.DataFrame({"empty": [float("nan")] * 3}))
    with pytest.raises(DataError, match="empty"):
        moments.result()


def test_vocabularies_are_sorted_and_distinct_over_blocks():
    vocabularies = Vocabularies(["id", "word"])
    for ids, words in (([10, 9], ["b", ""]), ([9, 2], ["a", "b"])):
        vocabularies.add(pl.DataFrame({"id": ids, "word": words}))
    assert [column.vocabulary for column in vocabularies.result()] == [[2, 9, 10], ["", "a", "b"]]
