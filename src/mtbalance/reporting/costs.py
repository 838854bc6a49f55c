"""What training costs: seconds of a step, of a search and of an epoch, with those of the PUB paper's Table V."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from mtbalance.reporting.comparison import DESCRIPTION
from mtbalance.reporting.printed import everything
from mtbalance.reporting.value import METHOD, QPS

METRICS = ("seconds_a_step", "relative_time", "seconds_a_search", "seconds_an_epoch", "overhead_a_search")
"""``relative_time`` is over the baseline's. ``seconds_a_step`` are the baseline's, times that: both were measured side
by side, so that a slower minute of the machine is in neither. ``overhead_a_search`` is the way in which the paper
computes the seconds of a search: an epoch's seconds above the baseline's, over the searches of an epoch."""
MEASURED = [QPS, f"{QPS}_low", f"{QPS}_high", "seconds_a_step", "seconds_a_search", "batch_size", "train_rows"]
PRINTED = {("loss", "equal"): "base", ("gradient", "nash"): "nashmtl", ("update", "nash"): "pub"}
"""The columns of Table V, by the level and rule of a balancer without manipulation."""


def costs(frame: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """A row for each timed method and each of :data:`METRICS`; empty if nothing was timed.

    ``frame`` is a collected table. Beside the columns that describe a cell there are ``value``, the quartiles ``low``
    and ``high`` (of ``relative_time``), ``epoch_rows``, and ``published``, the printed number of the same backbone and
    method. On ``synthetic`` ranking data an epoch has the rows of the paper's, since the stand-in's own number of rows
    means nothing. The baseline's ``seconds_a_search`` and those of methods that search at every step are missing.
    """
    timed = frame[frame["epoch"].isna() & frame["metric"].isin(MEASURED)]
    numbers = timed.drop_duplicates([*METHOD, "metric"]).set_index([*METHOD, "metric"])["value"].unstack("metric")
    described = timed.drop_duplicates(METHOD).set_index(METHOD, drop=False)
    rows = [row for _, method in described.iterrows() for row in _of_method(method, numbers, baseline)]
    return pd.DataFrame(rows, columns=[*DESCRIPTION, "value", "low", "high", "epoch_rows", "published"])


def _of_method(method: pd.Series, numbers: pd.DataFrame, baseline: str) -> Iterator[dict[str, Any]]:
    own = numbers.loc[tuple(method[METHOD])]
    theirs = numbers.loc[(method["dataset"], method["backbone"], baseline)]
    text = everything()
    as_printed = method["synthetic"] and method["problem"] == "ranking"
    rows = int(text.says("training_rows") if as_printed else own["train_rows"])
    steps = math.ceil(rows / own["batch_size"])
    seconds = theirs["seconds_a_step"] / own[QPS]
    values = {
        "seconds_a_step": seconds,
        "relative_time": 1 / own[QPS],
        "seconds_a_search": own["seconds_a_search"],
        "seconds_an_epoch": steps * seconds,
        "overhead_a_search": text.says("every") * (seconds - theirs["seconds_a_step"]),
    }
    if method["balancer"] == baseline:
        del values["overhead_a_search"]
    published = _published(method)
    for metric, value in values.items():
        ratio = metric == "relative_time"
        yield {
            **method[DESCRIPTION],
            "metric": metric,
            "better": 0,
            "value": value,
            "low": 1 / own[f"{QPS}_high"] if ratio else math.nan,
            "high": 1 / own[f"{QPS}_low"] if ratio else math.nan,
            "epoch_rows": rows,
            "published": published.get(metric, math.nan),
        }


def _published(method: pd.Series) -> dict[str, float]:
    """The printed numbers of the method, or what follows from them, by metric."""
    printed = everything()
    table = printed.table5.set_index("backbone")
    column = PRINTED.get((method["level"], method["rule"]))
    if column is None or method["manipulation"] != "none" or method["backbone"] not in table.index:
        return {}
    base, own = (float(table.loc[method["backbone"], name]) for name in ("base", column))
    steps = math.ceil(printed.says("training_rows") / printed.says("batch_size"))
    found = {"seconds_a_step": own / steps, "seconds_an_epoch": own, "relative_time": own / base}
    return found if own == base else found | {"overhead_a_search": (own - base) / (steps / printed.says("every"))}
