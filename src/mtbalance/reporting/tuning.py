"""Tuning in words: what methods were tuned over, and how near the edge of its grid a choice is."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from mtbalance.config.variants import parsed
from mtbalance.reporting.formats import counted
from mtbalance.reporting.names import backbone_name, balancer_name, option_names
from mtbalance.reporting.score import score_titles
from mtbalance.reporting.value import METHOD

MOST_NAMED = 6
"""Choices at the edge of their grid that are named one by one."""
UNTUNED = "Untuned: options and learning rate as params.yaml has them."


def sentence(frame: pd.DataFrame) -> str:
    """What the methods were tuned over, and by what; or that they were not."""
    methods = frame.loc[frame["grid"] != "", ["balancer", "grid"]].drop_duplicates()
    if methods.empty:
        return UNTUNED
    common = methods["grid"].mode()[0]
    own = [
        f"{', '.join(map(balancer_name, group['balancer']))}: {grid_text(str(grid))}"
        for grid, group in methods.groupby("grid", sort=False)
        if grid != common
    ]
    return (
        f"Each method is tuned over {number_of_trials(common)} trials by {score_titles(frame)} on the valid split, for"
        f" each data set and backbone: {'; '.join([grid_text(common), *own])}."
    )


def number_of_trials(grid: str) -> int:
    """The number of trials that a grid (JSON) makes."""
    return math.prod(map(len, json.loads(grid).values()))


def grid_text(grid: str) -> str:
    """``rescale sum_to_K, sum_to_1 × lr 0.001, 0.003``."""
    values = json.loads(grid)
    return " × ".join(f"{name} {', '.join(map(str, values[key]))}" for key, name in option_names(values).items())


def tuned_options(variant: str, grid: str) -> dict[str, Any]:
    """The options of a trial that its grid (JSON) has, by their key."""
    _, options, training = parsed(variant)
    return {key: (options | training)[key] for key in json.loads(grid)}


def place_in_grid(variant: str, grid: str) -> dict[str, str]:
    """Where the numbers of a trial stand among those that were tried, by option: ``lowest of 4``, ``2nd of 4``."""
    options = tuned_options(variant, grid)
    places = {}
    for key, name in option_names(options).items():
        values = json.loads(grid)[key]
        if len(values) > 1 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
            places[name] = f"{_ordinal(sorted(values).index(options[key]), len(values))} of {len(values)}"
    return places


def edges(variant: str, grid: str, others: Iterable[str] = ()) -> list[str]:
    """The options of a trial that are the lowest or the highest that were tried: ``lr lowest of 4``.

    ``others`` are the grids of other methods. It is said if one of them goes further in an option of ``training``,
    which means the same for all methods: ``lr highest of 2, while others had 0.03``.
    """
    _, own, training = parsed(variant)
    keys = {name: key for key, name in option_names(tuned_options(variant, grid)).items()}
    found = []
    for name, place in place_in_grid(variant, grid).items():
        if place.startswith(("lowest", "highest")):
            key = keys[name]
            extreme = min if place.startswith("lowest") else max
            tried = [value for other in others for value in json.loads(other).get(key, ()) if key in training]
            furthest = extreme([*tried, (own | training)[key]])
            further = f", while others had {furthest}" if furthest != (own | training)[key] else ""
            found.append(f"{name} {place}{further}")
    return found


def at_the_edge(chosen: pd.DataFrame) -> str:
    """The choices at the edge of their grid, in words; ``chosen`` are rows of the chosen trials.

    If there are many, they are counted; the table of all trials tells which they are.
    """
    methods = chosen.drop_duplicates(METHOD)
    several = methods["dataset"].nunique() > 1
    rows = [row for _, row in methods.iterrows()]
    edge = [(row, texts) for row in rows if (texts := edges(row["variant"], row["grid"], methods["grid"]))]
    if not edge:
        return f"No choice of the {counted(len(rows), 'method')} is at the edge of its grid."
    if len(edge) > MOST_NAMED:
        places = Counter(", ".join(texts) for _, texts in edge)
        listed = [f"{text} for {number}" for text, number in places.most_common()]
    else:
        listed = [f"{_named(row, several)} ({', '.join(texts)})" for row, texts in edge]
    return (
        f"At the edge of its grid is the choice for {len(edge)} of {counted(len(rows), 'method')}, so that a value"
        f" beyond it may be better: {'; '.join(listed)}."
    )


def _named(row: pd.Series, several: bool) -> str:
    method = f"{backbone_name(row['backbone'])}+{balancer_name(row['balancer'])}"
    return f"{method} on {row['dataset']}" if several else method


def _ordinal(rank: int, count: int) -> str:
    if rank in (0, count - 1):
        return "highest" if rank else "lowest"
    return f"{rank + 1}{'nd' if rank == 1 else 'rd' if rank == 2 else 'th'}"
