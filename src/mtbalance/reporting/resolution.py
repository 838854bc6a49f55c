"""Resolution: how small a difference to the baseline the seeds of an experiment can show, or why they show none."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mtbalance.reporting.contrasts import against_baseline
from mtbalance.reporting.formats import counted, decimal
from mtbalance.reporting.names import METRICS, balancer_name


def most_pairs(cells: pd.DataFrame, baseline: str) -> int:
    """The largest number of seeds that a balancer has in common with the baseline; if it is alone, its own."""
    others = cells[cells["balancer"] != baseline]
    return int((others if len(others) else cells)["pairs"].max())


def resolution(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str, significance: float) -> Iterator[str]:
    """The median half width of the intervals: what these seeds can see. And what to do if they see no difference.

    ``cells`` are those of the score of a collected ``frame``. If none was tested, the reason.
    """
    tested = cells[cells["p"].notna()]
    if tested.empty:
        yield from _untested(frame, cells, baseline)
        return
    scores = frame[frame["epoch"].isna() & frame["metric"].isin(tested["metric"])]
    found = [against_baseline(scores, row, baseline, significance) for _, row in tested.iterrows()]
    half = pd.Series([(each.high - each.low) / 2 for each in found]).median()
    seeds, digits = counted(int(tested["pairs"].max()), "seed"), METRICS[cells["metric"].iloc[0]].digits
    reach = decimal(float(half), digits)
    text = (
        f"With {seeds} the 95 % interval of a difference, which is over seeds, typically reaches {reach} to both sides:"
        " what is smaller cannot be told from chance"
    )
    if cells["p_holm"].min() > significance:
        name = balancer_name(baseline)
        text += f"; corrected for all, no balancer is told from {name} here: keep {name}, or run more seeds"
    yield f"{text}."


def _untested(frame: pd.DataFrame, cells: pd.DataFrame, baseline: str) -> Iterator[str]:
    """Why nothing can be told; nothing to say of several seeds of the baseline alone."""
    name = balancer_name(baseline)
    if frame["seed"].nunique() == 1:
        yield "With one seed no difference between methods can be told from chance."
    elif most_pairs(cells, baseline) < 2:
        yield f"No balancer has two finished seeds in common with {name}: no difference to it can be told from chance."
    elif (cells["balancer"] != baseline).any():
        yield f"Differences to {name} are the same with every seed, and were not tested."
