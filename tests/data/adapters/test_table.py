import gzip
import math
import zipfile
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml
from pydantic import TypeAdapter
from sample_data import all_rows, shared

from mtbalance.config.datasets import AnyDataset
from mtbalance.data import DataError
from mtbalance.data.adapters.table import Table
from mtbalance.data.ranking.schema import RankingSchema

PARAMS = Path(__file__).parents[3] / "params.yaml"
SPLITS = ("train", "valid", "test")


def table(path: Path, **changes) -> Table:
    block = {
        "adapter": "table",
        "files": {"all": {"path": str(path)}},
        "categorical": ["color"],
        "numerical": ["size"],
        "missing": ["", "?"],
        "tasks": {"buy": {"column": "bought", "positive": ["yes"]}},
        "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
    }
    return Table.model_validate(block | changes)


def some_rows(count: int = 300) -> list[list[str]]:
    colors = ["red", "green", "?", "", "deep blue"]
    return [
        [colors[n % 5], "?" if n % 7 == 0 else f"{n / 8}", "yes" if n % 3 else "no", f"person {n // 4}"]
        for n in range(count)
    ]


def write(path: Path, rows: list[list[str]], header: str | None = "color,size,bought,who", comma=", ") -> Path:
    lines = ([] if header is None else [header]) + [comma.join(row) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def census(tmp_path_factory):
    block = yaml.safe_load(PARAMS.read_text())["datasets"]["census_income"]
    block["files"]["all"]["path"] = str(shared("census_income/census-income.test.gz"))
    output = tmp_path_factory.mktemp("census") / "out"
    TypeAdapter(AnyDataset).validate_python(block).prepare("census_income", output)
    return output


def test_census_counts_are_the_known_ones(census):
    schema = RankingSchema.read(census)
    totals = {task: sum(f.positives[task] for f in schema.splits.values()) for task in ("income", "never_married")}
    assert totals == {"income": 6186, "never_married": 43143}
    rows = {split: facts.rows for split, facts in schema.splits.items()}
    assert sum(rows.values()) == 99_762
    assert [rows[split] / 99_762 for split in SPLITS] == pytest.approx([0.6, 0.2, 0.2], abs=0.005)
    assert schema.tasks[0].title == "income over 50K"


def test_census_values_are_trimmed_texts_and_numbers(census):
    names = TypeAdapter(AnyDataset).validate_python(yaml.safe_load(PARAMS.read_text())["datasets"]["census_income"])
    with gzip.open(shared("census_income/census-income.test.gz"), "rt") as stream:
        expected = [dict(zip(names.columns, line.rstrip("\n").split(", "), strict=True)) for line in stream]
    found = all_rows(census, *SPLITS)
    for name in ("education", "migration_msa", "year"):
        assert sorted(found[name]) == sorted(row[name].strip() for row in expected)
    assert found["age"].cast(pl.Float64).sum() == sum(float(row["age"]) for row in expected)
    assert found["capital_gains"].sort().to_list() == sorted(float(row["capital_gains"]) for row in expected)


def test_missing_values_are_one_category_and_no_number(tmp_path):
    schema = table(write(tmp_path / "t.csv", some_rows())).prepare("t", tmp_path / "out")
    rows = all_rows(tmp_path / "out", *SPLITS)
    assert schema.categorical[0].vocabulary == ["", "deep blue", "green", "red"]
    assert (rows["color"] == "").sum() == 120
    assert rows["size"].is_nan().sum() == 43
    train = rows[: schema.splits["train"].rows]["size"].fill_nan(None)
    assert schema.numerical[0].mean == pytest.approx(train.cast(pl.Float64).mean())
    assert schema.splits["train"].groups is None


@pytest.mark.parametrize("form", ["gz", "zip", "parquet", "headerless", "semicolons"])
def test_every_form_gives_the_same_rows(tmp_path, form):
    plain = write(tmp_path / "t.csv", some_rows())
    names, changes = ["color", "size", "bought", "who"], {}
    if form == "gz":
        path = tmp_path / "t.csv.gz"
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif form == "zip":
        path = tmp_path / "t.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(plain, "t.csv")
    elif form == "parquet":
        path = tmp_path / "t.parquet"
        colors, sizes, bought, who = zip(*some_rows(), strict=True)
        numbers = [None if size == "?" else float(size) for size in sizes]
        colors = [None if color in ("", "?") else color for color in colors]
        pl.DataFrame([colors, numbers, bought, who], schema=names).write_parquet(path)
    elif form == "headerless":
        path, changes = write(tmp_path / "h.csv", some_rows(), header=None), {"columns": names}
    else:
        path = write(tmp_path / "s.csv", some_rows(), header="color;size;bought;who", comma=" ;")
        changes = {"separator": ";"}
    table(plain).prepare("t", tmp_path / "plain")
    table(path, **changes).prepare("t", tmp_path / form)
    for split in SPLITS:
        assert all_rows(tmp_path / form, split).equals(all_rows(tmp_path / "plain", split), null_equal=True)


def test_texts_are_stored_with_dictionaries(tmp_path):
    table(write(tmp_path / "t.csv", some_rows())).prepare("shop", tmp_path / "out")
    group = pq.read_metadata(tmp_path / "out" / "train.parquet").row_group(0)
    color, size = group.column(0), group.column(1)
    assert ("RLE_DICTIONARY" in color.encodings, "RLE_DICTIONARY" in size.encodings) == (True, False)


def test_groups_stay_together(tmp_path):
    schema = table(write(tmp_path / "t.csv", some_rows()), group="who").prepare("t", tmp_path / "out")
    people = [set(pl.read_parquet(tmp_path / "out" / f"{split}.parquet")["who"]) for split in SPLITS]
    assert sum(map(len, people)) == len(set.union(*people)) == 75
    assert schema.splits["train"].groups == len(people[0])


def test_rows_without_a_group_are_in_all_splits(tmp_path):
    rows = some_rows()
    gaps = [[*cells, who if n % 2 else "?"] for n, (*cells, who) in enumerate(rows)]
    table(write(tmp_path / "gaps.csv", gaps), group="who").prepare("t", tmp_path / "out")
    table(write(tmp_path / "t.csv", rows), group="who").prepare("t", tmp_path / "whole")
    for split in SPLITS:
        found, whole = (all_rows(tmp_path / name, split)["who"].to_list() for name in ("out", "whole"))
        assert found.count("?") >= 15 and set(found) - {"?"} <= set(whole), "the others are where they were"


def test_a_folder_is_refused_by_its_name(tmp_path):
    (tmp_path / "rows.csv").mkdir()
    found = table(tmp_path / "rows.csv")
    for ask in (found.look, lambda: found.prepare("t", tmp_path / "out")):
        with pytest.raises(DataError, match=r"rows\.csv is a folder; name one file, and join the rows of several"):
            ask()


def test_equal_rows_stay_together_without_a_group(tmp_path):
    table(write(tmp_path / "t.csv", some_rows() * 3)).prepare("t", tmp_path / "out")
    for split in SPLITS:
        counts = all_rows(tmp_path / "out", split).group_by(pl.all()).len()
        assert (counts["len"] % 3 == 0).all()


def test_a_train_file_is_cut_into_train_and_valid_and_the_test_file_stays_whole(tmp_path):
    files = {
        "train": {"path": str(write(tmp_path / "train.csv", some_rows(300)))},
        "test": {"path": str(write(tmp_path / "test.csv", some_rows(100)))},
    }
    sizes = [float("nan") if row[1] == "?" else float(row[1]) for row in some_rows(100)]
    schema = table(tmp_path, files=files, split={"train": 0.8, "valid": 0.2}).prepare("t", tmp_path / "out")
    rows = {split: facts.rows for split, facts in schema.splits.items()}
    assert rows["train"] + rows["valid"] == 300
    assert rows["valid"] / 300 == pytest.approx(0.2, abs=0.06)
    assert all_rows(tmp_path / "out", "test")["size"].to_list() == pytest.approx(sizes, nan_ok=True)


@pytest.mark.parametrize(
    ("row", "cells", "says"),
    [
        (
            42,
            ["red", "tall", "yes", "x"],
            r"row 42 .*, column size: 'tall' is not .*; the column holds '\?', .* and 25",
        ),
        (42, ["red", "inf", "yes", "x"], r"row 42 .*, column size: 'inf' is not a finite number"),
        (42, ["red", "1", "yes"], r"row 42 .* has 3 cells instead of 4"),
        (42, ["red", "1", "yes", "x", "y"], r"row 42 .* has 5 cells instead of 4"),
    ],
)
def test_a_bad_cell_is_named(tmp_path, row, cells, says):
    rows = some_rows()
    rows[row - 2] = cells
    with pytest.raises(DataError, match=rf"t.csv: {says}"):
        table(write(tmp_path / "t.csv", rows)).prepare("t", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"numerical": ["size", "weight"]}, "t.csv has no column 'weight'; it has"),
        ({"group": "team"}, "t.csv has no column 'team'"),
        (
            {"tasks": {"buy": {"column": "bought", "positive": ["maybe"]}}},
            r"task 'buy': no row has 'maybe', which `positive` names, in column 'bought'; it holds 'yes', 'no'",
        ),
        (
            {"tasks": {"size": {"column": "bought", "positive": ["yes"]}}},
            r"columns \['size'\] have two roles",
        ),
        ({"split": {"train": 1 - 2e-12, "valid": 1e-12, "test": 1e-12}}, "no rows for split 'valid'"),
        ({"columns": ["color", "size", "size", "bought"]}, r"names \['size'\] occur twice"),
    ],
)
def test_a_wrong_configuration_is_explained(tmp_path, changes, says):
    path = write(tmp_path / "t.csv", some_rows())
    with pytest.raises(DataError, match=says):
        table(path, **changes).prepare("t", tmp_path / "out")


