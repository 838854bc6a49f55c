"""PUB with Clippy and AdaTask against PUB and against each of them alone, printed values beside ours.

It has the form of the PUB paper's Table IV, for the methods and data sets that were run.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.config.variants import SIGN, Variant, parsed
from mtbalance.errors import UserError
from mtbalance.reporting import captions, convergence, grid
from mtbalance.reporting.comparison import CELL, compare
from mtbalance.reporting.contrasts import contrast
from mtbalance.reporting.formats import signed
from mtbalance.reporting.layout import Cell, Row, Table
from mtbalance.reporting.names import backbone_name, balancer_name
from mtbalance.reporting.printed import beside_printed, pub_table3, pub_table4

PUB = "pub"
ALONE = {"pub_clippy": "clippy_adam", "pub_adatask": "adatask"}
"""The manipulation alone, by its union with PUB."""


def tabulate(frame: pd.DataFrame, title: str, baseline: str, significance: float) -> tuple[Table, pd.DataFrame]:
    """The table to print, and its numbers: AUC, and gains with the balancer that they are ``over``."""
    rows = _shown(frame, baseline)
    cells = beside_printed(compare(rows, ["auc", "mean_auc"], baseline), pub_table4())
    gains = pd.DataFrame(_gains(rows, cells, significance))

    def fill(row: pd.Series) -> Cell:
        return Cell(grid.text(row, grid.mark(row, significance, +1)), beside=grid.printed(row))

    table = Table(
        title=f"{title}: AUC with manipulated updates",
        caption=tuple(_caption(rows, cells, baseline, significance)),
        beside="printed (ours − printed)",
        groups=grid.groups(cells, lambda row: row["task_title"]),
        rows=(*grid.rows(cells, baseline, fill), *_gain_rows(gains, cells)),
    )
    return table, pd.concat([cells.drop(columns=["ratio", "ratio_std"]), gains], ignore_index=True)


def _shown(frame: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """The final rows of the baseline, PUB and its manipulations, where PUB with a manipulation was run."""
    final = frame[frame["epoch"].isna()]
    names = final["balancer"].map(lambda name: parsed(name).balancer)
    united = final[names.isin(ALONE)]
    if united.empty:
        raise UserError(
            f"manipulations compares {' and '.join(ALONE)} with PUB, but experiment {frame['experiment'].iloc[0]} has"
            " neither: add one to its grid in params.yaml"
        )
    where = pd.MultiIndex.from_frame(final[["dataset", "backbone"]]).isin(
        pd.MultiIndex.from_frame(united[["dataset", "backbone"]])
    )
    return final[where & (names.isin([PUB, *ALONE, *ALONE.values()]) | (final["balancer"] == baseline))]


def partners(name: str) -> tuple[Variant, Variant]:
    """PUB without the manipulation of ``name``, and the manipulation without PUB, with the options that each has."""
    balancer, options, training = parsed(name)
    limits = {key: value for key, value in options.items() if key.startswith("clip.")}
    others = {key: value for key, value in options.items() if key not in limits}
    return Variant(PUB, others, training), Variant(ALONE[balancer], limits, training)


def _name(wanted: Variant, names: list[str]) -> str:
    """The variant as the experiment writes it; as one would write it where the experiment has none."""
    options = ",".join(f"{key}={value}" for key, value in (wanted.options | wanted.training).items())
    written = f"{wanted.balancer}{SIGN}{options}" if options else wanted.balancer
    return next((name for name in names if parsed(name) == wanted), written)


def _gains(rows: pd.DataFrame, cells: pd.DataFrame, significance: float) -> Iterator[dict[str, object]]:
    """A gain over each partner, for each cell of PUB with a manipulation."""
    by_cell = cells.set_index(CELL)
    metric = ["dataset", "backbone", "task", "metric"]
    for _, cell in cells[cells["balancer"].map(lambda name: parsed(name).balancer in ALONE)].iterrows():
        same = rows[(rows[metric] == cell[metric]).all(axis=1)]
        for partner in partners(cell["balancer"]):
            over = _name(partner, list(same["balancer"].unique()))
            found = contrast(same, cell["balancer"], over, significance, "the table manipulations")
            other = by_cell.loc[(cell["dataset"], cell["backbone"], over, cell["task"])]
            flagged = cell["flagged"] + other["flagged"]
            described = cell[["experiment", "synthetic", *CELL, "task_title", "metric", "better"]]
            yield {
                **described,
                "over": over,
                **found.test._asdict(),
                "low": found.low,
                "high": found.high,
                "flagged": flagged,
                "published": cell["published"] - other["published"],
                "text": convergence.with_sign(found.text(), flagged),
            }


def _gain_rows(gains: pd.DataFrame, cells: pd.DataFrame) -> Iterator[Row]:
    columns = grid.columns_of(cells)
    for (backbone, balancer, over), group in gains.groupby(["backbone", "balancer", "over"], sort=False):
        filled: dict[grid.Column, Cell] = {
            (row["dataset"], row["metric"], row["task"]): Cell(row["text"], beside=_printed_gain(row))
            for _, row in group.iterrows()
        }
        name = f"{backbone_name(backbone)}: {balancer_name(balancer)} minus {balancer_name(over)}"
        yield Row(name, backbone, tuple(tuple(filled.get(key, Cell()) for key in keys) for keys in columns.values()))


def _printed_gain(row: pd.Series) -> str:
    return "" if pd.isna(row["published"]) else signed(row["published"], 4)


def _caption(rows: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> Iterator[str]:
    yield (
        f"Rows with minus: gain in AUC, seed by seed, with the {1 - significance:.0%} interval of a paired t-test. It"
        " leaves out zero where the gain can be told from chance, not corrected for the number of gains."
    )
    yield from captions.of_runs(rows)
    yield from captions.tests(cells, baseline, significance, "higher")
    yield _of_the_paper()
    yield captions.failures(rows, baseline)


def _of_the_paper() -> str:
    """The printed gains over PUB, and what is left of them over the value that Table III prints for the same PUB."""
    three, four = (
        table[(table["dataset"] == "aliexpress_es") & (table["task_title"] == "Average")].set_index(
            ["backbone", "balancer"]
        )["published"]
        for table in (pub_table3(), pub_table4())
    )
    gains = (
        f"{balancer_name(name)} {signed(four[backbone, name] - four[backbone, PUB], 4)}"
        f" ({signed(four[backbone, name] - three[backbone, PUB], 4)}) on {backbone_name(backbone)}"
        for name in ALONE
        for backbone in ("mmoe", "ple")
    )
    return (
        "The PUB paper's Table IV (AliExpress ES, 5 seeds, no spread given) prints these gains in average AUC over PUB;"
        f" in brackets, over the value that its Table III prints for the same PUB: {', '.join(gains)}. Manipulations"
        " alone are printed in Table III."
    )
