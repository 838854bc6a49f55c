"""`mtbalance new` on tables as people have them: decimal commas, customers with several rows, labels with gaps."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from mtbalance.data import DataError
from mtbalance.data.adapters.table import Table
from mtbalance.data.guess.draft import draft
from mtbalance.data.guess.look import look
from mtbalance.data.guess.roles import roles

RANDOM = np.random.default_rng(1)
ROWS = 600


def text(path: Path, columns: dict, wishes: tuple[str, ...] = ()) -> str:
    """The block of a table with these columns."""
    pl.DataFrame(columns).write_csv(path / "t.csv")
    seen = look(path / "t.csv")
    return draft(seen, roles(seen, wishes), "t")["datasets"]


def block(path: Path, columns: dict, wishes: tuple[str, ...] = ()) -> dict:
    return yaml.safe_load(text(path, columns, wishes))["t"]


COMMAS = {
    "plan": RANDOM.choice(["basic", "plus", "pro"], ROWS),
    "amount": [f"1.{n:03},{n % 90 + 10}" if n % 3 else f"{n}" for n in range(ROWS)],
    "next_spend": [None if n == 9 else f"{n % 50},25" for n in range(ROWS)],
    "churned": RANDOM.choice(["yes", "no"], ROWS),
}


def test_numbers_with_decimal_commas_are_no_categories_and_the_block_says_why(tmp_path):
    found = block(tmp_path, COMMAS)
    assert found["categorical"] == ["plan"] and "numerical" not in found
    assert found["ignore"] == {
        "amount": "numbers with decimal commas: write 1001.11 for '1.001,11'",
        "next_spend": "numbers with decimal commas: write 0.25 for '0,25'",
    }
    with pytest.raises(DataError, match=r"no column is left .*; look at amount \(numbers with decimal commas: write"):
        block(tmp_path, {name: COMMAS[name] for name in ("amount", "churned")})


@pytest.mark.parametrize("wish", ["next_spend", "next_spend above 15"])
def test_a_task_on_numbers_with_decimal_commas_is_refused(tmp_path, wish):
    with pytest.raises(DataError, match=r"the column holds numbers with decimal commas: write 0.25 for '0,25'"):
        block(tmp_path, COMMAS, (wish,))


def test_lists_of_numbers_are_categories(tmp_path):
    assert block(tmp_path, COMMAS | {"kinds": ["1,2", "1,2,3", "a,b"] * 200})["categorical"] == ["plan", "kinds"]


def test_a_column_alone_is_a_task_if_it_has_two_values_or_numbers(tmp_path):
    with pytest.raises(DataError, match=r"a binary task the values that are positive, such as --task 'plan is (b|p)"):
        block(tmp_path, COMMAS, ("plan",))
    columns = COMMAS | {"stars": RANDOM.integers(1, 6, ROWS)}
    assert block(tmp_path, columns, ("churned",))["tasks"]["churned"]["positive"] == ["yes"]
    assert block(tmp_path, columns, ("stars",))["tasks"]["stars"] == {"column": "stars", "kind": "regression"}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("15,67", "decimal commas are not read, write 15.67"),
        ("-1.234.015,5", "decimal commas are not read, write -1234015.5"),
        ("1,234", "decimal commas are not read, write 1.234 or 1234"),
        ("1,234.5", "commas between thousands are not read, write 1234.5"),
        ("-1,234,567", "commas between thousands are not read, write -1234567"),
    ],
)
def test_prepare_names_the_commas(tmp_path, cell, says):
    pl.DataFrame({"amount": [0.5] * 99 + [2.5], "spend": [1.5] * 100, "y": [0, 1] * 50}).with_columns(
        pl.when(pl.int_range(100) == 40).then(pl.lit(cell)).otherwise(pl.col("amount", "spend")).name.keep()
    ).write_csv(tmp_path / "t.csv", separator=";")
    content = {"adapter": "table", "files": {"all": {"path": str(tmp_path / "t.csv")}}, "separator": ";"}
    content |= {"split": {"train": 0.6, "valid": 0.2, "test": 0.2}}
    said = rf"'{re.escape(cell)}' is not a finite number: {says}; the column holds"
    spend, y = {"column": "spend", "kind": "regression"}, {"column": "y", "positive": [1]}
    for column, tasks in (("amount", {"y": y}), ("spend", {"spend": spend})):
        features = {"numerical": ["amount"]} if column == "amount" else {"categorical": ["y"]}
        with pytest.raises(DataError, match=rf"row 42 .*, column {column}: {said}"):
            Table.model_validate(content | features | {"tasks": tasks}).prepare("t", tmp_path / "out")


CUSTOMERS = np.sort(RANDOM.integers(0, 400, ROWS))
"""Some 310 customers, of whom half have several rows."""


def shop(name: str, churned: np.ndarray) -> dict:
    return {
        name: [f"c{customer}" for customer in CUSTOMERS],
        "amount": RANDOM.random(ROWS),
        "churned": np.where(churned, "yes", "no"),
    }


@pytest.mark.parametrize("name", ["customer_id", "Customer", "userID", "customer_unique_id", "patient_nbr", "id"])
def test_a_customer_with_several_rows_is_the_group(tmp_path, name):
    found = block(tmp_path, shop(name, RANDOM.random(ROWS) < 0.5))
    assert found["group"] == name and found["numerical"] == ["amount"]
    assert "categorical" not in found and "ignore" not in found


def test_a_customer_that_tells_the_label_is_the_group_and_no_suspected_leak(tmp_path):
    columns = shop("customer_id", CUSTOMERS % 2 == 0)
    found = block(tmp_path, columns, ("churned",))
    assert found["group"] == "customer_id" and "ignore" not in found
    columns["customer_id"][:20] = [None] * 20
    assert block(tmp_path, columns)["group"] == "customer_id", "few are missing"


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("customer_age", RANDOM.integers(18, 90, ROWS)),
        ("customer_income", RANDOM.integers(0, 400, ROWS)),
        ("visit_number", RANDOM.integers(1, 200, ROWS)),
        ("customer_paid", RANDOM.integers(0, 400, ROWS)),
        ("visits", RANDOM.integers(1, 200, ROWS)),
        ("member", RANDOM.choice(["gold", "silver", "none"], ROWS)),
        ("visit", [f"2026-01-{1 + n % 28:02}" for n in range(ROWS)]),
        ("user", [f"u{max(n, 40)}" for n in range(ROWS)]),
    ],
)
def test_what_customers_have_in_common_is_no_group(tmp_path, name, cells):
    assert "group" not in block(tmp_path, shop("shop", CUSTOMERS % 3 == 0) | {name: cells}, ("churned",))


def test_of_two_columns_of_persons_both_are_offered_also_if_they_tell_the_label(tmp_path):
    columns = shop("customer_id", CUSTOMERS % 2 == 0) | {"user": CUSTOMERS}
    assert "  # group: customer_id " in (found := text(tmp_path, columns, ("churned",))) and "  # group: user " in found


def test_labels_with_missing_cells_are_tasks(tmp_path):
    gaps = [None if n % 4 == 0 else "yes" if n % 3 else "no" for n in range(ROWS)]
    found = text(tmp_path, {"amount": RANDOM.random(ROWS), "churned": gaps, "late": gaps[::-1]})
    assert list(yaml.safe_load(found)["t"]["tasks"]) == ["churned", "late"] and "25.0% missing" in found
    complete = RANDOM.choice(["a", "b"], ROWS)
    found = block(tmp_path, {"x": RANDOM.random(ROWS), "kind": complete, "churned": gaps, "late": gaps[::-1]})
    assert list(found["tasks"]) == ["kind", "churned"]


def test_a_number_that_only_rows_without_a_label_have_is_no_error(tmp_path):
    gaps = [None if n % 4 else n % 3 % 2 for n in range(ROWS)]
    paid = [n % 7 if gap is None else None for n, gap in enumerate(gaps)]
    assert "paid" in str(block(tmp_path, {"x": RANDOM.random(ROWS), "paid": paid, "churned": gaps}))


def test_the_example_of_a_task_on_numbers_is_a_limit(tmp_path):
    columns = {"x": COMMAS["amount"], "tickets": RANDOM.integers(0, 3, ROWS)}
    with pytest.raises(DataError, match=r"no column has two values, so .*, such as --task 'tickets above \S+'$"):
        block(tmp_path, columns)


def test_a_column_without_any_value_is_said_to_have_none(tmp_path):
    columns = {"empty": [None] * ROWS, "one": ["a"] * ROWS} | COMMAS
    found = block(tmp_path, columns, ("churned",))["ignore"]
    assert found["empty"] == "no value at all" and found["one"] == "one value in all rows"


def test_a_split_by_time_says_that_the_group_must_go(tmp_path):
    days = {"day": [f"2026-01-{1 + n % 28:02}" for n in range(ROWS)]}
    with_group = text(tmp_path, shop("customer", RANDOM.random(ROWS) < 0.5) | days)
    assert "# trains on the past; `group` must then go\n" in with_group
    assert "# trains on the past\n" in text(tmp_path, COMMAS | days)


@pytest.mark.parametrize("form", ["{day:02}.01.2026", "01/{day:02}/2026", "2026/01/{day:02}", "{day}.1.2026 12:30"])
def test_dates_in_another_form_are_left_out_and_the_block_says_how_to_write_them(tmp_path, form):
    days = {"day": [form.format(day=1 + n % 28) for n in range(ROWS)], "version": ["1.2.3", "10.1.20"] * (ROWS // 2)}
    found = block(tmp_path, COMMAS | days, ("churned",))
    assert found["ignore"]["day"] == "dates; written as 2026-11-28, a split by time can use them"
    assert found["categorical"] == ["plan", "version"]


def test_tasks_have_names_of_their_own(tmp_path):
    yes_no = ["yes", "no"]
    columns = {
        name: RANDOM.choice(yes_no, ROWS)
        for name in ("Is Bought", "is_bought", "\u65e5\u672c", "\u4e2d\u56fd", "Click!")
    }
    columns |= {"row": RANDOM.choice(yes_no, ROWS), "click": RANDOM.random(ROWS), "gain": RANDOM.normal(size=ROWS)}
    wishes = (*columns, "gain above 1", "gain above -1")
    found = block(tmp_path, columns | {"x": RANDOM.random(ROWS)}, wishes)["tasks"]
    assert {name: task["column"] for name, task in found.items()} == {
        "is_bought_2": "Is Bought",
        "is_bought": "is_bought",
        "table": "\u65e5\u672c",
        "table_2": "\u4e2d\u56fd",
        "click_2": "Click!",
        "row_2": "row",
        "click": "click",
        "gain": "gain",
        "gain_above_1": "gain",
        "gain_above_1_2": "gain",
    }
    assert [found["gain_above_1"]["above"], found["gain_above_1_2"]["above"]] == [1, -1]


def test_the_name_of_a_file_or_column_may_have_commas_and_braces(tmp_path):
    (folder := tmp_path / "a, b {2}: c #1").mkdir()
    columns = {"day, hour": [f"2026-01-{n % 28 + 1:02}" for n in range(ROWS)], "x": RANDOM.random(ROWS)}
    written = text(folder, columns | {"y": RANDOM.choice(["yes", "no"], ROWS)})
    assert yaml.safe_load(written)["t"]["files"] == {"all": {"path": str(folder / "t.csv")}}
    (line,) = [line for line in written.splitlines() if line.startswith("  # split:")]
    assert yaml.safe_load(line.removeprefix("  # "))["split"]["time"] == "day, hour"


def test_numbers_of_so_many_digits_that_a_model_takes_them_for_one_are_codes(tmp_path):
    few = RANDOM.integers(0, 40, ROWS)
    columns = {"machine": 2**60 + few, "device": 4_000_000_000 + few, "seen": 1_700_000_000 + 60 * few**2}
    columns |= {"churned": RANDOM.choice(["yes", "no"], ROWS)}
    found = block(tmp_path, columns)
    assert found["categorical"] == ["machine", "device"] and found["numerical"] == ["seen"]
    assert "- device    # 40 values, codes: so long that they are one number to a model" in text(tmp_path, columns)


AMOUNTS = {
    "price": [f"{n * 7.25 + 900:,.2f}" for n in range(ROWS)],
    "cents": RANDOM.permutation(10 * ROWS)[:ROWS],
    "ratio": ["-inf" if n == 5 else "\\N" if n == 7 else f"{n % 90 / 7:.3f}" for n in range(ROWS)],
    "pages": ["many" if n % 50 == 0 else f"{n % 97}" for n in range(ROWS)],
    "reading": ["broken" if n == 3 else f"{n / 7:.4f}" for n in range(ROWS)],
    "kind": RANDOM.choice(["a", "b", "1"], ROWS),
    "churned": RANDOM.choice(["yes", "no"], ROWS),
}


def test_numbers_that_are_not_read_as_such_are_named(tmp_path):
    found = block(tmp_path, AMOUNTS)
    assert found["missing"] == ["", "\\N", "-inf"]
    assert found["numerical"] == [{"column": "ratio", "mark_missing": True}]
    own = f"a value of its own in almost every row ({ROWS} values)"
    assert found["ignore"] == {
        "price": "numbers with commas between thousands: write 1001.50 for '1,001.50'",
        "cents": f"{own}; if these are amounts, move it to `numerical`",
        "reading": f"{own}; numbers but for 'broken'",
    }
    lines = text(tmp_path, AMOUNTS).splitlines()
    assert "    - pages    # 98 values, numbers but for 'many'" in lines
    assert [line for line in lines if "- kind" in line and "but for" in line] == []


def test_a_text_that_says_no_value_is_named_beside_a_task(tmp_path):
    columns = {"x": RANDOM.random(ROWS), "readmitted": [("None", "<30", ">30", "NA")[n % 4] for n in range(ROWS)]}
    (line,) = [line for line in text(tmp_path, columns, ("readmitted is <30",)).splitlines() if "readmitted_is" in line]
    assert "50.00% are positive, 50.0% missing ('NA', 'None' among them); it holds" in line
    columns["readmitted"][::4] = ["no"] * (ROWS // 4)
    assert "25.0% missing ('NA' among them)" in text(tmp_path, columns, ("readmitted is <30",))


def test_a_draft_with_values_of_a_few_rows_each_can_be_prepared(tmp_path):
    orders, users = RANDOM.integers(0, 2000, 4000), RANDOM.integers(0, 400, 4000)
    columns = {"order_ref": [f"o{n}" for n in orders], "cart": [f"c{n}" for n in RANDOM.integers(0, 1500, 4000)]}
    columns["cart"][:12] = ["c0"] * 12
    columns |= {"x": RANDOM.random(4000), "place": users, "y": RANDOM.choice(["yes", "no"], 4000)}
    found = block(tmp_path, columns)
    assert found["categorical"] == [{"column": "cart", "at_least": 5}]
    assert found["ignore"]["order_ref"].endswith("values, of which none has 10 rows: nothing to learn from")
    assert Table.model_validate(found).prepare("t", tmp_path / "out").splits["train"].rows > 2000


def test_the_separator_is_one_outside_of_quotation_marks_and_what_is_no_gzip_is_told(tmp_path):
    (tmp_path / "t.csv").write_text('"a, b, c";"d, e"\n1;2\n3;4\n')
    assert [column.name for column in look(tmp_path / "t.csv").columns] == ["a, b, c", "d, e"]
    (tmp_path / "t.csv.gz").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"t\.csv\.gz cannot be read to its end \(Not a gzipped file"):
        look(tmp_path / "t.csv.gz")


def test_lists_and_structs_of_parquet_are_left_out_and_the_other_columns_are_read(tmp_path):
    path = tmp_path / "t.parquet"
    yes = RANDOM.choice([0, 1], ROWS)
    columns = {"size": RANDOM.normal(size=ROWS), "seen": [[1, 2]] * ROWS, "of": [{"a": 1}] * ROWS, "bought": yes}
    pl.DataFrame(columns).write_parquet(path)
    seen = look(path)
    found = yaml.safe_load(draft(seen, roles(seen), "t")["datasets"])["t"]
    assert found["numerical"] == ["size"] and list(found["tasks"]) == ["bought"]
    assert set(found["ignore"]) == {"seen", "of"}
    assert found["ignore"]["of"] == "struct<a: int64>, not one value a row"
    Table.model_validate(found).prepare("t", tmp_path / "out")
    rows = sum(pl.read_parquet(tmp_path / "out" / f"{split}.parquet").height for split in ("train", "valid", "test"))
    assert rows == ROWS
    with pytest.raises(DataError, match=r"--task 'seen above 1': .*the column holds .*list.*, not one value a row"):
        roles(seen, ("seen above 1",))
    named = Table.model_validate(found | {"categorical": ["seen"], "ignore": {"of": "a struct"}})
    with pytest.raises(DataError, match=r"column 'seen' holds .*list.*, and a feature or a label is one value a row"):
        named.look()
