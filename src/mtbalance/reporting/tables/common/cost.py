"""Seconds of a step, of a search and of an epoch, printed ones beside ours.

It has the numbers of the PUB paper's Table V, with what they are made of.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting import captions, grid
from mtbalance.reporting.costs import costs
from mtbalance.reporting.formats import decimal
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import balancer_name
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
    headings = {
        "seconds_a_step": "s a step",
        "relative_time": f"time over {balancer_name(baseline)}",
        "seconds_a_search": "s a search, measured",
        "seconds_an_epoch": "s an epoch",
        "overhead_a_search": "s a search, as printed",
    }
    table = Table(
        title=f"{title}: seconds of training",
        label=f"{frame['experiment'].iloc[0]}-cost",
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
    yield from captions.synthetic(frame)
    if cells.empty:
        yield captions.throughput(frame, baseline)
        return
    epochs = cells.drop_duplicates("dataset")
    rows = ", ".join(f"{row.epoch_rows:,} on {row.dataset}" for row in epochs.itertuples())
    sizes = sorted({int(size) for size in frame.loc[frame["metric"] == "batch_size", "value"]})
    said = everything()
    devices = sorted(frame.loc[frame["metric"] == "seconds_a_step", "device"].unique())
    yield (
        f"Nothing was trained for an epoch: its seconds are those of a step times the steps of {rows} training rows, in"
        f" batches of {', '.join(f'{size:,}' for size in sizes)}. Loading of data and evaluation are left out."
    )
    if (epochs["synthetic"] & (epochs["epoch_rows"] == said.says("training_rows"))).any():
        yield f"{said.says('training_rows'):,.0f} are the training rows of AliExpress ES, as the PUB paper says."
    yield (
        f"Time over {name}: on the same backbone, median [quartiles] over blocks of steps that all methods took in"
        f" turn, in one process. Device: {'; '.join(devices)}."
    )
    yield (
        "Seconds of a search, measured: by how much a step with a search is longer than one without; –: all steps are"
        f" of one kind. As printed: the seconds above {name} of {said.says('every'):.0f} steps. Section VI-C computes a"
        " search like that, which books everything on the searches, also the backward passes of other steps."
    )
    if cells["published"].notna().any():
        yield (
            "Table V: PUB paper (arXiv 2410.05806), seconds an epoch on a machine that it does not name; its other"
            " numbers follow from these. Compare ratios, not seconds."
        )
        if sizes != [said.says("batch_size")]:
            yield (
                f"The paper's batches have {said.says('batch_size'):,.0f} rows: here not even the ratios are its case."
            )
