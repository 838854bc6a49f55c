"""Seconds of a step, of a search and of an epoch, printed ones beside ours.

It has the numbers of the PUB paper's Table V, with what they are made of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting import captions, grid
from mtbalance.reporting.costs import costs
from mtbalance.reporting.formats import decimal
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import backbone_name, balancer_name
from mtbalance.reporting.printed import everything

DIGITS = {
    "seconds_a_step": 4,
    "relative_time": 3,
    "seconds_a_search": 4,
    "seconds_an_epoch": 1,
    "overhead_a_search": 4,
}


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers. Timings are not tested, so ``significance`` has no use here."""
    cells = costs(frame, baseline)
    if cells["published"].isna().all():  # the paper's arithmetic, for its numbers only
        cells = cells[cells["metric"] != "overhead_a_search"]
    name = balancer_name(baseline)
    headings = {
        "seconds_a_step": "s a step",
        "relative_time": f"time over {name}",
        "seconds_a_search": "s a search adds",
        "seconds_an_epoch": "s an epoch",
        "overhead_a_search": f"s above {name} of ten steps",
    }
    table = Table(
        title=f"{title}: seconds of training",
        caption=tuple(_caption(frame, cells, baseline)),
        beside="Table V",
        groups=grid.groups(cells, lambda row: headings[row["metric"]]),
        rows=grid.rows(cells, baseline, _cell),
    )
    return table, cells


def _cell(row: pd.Series) -> Cell:
    digits = DIGITS[row["metric"]]
    text = decimal(row["value"], digits)
    if pd.notna(row["low"]):
        text += f" [{decimal(row['low'], digits)}, {decimal(row['high'], digits)}]"
    return Cell(text, beside="" if pd.isna(row["published"]) else decimal(row["published"], digits))


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str) -> Iterator[str]:
    name = balancer_name(baseline)
    if cells.empty:
        yield captions.throughput(frame, baseline)
        return
    epochs = cells.drop_duplicates("dataset")
    real = {True: " (those of AliExpress ES)", False: ""}
    rows = ", ".join(f"{row.epoch_rows:,} on {row.dataset}{real[bool(row.synthetic)]}" for row in epochs.itertuples())
    sizes = sorted({int(size) for size in frame.loc[frame["metric"] == "batch_size", "value"]})
    devices = sorted(frame.loc[frame["metric"] == "seconds_a_step", "device"].unique())
    yield (
        "No epoch was timed: its seconds are those of a step times its steps, without the loading of data and without"
        f" evaluation. Rows of an epoch: {rows}; of a batch: {', '.join(f'{size:,}' for size in sizes)}."
    )
    yield (
        f"Time over {name}: on the same backbone, median [quartiles] over blocks of steps that all methods took in"
        f" turn, in one process. Seconds are the median of {name}'s, times that ratio. Device:"
        f" {'; '.join(devices)}; on a CPU the seconds are the processor's."
    )
    yield (
        "A search adds: seconds by which a step with a search is longer than one without; –: all steps are of one kind."
    )
    if cells["published"].notna().any():
        yield from _beside_printed(cells, sizes, name)


def _beside_printed(cells: pd.DataFrame, sizes: list[int], name: str) -> Iterator[str]:
    said = everything()
    yield (
        "Table V: the PUB paper (arXiv 2410.05806) prints the seconds of an epoch of"
        f" {said.says('training_rows'):,.0f} rows (AliExpress ES) in batches of {said.says('batch_size'):,.0f}, on a"
        " machine that it does not name; its other numbers here follow from these. Compare ratios, not seconds. Whether"
        " its seconds have the loading of data is not said; whatever all methods share brings ratios nearer to 1."
    )
    yield (
        f"Seconds above {name} of ten steps: what section VI-C calls the seconds of a search. They book the backward"
        " passes of all ten steps on the one search."
    )
    if sizes != [said.says("batch_size")]:
        yield f"Batches here do not have the paper's {said.says('batch_size'):,.0f} rows: even ratios are another case."
    ratios = cells[cells["metric"] == "relative_time"]
    for (backbone, published), own in ratios[ratios["published"] > 1].groupby(["backbone", "published"], sort=False):
        ours = {balancer_name(row["balancer"]): row["value"] for _, row in own.iterrows()}
        nearest = min(ours, key=lambda method: abs(math.log(ours[method] / published)))
        found = "; ".join(f"{method} {decimal(value, 3)}" for method, value in ours.items())
        yield (
            f"{backbone_name(backbone)}: printed time over {name} {decimal(published, 3)}; here {found}."
            f" Nearest: {nearest}."
        )
