import numpy as np
import polars as pl

from mtbalance.data.ranking.knots import MOST_KNOTS, fitted_knots, knots_of


def test_few_distinct_values_are_all_knots():
    values = np.tile(np.array([5, 1, 3, np.nan], dtype=np.float32), 100)
    assert knots_of(values) == [1, 3, 5]


def test_many_values_have_knots_at_quantiles():
    values = np.random.default_rng(0).permutation(10_000).astype(np.float32)
    knots = knots_of(values)
    assert len(knots) <= 100 and (knots[0], knots[-1]) == (0, 9999)
    assert np.diff(knots).max() < 2.5 * 10_000 / 50
    assert set(knots) <= set(values.tolist())


def test_rare_values_have_knots_beside_a_frequent_one():
    random = np.random.default_rng(0)
    rare = random.integers(1, 3000, size=4000)
    values = np.where(np.arange(100_000) % 25 == 0, np.resize(rare, 100_000), 0).astype(np.float32)
    knots = knots_of(values)
    assert knots[0] == 0 and MOST_KNOTS / 3 < len(knots) <= MOST_KNOTS


def test_knots_are_fitted_on_row_groups_of_the_whole_file(tmp_path):
    frame = pl.DataFrame({"a": np.arange(4000, dtype=np.float32), "b": np.full(4000, np.nan, dtype=np.float32)})
    frame.write_parquet(tmp_path / "t.parquet", row_group_size=100)
    knots = fitted_knots(tmp_path / "t.parquet", ["a", "b"])
    assert (knots["a"][0], knots["a"][-1]) == (0, 3999) and knots["b"] == []
