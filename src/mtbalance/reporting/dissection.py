"""What a balancer of updates does beside balancing: numbers of its weights and steps, and controls for each part."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from mtbalance.errors import UserError
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.derived import until_best
from mtbalance.reporting.value import RUN

DEVIATION, SPREAD, COSINE, LENGTH = "weight_deviation", "weight_spread_percent", "cosine", "length_shared"
EQUAL, PUB = "equal_update", "pub"
SHORT, LONG = "@rescale=sum_to_1", "@rescale=sum_to_K"


class Control(NamedTuple):
    """Two methods that differ in one thing."""

    ours: str
    theirs: str


def controls(rows: pd.DataFrame, baseline: str) -> dict[str, list[Control]]:
    """The pairs that tell apart the search, the step's length, and updates made for each task separately.

    Two scales differ in length and in what the moments see (``moment_weights``), so they are a part of their own.

    Pairs of :data:`FURTHER` are left out where the experiment does not have both.
    """
    faster = _faster(rows, baseline)
    found = {
        "search": [Control(PUB, EQUAL + LONG), Control(PUB + SHORT, EQUAL + SHORT)],
        "length": [Control(faster, baseline)],
        "scale of the weights, which sets length and momentum": [
            Control(EQUAL + LONG, EQUAL + SHORT),
            Control(PUB, PUB + SHORT),
        ],
        "separate updates": [Control(EQUAL + SHORT, baseline), Control(EQUAL + LONG, faster)],
    }
    for part, pair in FURTHER:
        if set(pair) <= set(rows["balancer"]):
            found[part].append(pair)
    return found


FURTHER = [
    ("search", Control("pub_adatask", "adatask")),
    ("length", Control(EQUAL + LONG, EQUAL + SHORT + ",moment_weights=ones")),
]


def _faster(rows: pd.DataFrame, baseline: str) -> str:
    """The variant of the baseline with another learning rate."""
    start = f"{baseline}@optimizer.lr="
    found = [name for name in rows["balancer"].unique() if name.startswith(start)]
    if len(found) != 1:
        place = f"experiments.{rows['experiment'].iloc[0]}.grid.{rows['backbone'].iloc[0]}"
        raise UserError(
            f"dissect needs one variant {start}RATE in {place}, with twice the learning rate, and found {len(found)}"
        )
    return str(found[0])


def numbers(frame: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Cells (:func:`~mtbalance.reporting.comparison.compare`) of AUC, weights, updates and steps.

    ``mean_auc``; ``weight_deviation``, the largest distance of a task's mean weight from equal weights, and
    ``weight_spread_percent``, the standard deviation of weights over steps, both in percent of the mean over tasks;
    ``cosine``, between the tasks' updates; ``length_shared``, of the joint step of the shared parameters.

    Raises ``UserError`` for an experiment that does not measure its steps.
    """
    if LENGTH not in set(frame["metric"]):
        name = frame["experiment"].iloc[0]
        raise UserError(f"dissect shows lengths of steps: add `measure: [cosines]` to experiments.{name}")
    tested = compare(frame, ["mean_auc"], baseline)
    whole = frame[frame["epoch"].isna() & (frame["metric"] == LENGTH)]
    described = compare(pd.concat([_of_weights(frame), until_best(frame, COSINE), whole]), MEASURES, baseline)
    return pd.concat([tested, described], ignore_index=True)


MEASURES = [DEVIATION, SPREAD, COSINE, LENGTH]


def _of_weights(frame: pd.DataFrame) -> pd.DataFrame:
    """Two rows for each run: how far its weights are from equal, and how much they move, in percent."""
    rows = frame[frame["epoch"].isna() & frame["metric"].isin(["weight_mean", "weight_spread"])]
    table = rows.set_index([*RUN, "task", "metric"])["value"].unstack("metric")
    percent = 100 * table.div(table["weight_mean"].groupby(RUN).mean(), axis=0)
    found = {
        DEVIATION: (percent["weight_mean"] - 100).abs().groupby(RUN).max(),
        SPREAD: percent["weight_spread"].groupby(RUN).mean(),
    }
    runs = rows.drop_duplicates(RUN).set_index(RUN).assign(task="", task_title="")
    parts = [runs.assign(metric=metric, value=values).reset_index() for metric, values in found.items()]
    return pd.concat(parts)[frame.columns].astype(frame.dtypes)