def test_a_look_finds_missing_columns_of_files_that_are_there(tmp_path):
    path = tmp_path / "t.csv"
    wrong = table(path, numerical=["size", "weight"])
    wrong.look()
    write(path, some_rows())
    table(path).look()
    with pytest.raises(DataError, match=r"t\.csv has no column 'weight'; it has"):
        wrong.look()


def test_a_positive_value_that_no_row_has_is_said(tmp_path):
    path = write(tmp_path / "t.csv", some_rows())
    schema = table(path, tasks={"buy": {"column": "bought", "positive": ["yes", 1, "Yes "]}}).prepare(
        "t", tmp_path / "out"
    )
    assert schema.unmet == {"buy": ["1", "'Yes '"]}
    assert "t: warning: no row has 1, 'Yes ', which tasks.buy.positive names" in schema.lines()


def test_values_that_only_test_rows_have_are_said_if_they_are_many(tmp_path):
    path = write(tmp_path / "t.csv", some_rows())
    by_color = {"column": "color", "train": ["red", "green"], "valid": ["?"], "test": ["deep blue", ""]}
    schema = table(path, categorical=["color", {"column": "who", "at_least": 2}], split=by_color).prepare(
        "t", tmp_path / "out"
    )
    assert schema.new_values["color"] == 1
    train, test = (pl.read_parquet(tmp_path / f"out/{split}.parquet") for split in ("train", "test"))
    often = train["who"].value_counts().filter(pl.col("count") >= 2)["who"]
    assert schema.new_values["who"] == round(1 - test["who"].is_in(often.implode()).mean(), 4)
    said = "t: warning: 100.0% of the test rows have a value of 'color' that too few training rows have, or none"
    assert any(line.startswith(said) for line in schema.lines())
    assert table(path, categorical=["color"]).prepare("t", tmp_path / "other").new_values == {}


