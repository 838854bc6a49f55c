"""Variants of a balancer against the balancer as it is in ``params.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from mtbalance.config.variants import parsed
from mtbalance.reporting.comparison import compare
from mtbalance.reporting.derived import with_mean

METRICS = ("mean_auc", "mean_ne")


class Option(NamedTuple):
    """A variant in which one option has another value."""

    balancer: str
    path: str
    value: Any


def bases(frame: pd.DataFrame) -> list[str]:
    """The balancers that have variants in ``frame`` and were run themselves."""
    names = list(dict.fromkeys(frame["balancer"]))
    return [name for name in names if any(other != name and parsed(other).balancer == name for other in names)]


def option_of(balancer: str) -> Option | None:
    """The one option that a variant replaces; None for a plain balancer or several options."""
    name, options, training = parsed(balancer)
    replaced = options | training
    return Option(name, *next(iter(replaced.items()))) if len(replaced) == 1 else None


def against_base(frame: pd.DataFrame, baseline: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each balancer with variants, and the cells of :data:`METRICS` of it, its variants and ``baseline``.

    Differences, ratios and tests are to the balancer itself.
    """
    averaged = with_mean(frame, "ne")
    for base in bases(frame):
        own = averaged["balancer"].map(lambda name, base=base: name == baseline or parsed(name).balancer == base)
        yield base, compare(averaged[own], list(METRICS), base)
