"""Mean AUC and NE of a balancer with other settings, against its settings in params.yaml."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.errors import UserError
from mtbalance.reporting import captions, grid
from mtbalance.reporting.formats import counted, signed
from mtbalance.reporting.layout import Cell, Table
from mtbalance.reporting.names import balancer_name
from mtbalance.reporting.variants import against_base, bases

HEADINGS = {"mean_auc": "mean AUC", "mean_ne": "mean NE"}


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers. Its comparisons are with the settings in params.yaml.

    Raises ``UserError`` if no balancer has variants.
    """
    if not bases(frame):
        raise UserError(
            f"experiments.{frame['experiment'].iloc[0]}.tables: sensitivity needs a balancer and variants of it in one"
            " grid, such as [multibalance, multibalance@beta=0.5]"
        )
    found = [cells.assign(base=base) for base, cells in against_base(frame, baseline)]
    cells = pd.concat(found, ignore_index=True).drop_duplicates(["dataset", "backbone", "balancer", "metric"])

    def fill(row: pd.Series) -> Cell:
        text = grid.text(row, grid.mark(row, significance, row["better"]))
        return Cell(text, beside=grid.change(row, row["base"]))

    names = ", ".join(map(balancer_name, bases(frame)))
    table = Table(
        title=f"{title}: {names} with other settings",
        caption=tuple(_caption(frame, cells, baseline, significance)),
        beside=f"against {names}",
        groups=grid.groups(cells, lambda row: HEADINGS[row["metric"]]),
        rows=grid.rows(cells, baseline, fill),
    )
    return table, cells


def _caption(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> Iterator[str]:
    yield (
        "In brackets: the option that differs from params.yaml. Means over tasks of the test AUC and of the normalized"
        " entropy (lower is better)."
    )
    for (base, dataset, backbone), own in cells[cells["metric"] == "mean_auc"].groupby(
        ["base", "dataset", "backbone"], sort=False
    ):
        variants = own[~own["balancer"].isin([base, baseline]) & (own["n"] > 0)]
        lowest, highest = variants["difference"].min(), variants["difference"].max()
        reference = own.loc[own["balancer"] == baseline, "difference"]
        yield (
            f"{dataset}, {backbone}: the {counted(len(variants), 'other setting')} of {balancer_name(str(base))} change"
            f" mean AUC by {signed(lowest, 4)} to {signed(highest, 4)};"
            f" {balancer_name(baseline)} lies at {signed(float(reference.mean()), 4)}."
        )
    yield from captions.of_runs(frame)
    tested = cells[cells["balancer"] != cells["base"]]
    for base in dict.fromkeys(cells["base"]):
        yield from captions.marks(tested[tested["base"] == base], base, significance, "better")
    yield from captions.power(tested, significance)
    yield from captions.untested(tested)
    yield captions.failures(frame, baseline)
