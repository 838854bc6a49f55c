"""Section III: the numbers of pairs, and Table I against what the text says of it."""

from __future__ import annotations

from collections.abc import Iterator

from mtbalance.reporting.audit.finding import Finding
from mtbalance.reporting.names import BALANCERS
from mtbalance.reporting.printed import Printed

METHODS, BACKBONES, COUNTRIES, SEEDS = 4, 3, 4, 3
"""What section III-A combines."""
SIGNIFICANT = 0.05


def findings(printed: Printed) -> Iterator[Finding]:
    """Numbers of experiments and pairs, the share of reverse pairs, and the p-values of Table I."""
    groups = BACKBONES * COUNTRIES
    experiments, ordered = groups * METHODS * SEEDS, groups * METHODS * (METHODS - 1)
    yield Finding(
        "Section III-A, experiments",
        f"{printed.says('experiments'):.0f}",
        f"{experiments}",
        f"{METHODS} methods x {BACKBONES} backbones x {COUNTRIES} data sets x {SEEDS} seeds",
        experiments == printed.says("experiments"),
    )
    yield Finding(
        "Section III-A, pairs",
        f"{printed.says('pairs'):.0f}",
        f"{ordered // 2}",
        f"{groups} groups of {METHODS} means have {ordered // 2} pairs; {ordered} counts each of them twice, as (i, j) "
        "and as (j, i), which doubles chi-square",
        ordered // 2 == printed.says("pairs"),
    )
    reverse = printed.says("reverse_percent") / 100 * printed.says("pairs")
    yield Finding(
        "Section III-A, pairs in reverse order",
        f"{printed.says('reverse_percent')} %",
        f"{reverse:.1f} pairs",
        f"{printed.says('reverse_percent')} % of {printed.says('pairs'):.0f}; with each pair counted twice the number "
        "must be even",
        round(reverse) % 2 == 0,
    )
    for _, row in printed.table1[printed.table1["balancer"] != "ls"].iterrows():
        fits = row["task_p"] > SIGNIFICANT > row["shared_p"]
        yield Finding(
            f"Table I, {BALANCERS[row['balancer']]}",
            "differs from LS in the shared part only",
            f"p = {row['task_p']}, {row['shared_p']}",
            f"task-specific, shared; significant below {SIGNIFICANT}",
            bool(fits),
        )
