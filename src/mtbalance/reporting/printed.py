"""Numbers printed in papers, and their place beside ours."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import pandas as pd

from mtbalance.reporting.names import SETTINGS, is_single_task

COLUMNS = {"ctr": "CTR", "ctcvr": "CTCVR", "average": "Average"}
SCENE_COLUMNS = {
    "segmentation": ["miou", "pixel_accuracy"],
    "depth": ["abs_error", "rel_error"],
    "normal": ["mean_angle", "median_angle", "within_11_25", "within_22_5", "within_30"],
}


def pub_table3() -> pd.DataFrame:
    """Table III of the PUB paper as printed, a row for each number.

    Columns ``dataset``, ``backbone``, ``balancer`` (our names), ``task_title``, ``published`` and
    ``published_mark`` (printed as significantly better than the backbone).
    """
    return _aucs(everything().table3)


def pub_table4() -> pd.DataFrame:
    """Table IV of the PUB paper as printed, in the form of :func:`pub_table3`.

    Its manipulations alone, which it does not repeat, are those of Table III.
    """
    three, four = pub_table3(), _aucs(everything().table4.assign(dataset="aliexpress_es"))
    alone = (three["dataset"] == "aliexpress_es") & three["balancer"].isin(["clippy_adam", "adatask"])
    return pd.concat([four, three[alone]], ignore_index=True)


def _aucs(table: pd.DataFrame) -> pd.DataFrame:
    parts = [
        table[["dataset", "backbone", "balancer"]].assign(
            task_title=title, published=table[column], published_mark=table[f"{column}_mark"].astype(bool)
        )
        for column, title in COLUMNS.items()
    ]
    return pd.concat(parts, ignore_index=True)


def beside_printed(cells: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """``cells`` with ``published``, ``published_mark`` and ``difference_to_published`` (ours minus theirs).

    ``printed`` is :func:`pub_table3` or :func:`pub_table4`. The columns are empty if the paper has no such cell.
    Synthetic data are never compared with it.
    """
    joined = cells.merge(printed, how="left", on=["dataset", "backbone", "balancer", "task_title"])
    joined["published"] = joined["published"].where(~joined["synthetic"])
    joined["published_mark"] = joined["published_mark"].where(~joined["synthetic"])
    return joined.assign(difference_to_published=joined["mean"] - joined["published"])


def beside_table7(cells: pd.DataFrame) -> pd.DataFrame:
    """``cells`` (in units of print) with ``published`` and ``difference_to_published`` (ours minus theirs) on NYUv2.

    The printed m% stands beside PUB's own definition of delta-m. The printed STL stands beside single-task learning,
    all other rows beside MTAN. Synthetic data are never compared with it. A balancer ``<name>_nyuv2`` is ``<name>``
    with its authors' settings for NYUv2.
    """
    said = everything()
    deltas = said.table7_delta_m.rename("published").reset_index()
    deltas = deltas.assign(task="mean", metric="delta_m_by_task")
    rows = cells.assign(row=cells.apply(_row_of_table7, axis=1))
    printed = pd.concat([said.table7, deltas]).rename(columns={"balancer": "row"})
    joined = rows.merge(printed, how="left", on=["row", "task", "metric"]).drop(columns="row")
    return joined.assign(difference_to_published=joined["mean"] - joined["published"])


def _row_of_table7(cell: pd.Series) -> str | None:
    if cell["dataset"] != "nyuv2" or cell["synthetic"]:
        return None
    if is_single_task(cell):
        return "stl"
    return cell["balancer"].removesuffix(SETTINGS) if cell["backbone"] == "mtan" else None


def others(source: str) -> pd.DataFrame:
    """Numbers of other papers, by the beginning of their source: ``method``, ``metric``, ``value`` and ``kind``."""
    table = _read("others.csv")
    return table[table["source"].str.startswith(source)]


def _scenes(name: str) -> pd.DataFrame:
    table = _read(name)
    parts = [
        table[["balancer"]].assign(task=task, metric=metric, published=table[metric])
        for task, metrics in SCENE_COLUMNS.items()
        for metric in metrics
    ]
    return pd.concat(parts, ignore_index=True)


def _read(name: str) -> pd.DataFrame:
    with files("mtbalance.reporting").joinpath("published", name).open() as stream:
        return pd.read_csv(stream)


class Printed(NamedTuple):
    """Everything that the PUB paper prints and that can be recomputed, as it is printed."""

    table1: pd.DataFrame
    """Mean cosines of gradient and update, of the task-specific and of the shared part, and their p-values."""
    table3: pd.DataFrame
    """AUC, a row for each data set, backbone and balancer."""
    table4: pd.DataFrame
    """AUC on AliExpress ES with manipulations, in the form of ``table3``."""
    table5: pd.DataFrame
    """Seconds an epoch, a row for each backbone."""
    table6: pd.DataFrame
    """Gain of each day of the A/B test, and their average, in percent."""
    table7: pd.DataFrame
    """Metrics on NYUv2, a row for each number: ``balancer``, ``task``, ``metric``, ``published``. Names are ours, units
    are those of print: shares in percent. ``stl`` is single-task learning."""
    table7_delta_m: pd.Series
    """The last column of Table VII, by balancer (without ``stl``), in percent."""
    nashmtl_stl: pd.DataFrame
    """The row STL of the NashMTL paper's Table 2 (NYUv2), in the form of ``table7``."""
    text: pd.Series
    """Numbers of the text, by name."""

    def says(self, name: str) -> float:
        """A number of the text."""
        return float(self.text[name])


@cache
def everything() -> Printed:
    """All that is printed, read once: many cells ask for it. Nobody may change it."""
    one, three, four, five, six = (_read(f"pub_table{number}.csv") for number in (1, 3, 4, 5, 6))
    text = _read("pub_text.csv").set_index("name")["value"]
    deltas = _read("pub_table7.csv").set_index("balancer")["m_percent"].dropna()
    return Printed(one, three, four, five, six, _scenes("pub_table7.csv"), deltas, _scenes("nashmtl_stl.csv"), text)


def released() -> pd.DataFrame:
    """What the paper says, what its released code does, and how to get either here: texts, a row for each topic."""
    return _read("release.csv")
