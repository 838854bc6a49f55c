import gzip

import numpy as np
import polars as pl
import pytest
import yaml

from mtbalance.data import DataError
from mtbalance.data.adapters.table import Table
from mtbalance.data.guess.alone import auc_alone
from mtbalance.data.guess.draft import draft, key
from mtbalance.data.guess.look import look
from mtbalance.data.guess.roles import roles

ROWS = 400
RANDOM = np.random.default_rng(0)
CLICK = RANDOM.random(ROWS) < 0.4
FRAME = pl.DataFrame(
    {
        "visit": [f"v{n:04}" for n in range(ROWS)],
        "day": [f"2026-01-{1 + n % 28:02}" for n in range(ROWS)],
        "shop": ["north"] * ROWS,
        "country": RANDOM.choice(["NL", "ES", "FR"], ROWS),
        "minutes": [None if n % 8 == 0 else f"{RANDOM.random():.3f}" for n in range(ROWS)],
        "points": np.where(np.arange(ROWS) == 7, 1e6, RANDOM.integers(0, 50, ROWS)),
        "member": RANDOM.choice(["yes", "no"], ROWS),
        "paid": np.where(CLICK, RANDOM.random(ROWS) + 1, 0).round(2),
        "reason": np.where(CLICK, "cart", "none"),
        "click": np.where(CLICK, "True", "False"),
        "liked": RANDOM.choice(["0", "1"], ROWS),
    }
)


@pytest.fixture
def seen(tmp_path):
    FRAME.write_csv(tmp_path / "visits.csv", null_value="NA")
    return look(tmp_path / "visits.csv")


def block(seen, name="visits", wishes=()) -> dict:
    return yaml.safe_load(draft(seen, roles(seen, wishes), name)["datasets"])[name]


def test_every_column_has_the_expected_role(seen):
    found = block(seen)
    assert list(found["tasks"]) == ["click", "liked"]
    assert found["tasks"]["click"] == {"column": "click", "positive": ["True"]}
    assert found["tasks"]["liked"]["positive"] == ["1"]
    assert found["numerical"] == [
        {"column": "minutes", "mark_missing": True},
        {"column": "points", "form": "log1p"},
    ]
    assert found["categorical"] == ["country", "member"]
    assert list(found["ignore"]) == ["visit", "day", "shop", "paid", "reason"]
    assert "suspected leak: alone it gives click an AUC of 1.000" in found["ignore"]["paid"]
    assert found["missing"] == ["", "NA"]


CODES = {
    "zipCode": ([f"{n % 90 + 10_000}" for n in range(2000)], "codes, as the word zip in the name says"),
    "store": ([f"{n % 30:03}" for n in range(2000)], "codes: some begin with 0"),
    "kind": ([f"{n % 20}" for n in range(2000)], "few whole numbers: codes?"),
    "branch_id": ([f"{7 * min(n % 1500, 1100)}" for n in range(2000)], "codes, as the word id in the name says"),
}
AMOUNTS = {
    "age": [f"{n % 21}" for n in range(2000)],
    "humid": [f"{n % 300}" for n in range(2000)],
    "code_share": [f"{n / 3:.2f}" for n in range(2000)],
    "share": [f"0.{n % 9}" for n in range(2000)],
}


def test_whole_numbers_that_look_like_codes_are_categories_and_the_comment_says_why(tmp_path):
    label = {"label": RANDOM.choice(["yes", "no"], 2000)}
    codes = {name: cells for name, (cells, _) in CODES.items()}
    pl.DataFrame(codes | AMOUNTS | label).write_csv(tmp_path / "t.csv")
    seen = look(tmp_path / "t.csv")
    found = block(seen)
    assert found["categorical"] == ["zipCode", "store", "kind", {"column": "branch_id", "at_least": 5}]
    assert found["numerical"] == list(AMOUNTS)
    lines = [line for line in draft(seen, roles(seen), "t")["datasets"].splitlines() if line.startswith("    - ")]
    for line, (_, reason) in zip(lines[-4:], CODES.values(), strict=True):
        assert reason in line
    assert not any("codes" in line for line in lines[:-4])


