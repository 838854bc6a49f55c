import re

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from sample_data import all_rows

from mtbalance.data import DataError
from mtbalance.data.adapters.table import Table
from mtbalance.data.ranking.batches import RankingRows
from mtbalance.faults import fault_lines

ROWS = 600
FRAME = pl.DataFrame(
    {
        "user": [f"user {n % 200 if n < 400 else n}" for n in range(ROWS)],
        "age": [n % 50 for n in range(ROWS)],
        "gain": [0.0 if n % 4 else float(n) ** 3 for n in range(ROWS)],
        "debt": [None if n % 10 == 0 else -float(n % 7) for n in range(ROWS)],
        "note": ["nobody needs this"] * ROWS,
        "label": [n % 3 == 0 for n in range(ROWS)],
    }
)


def prepared(tmp_path, frame: pl.DataFrame = FRAME, **changes):
    """The schema, and by split the stored rows with the ids and numbers that a model gets."""
    frame.write_parquet(tmp_path / "t.parquet")
    block = {
        "adapter": "table",
        "files": {"all": {"path": str(tmp_path / "t.parquet")}},
        "tasks": {"task": {"column": "label", "positive": ["true"]}},
        "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
    }
    schema = Table.model_validate(block | changes).prepare("t", tmp_path / "out")
    found = {}
    for split in schema.splits:
        (batch,) = RankingRows(tmp_path / "out", split).batches(ROWS, None)
        found[split] = (all_rows(tmp_path / "out", split), *(part.numpy() for part in batch.inputs))
    return schema, found


def test_log1p_keeps_the_sign(tmp_path):
    schema, found = prepared(
        tmp_path, numerical=["age", *({"column": name, "form": "log1p"} for name in ("gain", "debt"))]
    )
    rows, ids, numbers = found["train"]
    raw = FRAME.with_columns(pl.col("gain").log1p(), -(-pl.col("debt")).log1p())
    for place, name in enumerate(("age", "gain", "debt")):
        column = schema.numerical[place]
        expected = (rows[name].to_numpy() - column.mean) / column.std
        assert numbers[:, place] == pytest.approx(np.nan_to_num(expected), abs=1e-5)
        assert set(rows[name].fill_nan(None).drop_nulls().round(3)) <= set(raw[name].cast(pl.Float32).round(3))
    assert ids.shape == (rows.height, 0)


def test_a_quantile_is_a_place_among_the_training_values(tmp_path):
    schema, found = prepared(tmp_path, numerical=[{"column": "gain", "form": "quantile"}, "age"])
    (column, age) = schema.numerical
    assert (column.form, age.form) == ("quantile", "number")
    assert column.knots[0] == 0 and sorted(column.knots) == column.knots
    rows, _, numbers = found["test"]
    expected = np.interp(rows["gain"].to_numpy(), column.knots, np.linspace(-1, 1, len(column.knots)))
    assert numbers[:, 0] == pytest.approx(expected, abs=1e-6)
    assert (numbers[rows["gain"].to_numpy() == 0, 0] == -1).all() and numbers[:, 0].max() > 0.5


def test_bins_are_categories_between_quantiles(tmp_path):
    schema, found = prepared(tmp_path, categorical=["user"], numerical=[{"column": "debt", "form": "bins"}, "gain"])
    assert [column.name for column in schema.binned] == ["debt"] and schema.binned[0].knots == [
        -6,
        -5,
        -4,
        -3,
        -2,
        -1,
        0,
    ]
    assert schema.table_sizes == [len(schema.categorical[0].vocabulary) + 1, 8]
    rows, ids, numbers = found["valid"]
    debt = rows["debt"].to_numpy()
    assert (ids[:, 1] == np.where(np.isnan(debt), 0, np.nan_to_num(debt) + 7)).all() and (ids[:, 1] == 0).any()
    assert numbers.shape == (rows.height, 1)


