import gzip
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
import yaml
from pydantic import TypeAdapter, ValidationError
from sample_data import all_rows, shared

from mtbalance.config.datasets import AnyDataset
from mtbalance.data import DataError
from mtbalance.data.adapters.table import Table
from mtbalance.data.ranking.table_plain import plain
from mtbalance.faults import fault_lines

PARAMS = Path(__file__).parents[3] / "params.yaml"
SPLITS = ("train", "valid", "test")
FRAME = pl.DataFrame(
    {
        "number": [n / 8 for n in range(400)],
        "count": [n % 11 for n in range(400)],
        "flag": [n % 3 == 0 for n in range(400)],
        "word": [["a", "b", None][n % 3] for n in range(400)],
        "day": [f"2026-{1 + n % 12:02}-{1 + n % 7:02}" for n in range(400)],
        "label": [n % 2 for n in range(400)],
    }
)
BLOCK = {
    "adapter": "table",
    "categorical": ["word"],
    "numerical": ["number"],
    "ignore": {"count": "a test", "flag": "a test", "day": "a test"},
    "tasks": {"task": {"column": "label", "positive": ["1"]}},
    "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
}


def table(path: Path, frame: pl.DataFrame = FRAME, **changes) -> Table:
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path)
    return Table.model_validate({"files": {"all": {"path": str(path)}}} | BLOCK | changes)


def numbers(folder: Path) -> dict[str, list[float]]:
    """The numbers of the rows of each split."""
    return {split: all_rows(folder, split)["number"].to_list() for split in SPLITS}


def test_csv_and_parquet_have_the_same_splits(tmp_path):
    """However numbers are written: CSV has 1, 0.1250 and True where Parquet has 1.0, a float32 and a boolean."""
    gaps = FRAME.with_columns(pl.when(pl.col("count") != 5).then("count"))
    parquet = gaps.with_columns(pl.col("count").cast(pl.Float64), pl.col("number").cast(pl.Float32))
    flags = pl.col("flag").cast(pl.String).str.to_titlecase()
    csv = gaps.with_columns(flags, pl.col("number").map_elements(lambda number: f"{number:.4f}", pl.String))
    for name, frame in (("rows.csv", csv), ("rows.parquet", parquet)):
        table(tmp_path / name, frame).prepare("t", tmp_path / name.partition(".")[2])
    assert numbers(tmp_path / "csv") == numbers(tmp_path / "parquet")


def test_cells_are_written_in_one_way():
    cells = ["1", "1.0", "01", "1e0", None, "", "?", "True", "0.50", "x", "nan", "-0.0"]
    expected = ["1", "1", "1", "1", "", "", "", "true", "0.5", "x", "nan", "0"]
    assert plain(pl.Series("cells", cells), ["?"]).to_list() == expected


def test_the_census_is_written_in_this_way_already():
    """So its splits are those that versions before this one made of the texts as they are."""
    with gzip.open(shared("census_income/census-income.test.gz"), "rt") as stream:
        cells = pl.Series("cells", sorted({cell.strip() for line in stream for cell in line.split(",")}))
    assert plain(cells).equals(cells)


def test_by_time_the_last_share_is_test(tmp_path):
    block = {"split": {"train": 0.5, "valid": 0.3, "test": 0.2, "time": "number"}}
    table(tmp_path / "t.csv", FRAME.sample(fraction=1, shuffle=True, seed=0), **block).prepare("t", tmp_path / "out")
    found = {split: sorted(values) for split, values in numbers(tmp_path / "out").items()}
    assert found == {
        "train": FRAME["number"][:200].to_list(),
        "valid": FRAME["number"][200:320].to_list(),
        "test": FRAME["number"][320:].to_list(),
    }