def test_a_task_with_few_positive_test_rows_is_warned_of(tmp_path):
    path = write(tmp_path / "t.csv", some_rows(1000))
    schema = table(path).prepare("t", tmp_path / "out")
    rare = {name: split.rows - split.positives["buy"] for name, split in schema.splits.items()}
    (said,) = [line for line in schema.lines() if "few rows" in line]
    assert f"the rarer label of buy has few rows, {rare['valid']} in valid and {rare['test']} in test" in said
    error = math.sqrt(1 / 12 / min(rare["valid"], rare["test"]))
    assert f"a standard error of up to {error:.2f}" in said
    many = table(write(tmp_path / "many.csv", some_rows(4000))).prepare("many", tmp_path / "other")
    assert not [line for line in many.lines() if "few rows" in line]


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_text("nothing")
    with pytest.raises(DataError, match=r"t.parquet cannot be read as Parquet"):
        table(path).prepare("t", tmp_path / "out")


def test_a_damaged_parquet_is_refused_in_one_line(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"color": ["red"] * 9, "size": [1.5] * 9, "bought": ["yes"] * 9}).write_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[:4] + bytes(40) + content[44:])
    with pytest.raises(DataError, match=r"t\.parquet cannot be read as Parquet with plain columns: \w+") as refused:
        table(path).prepare("t", tmp_path / "out")
    assert "\n" not in str(refused.value)


def test_labels_that_cannot_be_learned_are_told_with_the_file(tmp_path):
    path = write(tmp_path / "t.csv", [["red", "1", "no", "any"]] * 300)
    with pytest.raises(DataError, match=r"t\.csv: task 'buy': no row has 'yes'.*; it holds 'no'$"):
        table(path).prepare("t", tmp_path / "out")


def test_a_truncated_gz_is_refused(tmp_path):
    content = gzip.compress(write(tmp_path / "t.csv", some_rows(3000)).read_bytes())
    path = tmp_path / "t.csv.gz"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"t.csv.gz cannot be read to its end"):
        table(path).prepare("t", tmp_path / "out")
