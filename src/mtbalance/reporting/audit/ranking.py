"""Tables III and IV: averages, marks, and the numbers that both tables have."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pandas as pd

from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.names import BACKBONES, BALANCERS
from mtbalance.reporting.printed import Printed

UNIT = Decimal("0.0001")
"""The last printed digit."""
TASKS = {"ctr": "CTR", "ctcvr": "CTCVR", "average": "average"}
OURS = ("pub", "pub_clippy", "pub_adatask")
CELL = ["backbone", "balancer"]


def findings(printed: Printed) -> Iterator[Finding]:
    """Averages of both tables, counts and marks of Table III, Table III against Table IV, the best CTCVR."""
    yield from _averages(printed.table3, "Table III")
    yield from _averages(printed.table4.assign(dataset="aliexpress_es"), "Table IV")
    yield _baselines(printed)
    yield baselines_above(printed)
    yield from _marks(printed.table3)
    yield from _both_tables(printed)


def _averages(table: pd.DataFrame, place: str) -> Iterator[Finding]:
    wrong = 0
    for _, row in table.iterrows():
        ctr, ctcvr, average = (Decimal(f"{row[task]:.4f}") for task in TASKS)
        mean = (ctr + ctcvr) / 2
        if abs(average - mean) > UNIT / 2:  # half a unit is rounding, up or down
            wrong += 1
            off = "by one unit of the last digit" if abs(average - mean) <= UNIT else "a misprint"
            yield Finding(
                f"{place}, {_called(row)}, average",
                f"{average}",
                f"{mean}",
                f"({ctr} + {ctcvr}) / 2; {off}",
                False,
            )
    yield Finding(
        f"{place}, the other averages", f"{len(table) - wrong} of {len(table)}", "the same", "(CTR + CTCVR) / 2", True
    )


def _others(printed: Printed) -> pd.DataFrame:
    """The rows of Table III that are neither a backbone alone nor PUB."""
    return printed.table3[~printed.table3["balancer"].isin(["ls", *OURS])]


def _baselines(printed: Printed) -> Finding:
    number, says = len(_others(printed)), printed.says("baselines")
    return Finding(
        "Section VI-B, baselines",
        f"{says:.0f}",
        f"{number}",
        "rows of Table III that are neither a backbone alone nor PUB",
        number == says,
    )


def baselines_above(printed: Printed) -> Finding:
    """The baselines whose average is above their backbone."""
    others = _others(printed)
    above = others[others["average"] > _backbone(others, printed.table3, "average")]
    says, marked = printed.says("baselines_above"), int(others["average_mark"].sum())
    names = "; ".join(_called(row) for _, row in above.iterrows())
    return Finding(
        "Section VI-B, baselines whose average is above their backbone",
        f"{says:.0f}",
        f"{len(above)}",
        f"{marked} carry the mark of significance; above are {names}",
        len(above) == says,
    )


def _marks(table: pd.DataFrame) -> Iterator[Finding]:
    rows = table[table["balancer"] != "ls"]
    gains = pd.concat(
        [
            rows[["dataset", *CELL]].assign(
                task=title,
                gain=(1e4 * (rows[task] - _backbone(rows, table, task))).round(),
                mark=rows[f"{task}_mark"].astype(bool),
            )
            for task, title in TASKS.items()
        ]
    )
    for _, cell in gains[gains["mark"] & (gains["gain"] <= 0)].iterrows():
        yield Finding(
            f"Table III, {_called(cell)}, {cell['task']}",
            "marked as higher than the backbone",
            f"{cell['gain'] / 1e4:+.4f}",
            "the cell minus the backbone's",
            False,
        )
    unmarked = gains[~gains["mark"]].sort_values("gain").iloc[-1]
    marked = gains[gains["mark"] & (gains["gain"] > 0)].sort_values("gain").iloc[0]
    yield Finding(
        "Table III, marks and sizes",
        f"{_called(marked)} {marked['task']}: {marked['gain'] / 1e4:+.4f}, marked",
        f"{_called(unmarked)} {unmarked['task']}: {unmarked['gain'] / 1e4:+.4f}, not marked",
        "the smallest gain with a mark, the largest without; no standard deviation is printed",
        bool(marked["gain"] >= unmarked["gain"]),
    )


def _both_tables(printed: Printed) -> Iterator[Finding]:
    third = printed.table3[printed.table3["dataset"] == "aliexpress_es"]
    both = third.merge(printed.table4, on=CELL, suffixes=("_3", "_4")).assign(dataset="aliexpress_es")
    for _, row in both.iterrows():
        for task, title in TASKS.items():
            one, two = row[f"{task}_3"], row[f"{task}_4"]
            yield Finding(
                f"Tables III and IV, {_called(row)}, {title}",
                f"{one:.4f} in III",
                f"{two:.4f} in IV",
                "the same run, by the text of both",
                one == two,
            )
    best = max(third["ctcvr"].max(), printed.table4["ctcvr"].max())
    yield Finding(
        "Section VI-B, best CTCVR on ES",
        f"{printed.says('best_ctcvr'):.4f}",
        f"{best:.4f}",
        "the largest of Tables III and IV",
        best == printed.says("best_ctcvr"),
    )


def _backbone(rows: pd.DataFrame, table: pd.DataFrame, task: str) -> pd.Series:
    """The value of each row's backbone alone."""
    alone = table[table["balancer"] == "ls"].set_index(["dataset", "backbone"])[task]
    return pd.Series(alone.loc[pd.MultiIndex.from_frame(rows[["dataset", "backbone"]])].to_numpy(), rows.index)


def _called(row: pd.Series) -> str:
    name = BACKBONES.get(row["backbone"], row["backbone"])
    method = "" if row["balancer"] == "ls" else f"+{BALANCERS.get(row['balancer'], row['balancer'])}"
    return f"{row['dataset'].removeprefix('aliexpress_').upper()} {name}{method}"