def test_times_of_several_zones_and_forms_are_in_the_order_of_their_moments(tmp_path):
    """One row a minute, as the clocks of five places write it."""
    start = datetime(2026, 3, 28, 20, tzinfo=UTC)
    hours, forms = (9, 0, -8, 5.5, 1), ("{}T{}{}", "{} {}Z", "{} {} {}", "{}T{}.25{}", "{} {}{}")
    zones = [timezone(timedelta(hours=hour)) for hour in hours]
    times = []
    for n in range(400):
        moment = (start + timedelta(minutes=n)).astimezone(zones[n % 5])
        zone = moment.isoformat()[-6:].replace(":", "" if n % 3 else ":")
        times.append(forms[n % 5].format(moment.date(), f"{moment:%H:%M:%S}", zone))
    frame = FRAME.drop("day").with_columns(pl.Series("day", times)).sample(fraction=1, shuffle=True, seed=0)
    split = {"split": {"train": 0.5, "valid": 0.3, "test": 0.2, "time": "day"}}
    table(tmp_path / "t.csv", frame, **split, ignore={"count": "", "flag": ""}).prepare("t", tmp_path / "out")
    found = {name: sorted(values) for name, values in numbers(tmp_path / "out").items()}
    assert list(found.values()) == [FRAME["number"][a:b].to_list() for a, b in ((0, 200), (200, 320), (320, 400))]


def test_rows_of_one_day_stay_together(tmp_path):
    schema = table(tmp_path / "t.parquet", split=BLOCK["split"] | {"time": "day"}).prepare("t", tmp_path / "out")
    assert schema.split_rule == "train, valid and test: by time in day"
    days = dict(FRAME.select("number", "day").iter_rows())
    parts = [[days[number] for number in values] for values in numbers(tmp_path / "out").values()]
    assert max(parts[0]) < min(parts[1]) and max(parts[1]) < min(parts[2])
    assert [len(part) / 400 for part in parts] == pytest.approx([0.6, 0.2, 0.2], abs=0.03)


def test_by_the_values_of_a_column(tmp_path):
    split = {"column": "count", "train": [0, 1, 2, 3, 4, 5, 6, 7], "valid": ["8.0"], "test": [9, 10]}
    table(tmp_path / "t.csv", split=split).prepare("t", tmp_path / "out")
    counts = dict(FRAME.select("number", "count").iter_rows())
    parts = {name: {counts[number] for number in values} for name, values in numbers(tmp_path / "out").items()}
    assert parts == {"train": set(range(8)), "valid": {8}, "test": {9, 10}}


def test_a_time_cuts_valid_from_the_end_of_the_train_file(tmp_path):
    files = {side: {"path": str(tmp_path / f"{side}.csv")} for side in ("train", "test")}
    FRAME[:300].write_csv(files["train"]["path"])
    split = {"train": 0.9, "valid": 0.1, "time": "number"}
    table(tmp_path / "test.csv", FRAME[300:], files=files, split=split).prepare("t", tmp_path / "out")
    expected = {"train": FRAME["number"][:270], "valid": FRAME["number"][270:300], "test": FRAME["number"][300:]}
    assert numbers(tmp_path / "out") == {name: values.to_list() for name, values in expected.items()}


@pytest.mark.parametrize("name", ["train.csv", "train.parquet"])
def test_rows_in_order_cut_valid_from_the_end_of_the_train_file(tmp_path, name):
    files = {"train": {"path": str(tmp_path / name)}, "test": {"path": str(tmp_path / "test.csv")}}
    table(tmp_path / name, FRAME[:300][::-1])
    split = {"train": 0.9, "valid": 0.1, "in_order": True}
    schema = table(tmp_path / "test.csv", FRAME[300:], files=files, split=split).prepare("t", tmp_path / "out")
    assert schema.split_rule == "train and valid: the train file, in the order of the rows; test: the test file"
    found = {split: sorted(values) for split, values in numbers(tmp_path / "out").items()}
    expected = {"train": FRAME["number"][30:300], "valid": FRAME["number"][:30], "test": FRAME["number"][300:]}
    assert found == {name: values.to_list() for name, values in expected.items()}


