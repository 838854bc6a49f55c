"""Labels of a table of one's own: which cells make one, which rows have one, and how the numbers are counted."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from pydantic import ValidationError
from sample_data import all_rows, shared

from mtbalance.config.reading import checked
from mtbalance.data import DataError
from mtbalance.data.adapters.table import Table
from mtbalance.data.ranking.batches import RankingRows
from mtbalance.data.ranking.schema import RankingSchema
from mtbalance.data.ranking.table_labels import matches

PARAMS = Path(__file__).parents[3] / "params.yaml"
SPLITS = ("train", "valid", "test")
CLICK = {"column": "click", "positive": [1]}


def table(path: Path, tasks: dict, **changes) -> Table:
    block = {
        "adapter": "table",
        "files": {"all": {"path": str(path)}},
        "categorical": ["color"],
        "tasks": tasks,
        "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
    }
    return Table.model_validate(block | changes)


def visits(count: int = 400) -> pl.DataFrame:
    """Clicks in every second row, a purchase in half of these, money only where something was bought."""
    numbers = np.arange(count)
    click, bought = numbers % 2, numbers % 4 == 1
    return pl.DataFrame(
        {
            "row": numbers,
            "color": [("red", "green", "blue")[n % 3] for n in numbers],
            "click": click,
            "bought": pl.Series(bought).cast(pl.Int64).set(pl.Series(click == 0), None),
            "spent": pl.Series(np.where(bought, numbers / 8, np.nan), nan_to_null=True),
            "weight": 1.0 + numbers % 5,
        }
    )


def written(folder: Path, frame: pl.DataFrame, form: str = "csv") -> Path:
    path = folder / f"t.{form}"
    frame.write_csv(path) if form == "csv" else frame.write_parquet(path)
    return path


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "true"])
@pytest.mark.parametrize(
    "cells", [["1", "0", "2"], ["1.0", "0.0", "2.0"], ["true", "false", "?"], ["True", "False", "x"]]
)
def test_one_and_true_are_met_however_they_are_written(value, cells):
    assert matches(pl.Series(cells), [value]).to_list() == [True, False, False]


@pytest.mark.parametrize(
    ("values", "met"),
    [
        ([True], ["1", "true", "yes", "Yes", "on"]),
        ([False], ["0", "no", "off"]),
        (["yes"], ["yes"]),
        (["Yes"], ["Yes"]),
        ([7], ["7", "7.0", "7e0"]),
        (["007"], ["007"]),
        (["7"], ["7", "7.0", "7e0"]),
        ([0.5, "no"], ["no", "0.50"]),
        ([9007199254740993], []),
    ],
)
def test_a_value_meets_its_own_ways_of_writing_only(values, met):
    cells = [
        "1",
        "0",
        "true",
        "yes",
        "Yes",
        "on",
        "no",
        "off",
        "7",
        "7.0",
        "7e0",
        "007",
        "0.50",
        "9007199254740992",
        "",
    ]
    assert [cell for cell, found in zip(cells, matches(pl.Series(cells), values), strict=True) if found] == met


@pytest.mark.parametrize("positive", [[1], [True], ["1"], [1.0]])
def test_csv_and_parquet_give_the_same_labels(tmp_path, positive):
    frame = visits()
    forms = {
        "whole.csv": frame,
        "whole.parquet": frame,
        "decimal.parquet": frame.with_columns(pl.col("click").cast(pl.Float64)),
        "boolean.parquet": frame.with_columns(pl.col("click").cast(pl.Boolean)),
        "boolean.csv": frame.with_columns(pl.col("click").cast(pl.Boolean)),
    }
    for name, form in forms.items():
        path = tmp_path / name
        form.write_csv(path) if name.endswith("csv") else form.write_parquet(path)
        task = {"column": "click", "positive": positive}
        table(path, {"clicked": task}, numerical=["row"], group="row").prepare("t", tmp_path / f"{name}.out")
        rows = all_rows(tmp_path / f"{name}.out", *SPLITS).sort(pl.col("row").cast(pl.Int64))
        assert rows["clicked"].to_list() == frame["click"].to_list()


def test_limits_make_labels_of_a_number(tmp_path):
    tasks = {
        "late": {"column": "row", "above": 299},
        "early": {"column": "row", "below": 100},
        "between": {"column": "row", "above": 99, "below": 200},
    }
    table(written(tmp_path, visits()), tasks, categorical=["color"], numerical=["weight"]).prepare(
        "t", tmp_path / "out"
    )
    rows = all_rows(tmp_path / "out", *SPLITS)
    assert {task: rows[task].sum() for task in tasks} == {"late": 100, "early": 100, "between": 100}


def test_a_missing_label_does_not_count(tmp_path):
    tasks = {"click": CLICK, "bought": {"column": "bought", "positive": [1]}}
    schema = table(written(tmp_path, visits()), tasks).prepare("t", tmp_path / "out")
    for name, split in schema.splits.items():
        rows = pl.read_parquet(tmp_path / "out" / f"{name}.parquet")
        given = rows.filter(pl.col("bought") != 255)
        assert split.labels == {"click": split.rows, "bought": len(given)} and 0 < len(given) < split.rows
        assert split.rates["bought"] == split.positives["bought"] / len(given) == given["bought"].mean()
        targets = np.concatenate([b.targets[1].numpy() for b in RankingRows(tmp_path / "out", name).batches(64, None)])
        assert np.isnan(targets).sum() == split.rows - len(given) and np.nansum(targets) == split.positives["bought"]
    train = schema.splits["train"]
    assert f"bought {train.rates['bought']:.4%} of {train.labels['bought']:,} labels" in next(schema.lines())


def test_a_conversion_can_be_asked_within_clicks_or_over_the_whole_space(tmp_path):
    frame = visits().with_columns(pl.col("bought").fill_null(1))  # what the column says outside clicks does not matter
    inside = {"column": "bought", "positive": [1], "within": "click"}
    tasks = {"within": inside, "both": inside | {"outside": "negative"}, "click": CLICK}
    schema = table(written(tmp_path, frame), tasks).prepare("t", tmp_path / "out")
    rows = all_rows(tmp_path / "out", *SPLITS)
    assert rows["within"].value_counts().sort("within").rows() == [(0, 100), (1, 100), (255, 200)]
    assert rows["both"].value_counts().sort("both").rows() == [(0, 300), (1, 100)]
    assert [task.name for task in schema.tasks] == ["within", "both", "click"]


def test_a_regression_keeps_its_unit_and_is_scaled_for_its_loss(tmp_path):
    tasks = {
        "plain": {"column": "spent", "kind": "regression"},
        "log": {"column": "spent", "kind": "regression", "loss": "log1p", "title": "money"},
        "click": CLICK,
    }
    schema = table(written(tmp_path, visits()), tasks).prepare("t", tmp_path / "out")
    rows = pl.read_parquet(tmp_path / "out" / "train.parquet")["plain"].to_numpy()
    spent = rows[~np.isnan(rows)]
    plain, log, click = schema.tasks
    assert (plain.mean, plain.std) == pytest.approx((spent.mean(), spent.std()))
    assert (log.mean, log.std) == pytest.approx((np.log1p(spent).mean(), np.log1p(spent).std()))
    assert (plain.loss, log.loss, click.loss, log.title) == ("squared", "log1p", None, "money")
    assert schema.splits["train"].means == pytest.approx({"plain": spent.mean(), "log": spent.mean()})
    assert set(schema.splits["train"].rates) == {"click"}
    targets = next(RankingRows(tmp_path / "out", "train").batches(1000, None)).targets
    for target, task in zip(targets[:2], (plain, log), strict=True):
        scaled = target.double().numpy()
        assert (np.isnan(scaled) == np.isnan(rows)).all()
        assert (np.nanmean(scaled), np.nanstd(scaled)) == pytest.approx((0, 1), abs=1e-6)
        np.testing.assert_allclose(task.in_units(scaled), rows, rtol=1e-5)


def test_a_label_of_large_numbers_keeps_its_digits(tmp_path):
    frame = visits().with_columns(stamp=1.7e9 + pl.col("row") / 8)
    schema = table(written(tmp_path, frame), {"stamp": {"column": "stamp", "kind": "regression"}}).prepare(
        "t", tmp_path / "out"
    )
    target = next(RankingRows(tmp_path / "out", "test").batches(1000, None)).targets[0].double().numpy()
    expected = pl.read_parquet(tmp_path / "out" / "test.parquet")["stamp"].to_numpy()
    np.testing.assert_allclose(schema.tasks[0].in_units(target), expected, rtol=0, atol=1e-4)


def test_weights_go_with_the_labels(tmp_path):
    tasks = {"click": CLICK, "bought": {"column": "bought", "positive": [1]}}
    table(written(tmp_path, visits()), tasks, weight="weight").prepare("t", tmp_path / "out")
    rows = pl.read_parquet(tmp_path / "out" / "train.parquet")
    batches = list(RankingRows(tmp_path / "out", "train").batches(50, np.random.default_rng(0)))
    for task, target in zip(("click", "bought"), zip(*(b.targets for b in batches), strict=True), strict=True):
        found = np.concatenate([part.numpy() for part in target])
        pairs = sorted(zip(np.nan_to_num(found[:, 0], nan=255), found[:, 1], strict=True))
        assert pairs == sorted(zip(rows[task].cast(pl.Float64), rows["weight"], strict=True))


def test_thirty_two_tasks_keep_their_order(tmp_path):
    order = np.random.default_rng(0).permutation(32)
    tasks = {f"t{n}": {"column": "row", "above": float(5 * n + 100)} for n in order}
    schema = table(written(tmp_path, visits()), tasks, numerical=["weight"]).prepare("t", tmp_path / "out")
    assert [task.name for task in RankingSchema.read(tmp_path / "out").tasks] == list(tasks)
    assert [schema.splits["train"].positives[task] > 0 for task in tasks] == [True] * 32


@pytest.mark.parametrize(
    ("task", "key", "says"),
    [
        ({"column": "x"}, "positive", "needs the values that are positive, or a limit"),
        ({"column": "x", "positive": [1], "above": 1}, "positive", "needs the values"),
        ({"column": "x", "positive": []}, "positive", "names no value"),
        ({"column": "x", "above": 2, "below": 1}, "above", "no number lies above 2 and below 1"),
        ({"column": "x", "positive": [1], "loss": "huber"}, "loss", "is for kind: regression"),
        ({"column": "x", "positive": [1], "outside": "negative"}, "outside", "acts only with within"),
        ({"column": "x", "kind": "regression", "positive": [1]}, "positive", "leave it out of a regression"),
        ({"column": "x", "kind": "regression", "below": 1}, "below", "leave it out of a regression"),
        ({"column": "x", "positive": [1], "within": "nobody"}, "within", "no other binary task; there are b, c"),
        ({"column": "x", "positive": [1], "within": "a"}, "within", "no other binary task; there are b, c"),
        ({"column": "x", "positive": [1], "within": "d"}, "within", "no other binary task"),
        ({"column": "x", "positive": [1], "within": "c"}, "within", "goes round in a circle: a, "),
    ],
)
def test_what_makes_no_label_is_refused_by_its_key(tmp_path, task, key, says):
    others = {
        "b": {"column": "b", "positive": [1], "within": "a"},
        "c": {"column": "c", "positive": [1], "within": "b"},
        "d": {"column": "d", "kind": "regression"},
    }
    with pytest.raises(ValidationError, match=says) as caught:
        table(tmp_path / "t.csv", {"a": task} | others)
    assert key in str(caught.value)


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["row"], "row: files of predictions have a column of this name; choose another name"),
        (["click", "mean"], "mean: tables have an average of this name; choose another name"),
        (["predicted_click", "click"], "predicted_click: predictions of 'click' have this name; choose another"),
    ],
)
def test_a_name_that_something_else_has_is_refused(tmp_path, names, says):
    with pytest.raises(ValidationError, match=says):
        table(tmp_path / "t.csv", dict.fromkeys(names, CLICK))


@pytest.mark.parametrize(
    ("column", "cell", "task", "says"),
    [
        ("spent", "much", {"kind": "regression"}, "row 12 .*, column spent: 'much' is not a finite number"),
        ("spent", "-2", {"kind": "regression", "loss": "log1p"}, "row 12 .*, column spent: '-2' is not above -1"),
        ("spent", "inf", {"above": 3}, "row 12 .*, column spent: 'inf' is not a finite number"),
        ("weight", "", None, "row 12 .*, column weight: '' is no weight"),
        ("weight", "-1", None, "row 12 .*, column weight: '-1' is no weight"),
    ],
)
def test_a_bad_label_or_weight_is_named(tmp_path, column, cell, task, says):
    path = written(tmp_path, visits())
    lines = path.read_text().splitlines()
    cells = lines[11].split(",")
    cells[lines[0].split(",").index(column)] = cell
    path.write_text("\n".join([*lines[:11], ",".join(cells), *lines[12:]]) + "\n")
    tasks = {"click": CLICK} if task is None else {"spent": {"column": "spent"} | task}
    with pytest.raises(DataError, match=f"t.csv: {says}"):
        table(path, tasks, weight="weight").prepare("t", tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "task", "says"),
    [
        (
            {"click": 0},
            {"column": "click", "positive": [1]},
            "task 'x': no row has 1, which `positive` names, in column 'click'",
        ),
        ({"click": None}, {"column": "click", "positive": [1]}, "task 'x': no row of split 'train' has a label"),
        ({"spent": 3.0}, {"column": "spent", "kind": "regression"}, "task 'x': every label of split 'train' is 3"),
        ({"weight": 0}, {"column": "click", "positive": [1]}, "'weight': every training row has weight 0"),
    ],
)
def test_a_task_that_cannot_be_learned_is_refused(tmp_path, changes, task, says):
    frame = visits().with_columns(**{name: pl.lit(value) for name, value in changes.items()})
    with pytest.raises(DataError, match=says):
        table(written(tmp_path, frame), {"x": task}, weight="weight").prepare("t", tmp_path / "out")


def test_the_workflow_prepares_tasks_in_the_order_of_params(tmp_path):
    from mtbalance.config.datasets import Dataset
    from mtbalance.workflow.data import DataFiles

    block = table(written(tmp_path, visits()), {"z": CLICK, "a": {"column": "bought", "positive": [1]}})

    class Parameters:
        datasets = {"t": block}

    handed = checked(Table, DataFiles(Parameters()).dataset_config("t"))
    assert isinstance(handed, Dataset) and list(handed.task_names()) == ["z", "a"]
    by_hand, by_workflow = (one.prepare("t", tmp_path / name) for name, one in (("hand", block), ("flow", handed)))
    assert by_hand == by_workflow


def test_river_flow_is_eight_numbers_at_eight_gauges(tmp_path):
    block = yaml.safe_load(PARAMS.read_text())["datasets"]["river_flow"]
    raw = {role: shared(f"river_flow/rf1_{role}.parquet") for role in block["files"]}
    for role, path in raw.items():
        block["files"][role]["path"] = str(path)
    schema = Table.model_validate(block).prepare("river_flow", tmp_path / "out")
    tasks = block["tasks"]
    assert [task.name for task in schema.tasks] == list(tasks) and len(tasks) == 8
    expected = pl.read_parquet(raw["train"])[[task["column"] for task in tasks.values()]].to_numpy()
    parts = [next(RankingRows(tmp_path / "out", split).batches(10_000, None)).targets for split in ("train", "valid")]
    columns = [np.concatenate([part[place].double().numpy() for part in parts]) for place in range(8)]
    found = np.stack([t.in_units(values) for t, values in zip(schema.tasks, columns, strict=True)], axis=1)
    for ours, theirs in zip(np.sort(found, axis=0).T, np.sort(expected, axis=0).T, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    assert sum(split.rows for split in schema.splits.values()) == 4108 + 5017