def test_few_numbers_with_few_rows_each_are_amounts(tmp_path):
    pl.DataFrame({"rooms": [n % 5 for n in range(240)], "label": ["yes", "no"] * 120}).write_csv(tmp_path / "t.csv")
    assert block(look(tmp_path / "t.csv"))["numerical"] == ["rooms"]


def test_a_code_that_tells_the_label_is_a_leak_whatever_its_order(tmp_path):
    kinds = [n // 2 % 6 for n in range(600)]
    label = ["yes" if kind in (0, 3, 4) else "no" for kind in kinds]
    pl.DataFrame({"kind": kinds, "x": np.arange(600) / 7, "label": label}).write_csv(tmp_path / "t.csv")
    assert "suspected leak" in block(look(tmp_path / "t.csv"))["ignore"]["kind"]


def test_comments_say_what_was_seen(seen):
    text = draft(seen, roles(seen), "visits")["datasets"]
    assert "12.5% missing" in text and "member could be one, too: it holds 'no', 'yes'" in " ".join(text.split()) + " "
    assert "split: {time: day, train: 0.6" in text


@pytest.mark.parametrize("form", ["semicolons", "gz", "parquet"])
def test_what_is_written_can_be_prepared(tmp_path, form):
    path = tmp_path / {"semicolons": "t.csv", "gz": "t.csv.gz", "parquet": "t.parquet"}[form]
    if form == "parquet":
        FRAME.write_parquet(path)
    elif form == "gz":
        path.write_bytes(gzip.compress(FRAME.write_csv().encode()))
    else:
        FRAME.write_csv(path, separator=";")
    schema = Table.model_validate(block(look(path))).prepare("visits", tmp_path / "out")
    assert [task.name for task in schema.tasks] == ["click", "liked"]
    assert sum(split.rows for split in schema.splits.values()) == ROWS and schema.unused_columns == []


def test_a_leak_is_seen_in_either_direction_and_an_id_is_none(seen):
    columns = {column.name: column for column in seen.columns}
    assert auc_alone(columns["paid"], ~CLICK) == auc_alone(columns["paid"], CLICK) == 1
    assert auc_alone(columns["reason"], CLICK) == 1
    assert auc_alone(columns["visit"], CLICK) == 0.5
    assert 0.5 <= auc_alone(columns["country"], CLICK) + 0.1 < 0.75


def test_two_columns_of_one_label_are_one_task(tmp_path):
    FRAME.select("country", "member", pl.col("click"), pl.col("click").alias("target")).write_csv(tmp_path / "t.csv")
    found = block(look(tmp_path / "t.csv"))
    assert list(found["tasks"]) == ["member", "target"] and list(found["ignore"]) == ["click"]


def test_a_table_without_labels_of_two_values_asks_for_a_task_and_says_how(tmp_path):
    pl.DataFrame({"x": np.arange(300) / 7, "grade": ["a", "b", "b", "c"] * 75}).write_csv(tmp_path / "t.csv")
    with pytest.raises(DataError, match=r"say what is predicted, such as --task 'grade is b' or --task 'x above 21.4'"):
        block(look(tmp_path / "t.csv"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a\n1\n", r"t.csv has one column, \['a'\]"),
        (
            "a,b\n1,2.5\n2,3.5\n" + "".join(f"{n},{n}.5\n" for n in range(40)),
            "no column has two values, so say what is",
        ),
        ("a,b\n1,0\n1,1\n", "no column is left that could be a feature"),
        ("a,b\n1,0\n1\n", r"t.csv: row 3 .* has 1 cells instead of 2"),
    ],
)
def test_a_table_that_gives_nothing_to_train_on_is_refused(tmp_path, content, says):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(DataError, match=says):
        block(look(tmp_path / "t.csv"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"t.csv is no file"):
        look(tmp_path / "t.csv")


@pytest.mark.parametrize(("text", "name"), [("My Table-2", "my_table_2"), ("2026 sales", "table_2026_sales")])
def test_names_are_plain(text, name):
    assert key(text) == name


def test_that_a_number_is_missing_can_be_the_leak(tmp_path):
    spent = [f"{RANDOM.random():.3f}" if click else None for click in CLICK]
    FRAME.select("country", "click").with_columns(pl.Series("spent", spent)).write_csv(tmp_path / "t.csv")
    assert block(look(tmp_path / "t.csv"))["ignore"]["spent"] == "suspected leak: alone it gives click an AUC of 1.000"


def test_counts_and_columns_of_users_are_offered(tmp_path):
    rows = 4000
    users, orders = np.arange(rows) // 3, np.arange(rows) % 4
    pl.DataFrame({"who": users, "orders": orders, "rare": orders * (users == 7), "y": users % 2}).write_csv(
        tmp_path / "t.csv"
    )
    text = draft(look(tmp_path / "t.csv"), roles(look(tmp_path / "t.csv")), "visits")["datasets"]
    assert "# orders: {column: orders, above: 0}    # 75.0% are above 0" in text and "# rare:" not in text
    assert "\n  # group: who " in text and "# group: orders" not in text


def test_rows_of_a_user_stay_together(tmp_path):
    rows = 4000
    users, shops, y = np.arange(rows) // 3, (np.arange(rows) * 7 % 3999) // 3, RANDOM.random(rows) < 0.5
    pl.DataFrame({"user_id": users, "shop": shops, "y": y}).write_csv(tmp_path / "t.csv")
    found = block(look(tmp_path / "t.csv"), "t")
    assert found["group"] == "user_id" and found["numerical"] == ["shop"] and "categorical" not in found
    pl.DataFrame({"user": users, "member": shops, "y": y}).write_csv(tmp_path / "t.csv")
    assert "group" not in block(look(tmp_path / "t.csv"), "t"), "which of two, only the owner knows"


def test_a_leak_that_nobody_ignored_is_said_by_prepare(tmp_path):
    FRAME.write_csv(tmp_path / "t.csv")
    content = {"adapter": "table", "files": {"all": {"path": str(tmp_path / "t.csv")}}, "numerical": ["paid"]}
    content |= {"categorical": ["country"], "tasks": {"click": {"column": "click", "positive": ["True"]}}}
    content |= {"split": {"train": 0.6, "valid": 0.2, "test": 0.2}}
    schema = Table.model_validate(content).prepare("visits", tmp_path / "out")
    assert schema.leaks == {"click": {"paid": 1.0}}
    assert any("warning: the feature 'paid' alone gives click an AUC of 1.000" in line for line in schema.lines())


FLIGHTS = 600
DELAY = RANDOM.normal(0, 30, FLIGHTS).round(1)
TABLE = pl.DataFrame(
    {
        "origin": RANDOM.choice(["EWR", "JFK", "LGA"], FLIGHTS),
        "seats": RANDOM.integers(50, 300, FLIGHTS),
        "delay": [None if n % 10 == 0 else float(delay) for n, delay in enumerate(DELAY)],
        "gate": [None] * FLIGHTS,
        "minutes_late": np.where(np.arange(FLIGHTS) % 10, DELAY + RANDOM.normal(0, 0.1, FLIGHTS), -99),
    }
)
"""Delays that a tenth of the flights lack, and a column that tells them; only in those flights does it not."""


@pytest.fixture
def flights(tmp_path):
    TABLE.write_csv(tmp_path / "flights.csv")
    return look(tmp_path / "flights.csv")


@pytest.mark.parametrize(
    ("wish", "name", "options", "positive"),
    [
        ("delay above 15", "delay_above_15", {"above": 15}, (DELAY > 15)),
        ("delay > 15", "delay_above_15", {"above": 15}, (DELAY > 15)),
        ("delay below -2.5", "delay_below_2_5", {"below": -2.5}, (DELAY < -2.5)),
        ("delay", "delay", {"kind": "regression"}, None),
    ],
)
def test_a_wish_becomes_a_task_and_columns_that_tell_it_are_left_out(flights, tmp_path, wish, name, options, positive):
    found = block(flights, "flights", [wish])
    assert found["tasks"] == {name: {"column": "delay", **options}}
    assert list(found["ignore"]) == ["gate", "minutes_late"] and "suspected leak" in found["ignore"]["minutes_late"]
    assert found["numerical"] == ["seats"] and found["categorical"] == ["origin"]
    shown = yaml.safe_load(draft(flights, roles(flights, [wish]), "f")["experiments"])["f"].get("tables")
    assert shown == (None if "kind" not in options else ["regression", "cost"])
    schema = Table.model_validate(found).prepare("flights", tmp_path / "out")
    assert sum(split.labels[name] for split in schema.splits.values()) == 540
    if positive is not None:
        lines = draft(flights, roles(flights, [wish]), "f")["datasets"].splitlines()
        comment = next(line for line in lines if line.startswith(f"    {name}: "))
        assert f"# {positive[np.arange(FLIGHTS) % 10 > 0].mean():.2%} are positive, 10.0% missing" in comment


def test_values_can_be_wished_for_and_several_tasks_stand_in_the_order_of_the_wishes(flights):
    found = block(flights, "flights", ["origin is JFK, LGA", "seats above 200", "origin is JFK, LGA"])
    assert list(found["tasks"].items()) == [
        ("origin_is_jfk_lga", {"column": "origin", "positive": ["JFK", "LGA"]}),
        ("seats_above_200", {"column": "seats", "above": 200}),
    ]


def test_a_regression_beside_binary_tasks_has_its_table(flights):
    wishes = ["delay", "seats above 200"]
    written = yaml.safe_load(draft(flights, roles(flights, wishes), "f")["experiments"])["f"]
    assert written["tables"] == ["auc", "ne", "regression"] and "figures" not in written


def test_a_wish_for_yes_has_the_columns_name(tmp_path):
    pl.DataFrame({"bought": ["yes", "no", "no", "yes"], "minutes": [1.0, 2.0, 3.5, 3.0]}).write_csv(tmp_path / "a.csv")
    assert list(block(look(tmp_path / "a.csv"), "a", ["bought is yes"])["tasks"]) == ["bought"]
    assert list(block(look(tmp_path / "a.csv"), "a", ["bought is no"])["tasks"]) == ["bought_is_no"]


@pytest.mark.parametrize(
    ("wish", "task"),
    [
        ("spend > 100 is 1", {"column": "spend > 100", "positive": ["1"]}),
        ("spend > 100", {"column": "spend > 100", "positive": ["1"]}),
        ("spend above 120", {"column": "spend", "above": 120}),
        ("plan is late is yes", {"column": "plan is late", "positive": ["yes"]}),
    ],
)
def test_a_name_of_a_column_may_have_the_words_of_a_wish(tmp_path, wish, task):
    columns = {"spend": [90.5, 120.0, 130.25, 95.0], "spend > 100": [0, 1, 1, 0], "plan is late": ["yes", "no"] * 2}
    pl.DataFrame(columns | {"minutes": [1.0, 2.0, 3.5, 3.0]}).write_csv(tmp_path / "a.csv")
    assert list(block(look(tmp_path / "a.csv"), "a", [wish])["tasks"].values()) == [task]


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ("dely above 15", r"no column 'dely'; .*did you mean delay\?"),
        ("delay above noon", "'noon' is no number"),
        ("origin above 3", r"a limit needs numbers; the column holds '"),
        ("origin is BOS", r"no row has 'BOS'; the column holds '"),
        ("seats above 900", "all rows have the same label"),
        ("gate", "all rows have the same label; the column holds nothing"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_with_what_the_column_holds(flights, wish, says):
    with pytest.raises(DataError, match=rf"flights.csv: --task.*{says}"):
        roles(flights, [wish])
