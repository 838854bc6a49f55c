import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sample_data import all_rows, processed, shared

from mtbalance.config.datasets import HashSplit, RawFile
from mtbalance.data import DataError
from mtbalance.data.adapters.aliexpress import AliExpress
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.ranking.aliexpress_layout import LAYOUT
from mtbalance.data.ranking.schema import RankingSchema


@pytest.fixture
def broken(raw, tmp_path):
    """Copies of the raw files to be spoiled."""
    for side in ("train", "test"):
        shutil.copy(raw / f"{side}.csv", tmp_path / f"{side}.csv")
    return tmp_path


def real_sample() -> AliExpress:
    files = {
        f"{side}_csv": RawFile(path=str(shared(f"aliexpress_sample/aliexpress_{side}_sample.csv")))
        for side in ("train", "test")
    }
    return AliExpress(adapter="aliexpress", country="NL", **files)


def assert_same_values(found: pl.DataFrame, expected: pd.DataFrame) -> None:
    assert found.columns == list(expected.columns)
    for name in found.columns:
        values = found.get_column(name).to_numpy()
        assert (values == expected[name].to_numpy().astype(values.dtype)).all(), name


def test_real_rows_are_reproduced_exactly(tmp_path):
    """The test side is both samples: the 20 rows of one cannot be cut so that both parts have all labels."""
    config = real_sample()
    both = [Path(file.path).read_text() for file in (config.train_csv, config.test_csv)]
    (tmp_path / "test.csv").write_text(both[0].rstrip("\n") + "\n" + both[1].partition("\n")[2])
    config = config.model_copy(update={"test_csv": RawFile(path=str(tmp_path / "test.csv"))})
    schema = config.prepare("sample", tmp_path / "out")
    assert_same_values(all_rows(tmp_path / "out", "train"), pd.read_csv(config.train_csv.path))
    # the rows of test are cut in two; each part keeps their order
    rows, expected = all_rows(tmp_path / "out", "valid", "test"), pd.read_csv(config.test_csv.path)
    order = [*expected.search_id.isin(set(rows["search_id"][: schema.splits["valid"].rows]))]
    expected = pd.concat([expected[order], expected[~np.array(order)]])
    assert_same_values(rows, expected)
    counts = schema.splits["train"]
    assert (counts.rows, counts.groups, counts.positives) == (100, 41, {"click": 60, "conversion": 2})
    assert [task.title for task in schema.tasks] == ["CTR", "CTCVR"]


def test_types_and_schema_are_those_of_the_rows(raw, prepared):
    rows = pl.read_parquet(prepared / "train.parquet")
    types = [pl.Int64, *[pl.Int32] * 16, *[pl.Float32] * 63, pl.UInt8, pl.UInt8]
    assert (rows.columns, rows.dtypes) == (LAYOUT.columns, types)
    schema = RankingSchema.read(prepared)
    assert schema.categorical[6].vocabulary == sorted(set(rows["categorical_7"]))
    number = schema.numerical[8]
    expected = rows["numerical_9"].cast(pl.Float64)
    assert (number.mean, number.std) == pytest.approx((expected.mean(), expected.std(ddof=0)), rel=1e-12)
    assert schema.splits["train"].rates["click"] == rows["click"].mean()
    assert schema.splits["train"].groups == rows["search_id"].n_unique()
    for split, facts in schema.splits.items():
        assert facts.sha256 == sha256_of(prepared / f"{split}.parquet")
    assert schema.raw == {name: sha256_of(raw / name) for name in ("train.csv", "test.csv")}


def test_a_search_is_in_one_split_and_the_seed_says_in_which(raw, prepared, tmp_path):
    other = processed(raw).model_copy(update={"split": HashSplit(seed=1)})
    other.prepare("small", tmp_path / "other")
    searches = [
        {split: set(pl.read_parquet(folder / f"{split}.parquet")["search_id"]) for split in ("valid", "test")}
        for folder in (prepared, tmp_path / "other")
    ]
    assert all(not found["valid"] & found["test"] for found in searches)
    assert searches[0]["valid"] != searches[1]["valid"]
    assert 0.4 < len(searches[0]["valid"]) / len(set.union(*searches[0].values())) < 0.6


def test_ids_written_as_decimals_are_the_same_ids(broken, prepared):
    rows = pl.read_csv(broken / "train.csv")
    rows.with_columns(pl.col("categorical_7", "click").cast(pl.Float64)).write_csv(broken / "train.csv")
    processed(broken).prepare("decimals", broken / "out")
    assert sha256_of(broken / "out" / "train.parquet") == sha256_of(prepared / "train.parquet")