def test_three_files_are_three_splits(tmp_path):
    files = {side: {"path": str(tmp_path / f"{side}.csv")} for side in SPLITS}
    for number, side in enumerate(SPLITS):
        FRAME[number * 100 : number * 100 + 50].write_csv(files[side]["path"])
    block = {key: value for key, value in BLOCK.items() if key != "split"} | {"files": files}
    schema = Table.model_validate(block).prepare("t", tmp_path / "out")
    assert [schema.splits[side].rows for side in SPLITS] == [50, 50, 50]
    assert numbers(tmp_path / "out")["valid"] == FRAME["number"][100:150].to_list()


TWO = {"train": {"path": "a.csv"}, "test": {"path": "b.csv"}}
THREE = TWO | {"valid": {"path": "c.csv"}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"split": {"train": 0.6, "valid": 0.2, "test": 0.1}}, "split: the shares of train, valid, test sum to 0.9"),
        ({"split": {"train": 0.6, "valid": 0.4}}, "split.test: missing"),
        ({"split": {"train": 1, "valid": 0, "test": 0}}, "split.valid: no row would go here"),
        ({"tasks": {}}, "tasks: no tasks"),
        ({"categorical": [], "numerical": []}, "no features: name `categorical` or `numerical`"),
        ({"files": {"train": {"path": "a.csv"}}}, "files: needs `all`, or `train` and `test`"),
        ({"files": TWO}, "split.test: the files train, test decide which rows these are"),
        ({"files": THREE}, "split.train: the files train, test, valid decide"),
        ({"split": BLOCK["split"] | {"time": "day"}, "group": "word"}, "group: rows of a group can be in several"),
        ({"split": BLOCK["split"] | {"time": "day", "seed": 1}}, "split.seed: nothing is drawn"),
        ({"split": BLOCK["split"] | {"in_order": True, "seed": 1}}, "split.seed: nothing is drawn where `in_order`"),
        ({"split": BLOCK["split"] | {"in_order": True}, "group": "word"}, "group: rows of a group can be in several"),
        (
            {"split": BLOCK["split"] | {"time": "day", "in_order": True}},
            "split.in_order: rows are split by `time` or by",
        ),
        ({"split": BLOCK["split"] | {"column": "count"}}, "split.train: list the values of column 'count'"),
        ({"split": {"train": [1], "valid": [2], "test": [3]}}, "split.train: these are values: say of which `column`"),
        ({"split": {"train": [1, 2], "valid": [2], "test": [3], "column": "count"}}, "the values 2 are listed more"),
    ],
)
def test_a_split_that_contradicts_itself_is_refused(tmp_path, changes, says):
    raw = BLOCK | {"files": {"all": {"path": "t.csv"}}} | changes
    with pytest.raises(ValidationError) as caught:
        Table.model_validate(raw)
    assert any(says in line for line in fault_lines(caught.value, raw))


@pytest.mark.parametrize(
    ("split", "says"),
    [
        (BLOCK["split"] | {"time": "word"}, "row 2 .*, column word: 'a' is no time: .*; the column holds 'a', 'b', ''"),
        ({"column": "word", "train": ["a"], "valid": ["b"], "test": ["c"]}, "column word: '' is in no list of `split`"),
        (BLOCK["split"] | {"time": "hour"}, "has no column 'hour'"),
    ],
)
def test_a_cell_that_decides_nothing_is_named(tmp_path, split, says):
    with pytest.raises(DataError, match=says):
        table(tmp_path / "t.csv", split=split).prepare("t", tmp_path / "out")


def test_the_official_census_files_are_split_as_published(tmp_path):
    block = yaml.safe_load(PARAMS.read_text())["datasets"]["census_income_official"]
    for side, name in (("train", "data"), ("test", "test")):
        path = tmp_path / f"{side}.csv"
        with gzip.open(shared(f"census_income/census-income.{name}.gz"), "rt") as stream:
            path.write_text("".join(islice(stream, 2000)))
        block["files"][side] = {"path": str(path)}
    schema = TypeAdapter(AnyDataset).validate_python(block).prepare("census", tmp_path / "out")
    rows = {split: facts.rows for split, facts in schema.splits.items()}
    assert rows["test"] == 2000 == rows["train"] + rows["valid"]
    assert rows["valid"] == pytest.approx(200, abs=50)
    assert schema.unused_columns == []
