"""Numbers printed in papers, to stand beside ours."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd

COLUMNS = {"ctr": "CTR", "ctcvr": "CTCVR", "average": "Average"}


def pub_table3() -> pd.DataFrame:
    """Table III of the PUB paper as printed, one row a number.

    Columns ``dataset``, ``backbone``, ``balancer`` (our names), ``task_title``, ``published`` and
    ``published_mark`` (printed as significantly better than the backbone).
    """
    with files("mtbalance.reporting").joinpath("published", "pub_table3.csv").open() as stream:
        table = pd.read_csv(stream)
    parts = [
        table[["dataset", "backbone", "balancer"]].assign(
            task_title=title, published=table[column], published_mark=table[f"{column}_mark"].astype(bool)
        )
        for column, title in COLUMNS.items()
    ]
    return pd.concat(parts, ignore_index=True)


def beside_printed(cells: pd.DataFrame) -> pd.DataFrame:
    """``cells`` with ``published``, ``published_mark`` and ``difference_to_published`` (ours minus theirs).

    They are empty where the paper has no such cell. Synthetic data are never compared with it.
    """
    printed = pub_table3()
    joined = cells.merge(printed, how="left", on=["dataset", "backbone", "balancer", "task_title"])
    joined["published"] = joined["published"].where(~joined["synthetic"])
    joined["published_mark"] = joined["published_mark"].where(~joined["synthetic"])
    return joined.assign(difference_to_published=joined["mean"] - joined["published"])