def spoil(path, row: int, column: str, text: str) -> None:
    """Put ``text`` into a cell; the header is row 1."""
    lines = path.read_text().split("\n")
    cells = lines[row - 1].split(",")
    cells[LAYOUT.columns.index(column)] = text
    lines[row - 1] = ",".join(cells)
    path.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("column", "text", "says"),
    [
        ("numerical_5", "abc", "'abc' is not a number"),
        ("numerical_5", "", "'' is empty"),
        ("categorical_3", "-1", "'-1' is negative"),
        ("click", "3", "'3' is above 1"),
        ("search_id", "1.5", "'1.5' is not a whole number"),
    ],
)
def test_a_bad_cell_is_named_and_nothing_is_left(broken, column, text, says):
    spoil(broken / "test.csv", 1234, column, text)
    with pytest.raises(DataError, match=rf"test.csv: row 1234 .*\({column}\): {says}"):
        processed(broken).prepare("broken", broken / "new" / "out")
    assert not list((broken / "new").iterdir())


def test_an_error_leaves_the_finished_output_as_it_was(broken):
    processed(broken).prepare("fine", broken / "out")
    before = {path.name: path.read_bytes() for path in (broken / "out").iterdir()}
    assert sorted(before) == ["schema.json", "test.parquet", "train.parquet", "valid.parquet"]
    spoil(broken / "test.csv", 77, "numerical_1", "?")
    with pytest.raises(DataError, match="row 77"):
        processed(broken).prepare("fine", broken / "out")
    assert {path.name: path.read_bytes() for path in (broken / "out").iterdir()} == before
    assert not list(broken.glob(".out*"))


def test_a_conversion_without_a_click_is_refused(broken):
    spoil(broken / "train.csv", 500, "click", "0")
    spoil(broken / "train.csv", 500, "conversion", "1")
    with pytest.raises(DataError, match=r"train.csv: row 500 .* conversion 1 and click 0"):
        processed(broken).prepare("broken", broken / "out")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("numerical_7,", "", "column numerical_7 is missing"),
        ("numerical_7,", "size,", "has size where numerical_7 should be"),
        ("conversion\n", "conversion,extra\n", "has extra where nothing should be"),
        ("numerical_7,numerical_8", "numerical_8,numerical_7", "has numerical_8 where numerical_7 should be"),
    ],
)
def test_another_header_is_refused(broken, old, new, says):
    path = broken / "train.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=says):
        processed(broken).prepare("broken", broken / "out")


@pytest.mark.parametrize(("rows", "says"), [(0, "is empty"), (1, "has no rows")])
def test_empty_files_are_refused(broken, rows, says):
    path = broken / "test.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:rows]))
    with pytest.raises(DataError, match=rf"test.csv {says}"):
        processed(broken).prepare("broken", broken / "out")


def test_a_task_without_positives_is_refused(broken):
    rows = pl.read_csv(broken / "train.csv")
    rows.with_columns(conversion=pl.lit(0)).write_csv(broken / "train.csv")
    with pytest.raises(DataError, match="task 'conversion': every label of split 'train' is 0; it cannot be learned"):
        processed(broken).prepare("broken", broken / "out")


@pytest.mark.parametrize("label", [0, 1])
def test_a_task_that_cannot_be_judged_is_refused_before_anything_is_trained(broken, label):
    rows = pl.read_csv(broken / "test.csv")
    rows.with_columns(click=pl.lit(1), conversion=pl.lit(label)).write_csv(broken / "test.csv")
    said = r"task 'click': every label of split 'valid' is 1; it cannot be judged; look at `split`"
    with pytest.raises(DataError, match=said):
        processed(broken).prepare("broken", broken / "out")
    assert not (broken / "out").exists()


def test_a_wrong_checksum_is_refused(broken):
    file = RawFile(path=str(broken / "train.csv"), sha256="0" * 64)
    config = processed(broken).model_copy(update={"train_csv": file})
    with pytest.raises(DataError, match=r"train.csv has SHA-256 .*, not 0000"):
        config.prepare("broken", broken / "out")


def test_a_damaged_file_is_called_that_even_where_a_row_shows_it_first(broken):
    spoil(broken / "test.csv", 5, "numerical_1", "?")
    file = RawFile(path=str(broken / "test.csv"), sha256="0" * 64)
    config = processed(broken).model_copy(update={"test_csv": file})
    with pytest.raises(DataError, match=r"test.csv has SHA-256 .*, not 0000") as error:
        config.prepare("broken", broken / "out")
    assert "row 5" in str(error.value.__context__)
    assert not (broken / "out").exists()


def test_without_raw_data_the_message_says_what_to_place_where(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = AliExpress(adapter="aliexpress", country="ES")
    with pytest.raises(DataError) as error:
        config.prepare("aliexpress_es", tmp_path / "out")
    for part in ("74690", "aliexpress_ES_datasets.zip", "_ES/train.csv", "AliExpress_ES.zip", "datasets.aliexpress_es"):
        assert part in str(error.value)