def test_a_missing_number_can_be_marked(tmp_path):
    schema, found = prepared(tmp_path, numerical=["age", {"column": "debt", "mark_missing": True}])
    assert [column.name for column in schema.categorical] == ["debt (missing)"]
    for rows, ids, _ in found.values():
        marked = np.array([schema.categorical[0].vocabulary[place - 1] for place in ids[:, 0]])
        assert ((marked == "missing") == rows["debt"].is_nan().to_numpy()).all()


def test_a_column_can_be_a_number_and_a_category(tmp_path):
    schema, found = prepared(tmp_path, numerical=["age"], categorical=["age"])
    rows, ids, numbers = found["test"]
    assert [column.name for column in schema.categorical] == ["age (category)"]
    assert rows["age (category)"].cast(pl.Float32).to_list() == rows["age"].to_list()
    assert ids.shape == numbers.shape == (rows.height, 1)


def test_rare_values_are_unknown_ones(tmp_path):
    schema, found = prepared(tmp_path, categorical=[{"column": "user", "at_least": 2}])
    rows, ids, _ = found["train"]
    counts = rows["user"].value_counts()
    expected = counts.filter(pl.col("count") >= 2)["user"].sort().to_list()
    assert schema.categorical[0].vocabulary == expected and 0 < len(expected) < counts.height
    assert ((ids[:, 0] == 0) == rows["user"].is_in(expected).not_().to_numpy()).all()


def test_a_column_of_rare_values_alone_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"datasets\.\w+: column 'user': no value is in 500 .* lower its `at_least` under `categorical`"
    ):
        prepared(tmp_path, categorical=[{"column": "user", "at_least": 500}])


def test_buckets_keep_equal_values_together(tmp_path):
    schema, found = prepared(tmp_path, categorical=["user", {"column": "age", "buckets": 16}])
    rows = pl.concat([rows for rows, *_ in found.values()])
    assert schema.categorical[1].name == "age (bucket)" and len(schema.categorical[1].vocabulary) <= 16
    assert rows["age (bucket)"].n_unique() > 10
    ages = FRAME.select("user", "age").unique()
    by_user = rows.select("user", "age (bucket)").unique().join(ages, on="user")
    assert by_user.group_by("user").len()["len"].max() <= ages.group_by("user").len()["len"].max() ** 2
    single = by_user.filter(pl.len().over("user") == 1)
    assert single.group_by("age").agg(pl.col("age (bucket)").n_unique())["age (bucket)"].max() == 1


def test_a_forgotten_column_is_said_and_an_ignored_one_is_not(tmp_path):
    schema, _ = prepared(tmp_path, numerical=["age", "gain"], categorical=["user"], ignore={"debt": "arrives late"})
    assert schema.unused_columns == ["note"]
    assert any("nothing uses the columns note" in line for line in schema.lines())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ": no features: name `categorical` or `numerical`"),
        ({"numerical": ["age", {"column": "age", "form": "bins"}]}, "numerical: age: named more than once"),
        (
            {"categorical": [{"column": "age", "at_least": 2, "buckets": 9}]},
            "categorical.0.buckets: a column has `at_le",
        ),
        ({"numerical": ["label"]}, "tasks.task.column: 'label' is also a feature and would leak the label"),
        ({"numerical": ["age"], "ignore": {"age": "a leak"}}, "ignore.age: this column is a feature, too"),
        ({"numerical": [{"column": "age", "from": "bins"}]}, "numerical.0.from: unknown key; .*did you mean form"),
        ({"numerical": [{"column": "age", "form": "log"}]}, "numerical.0.form: Input should be .* not 'log'"),
    ],
)
def test_features_that_contradict_themselves_are_refused(changes, says):
    raw = {
        "adapter": "table",
        "files": {"all": {"path": "t.csv"}},
        "tasks": {"task": {"column": "label", "positive": ["true"]}},
        "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
    } | changes
    with pytest.raises(ValidationError) as caught:
        Table.model_validate(raw)
    assert re.search(says, "\n".join(fault_lines(caught.value, raw)))
