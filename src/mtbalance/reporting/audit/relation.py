"""Section III: the numbers of pairs, and Table I against what the text says of it."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.names import BALANCERS
from mtbalance.reporting.printed import Printed

METHODS, BACKBONES, COUNTRIES, SEEDS = 4, 3, 4, 3
"""What section III-A combines."""
GROUPS = BACKBONES * COUNTRIES
PAIRS = GROUPS * METHODS * (METHODS - 1) // 2
SIGNIFICANT = 0.05


def findings(printed: Printed) -> Iterator[Finding]:
    """Numbers of experiments and pairs, the share of reverse pairs, and the p-values of Table I."""
    yield experiments(printed)
    yield pairs(printed)
    yield reverse_pairs(printed)
    for _, row in printed.table1[printed.table1["balancer"] != "ls"].iterrows():
        fits = row["task_p"] > SIGNIFICANT > row["shared_p"]
        yield Finding(
            f"Table I, {BALANCERS[row['balancer']]}",
            "differs from LS in the shared part only",
            f"p = {row['task_p']}, {row['shared_p']}",
            f"task-specific, shared; significant below {SIGNIFICANT}",
            bool(fits),
        )


def experiments(printed: Printed) -> Finding:
    """The number of experiments."""
    number = GROUPS * METHODS * SEEDS
    return Finding(
        "Section III-A, experiments",
        f"{printed.says('experiments'):.0f}",
        f"{number}",
        f"{METHODS} methods x {BACKBONES} backbones x {COUNTRIES} data sets x {SEEDS} seeds",
        number == printed.says("experiments"),
    )


def pairs(printed: Printed) -> Finding:
    """The number of pairs of methods."""
    return Finding(
        "Section III-A, pairs",
        f"{printed.says('pairs'):.0f}",
        f"{PAIRS}",
        f"{GROUPS} groups of {METHODS} means have {PAIRS} pairs; {2 * PAIRS} counts each of them twice, as (i, j) and "
        "as (j, i), which doubles chi-square",
        printed.says("pairs") == PAIRS,
    )


def reverse_pairs(printed: Printed) -> Finding:
    """The number of pairs in reverse order."""
    reverse = printed.says("reverse_percent") / 100 * printed.says("pairs")
    return Finding(
        "Section III-A, pairs in reverse order",
        f"{printed.says('reverse_percent')} %",
        f"{reverse:.1f} pairs",
        f"{printed.says('reverse_percent')} % of {printed.says('pairs'):.0f}; with each pair counted twice the number "
        "must be even",
        round(reverse) % 2 == 0,
    )
