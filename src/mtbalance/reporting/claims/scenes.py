"""PUB, section VI-E: three tasks in scene understanding (Table VII), and the sentence of section VII about them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from mtbalance.reporting.audit.scenes import DIRECTIONS, values_of
from mtbalance.reporting.claims.by_print import printed, scene_values, scenes_above
from mtbalance.reporting.claims.checks import ahead_in, best_in, better
from mtbalance.reporting.claims.claim import PUB, Claim, Outcome, PrintedCheck
from mtbalance.reporting.claims.paired import ALONE
from mtbalance.reporting.delta_m import delta_m, delta_m_by_task
from mtbalance.reporting.names import METRICS as TITLES
from mtbalance.reporting.names import balancer_name
from mtbalance.reporting.printed import SCENE_COLUMNS, Printed

EARLIER = (
    *("si", "rlw", "dwa", "uncertainty", "bandit_mtl", "mgda", "pcgrad", "cagrad", "graddrop"),
    *("imtl_g", "nashmtl", "famo", "adatask", "clippy_adam"),
)
"""The methods of Table VII that are neither PUB nor LS nor STL."""
SEGMENTATION, DEPTH, NORMAL = SCENE_COLUMNS["segmentation"], SCENE_COLUMNS["depth"], SCENE_COLUMNS["normal"]
METRICS = (*SEGMENTATION, *DEPTH, *NORMAL)
NEEDS = "an experiment on scenes with STL and these methods on MTAN, two seeds or more (preset nyuv2)"
OTHERS = tuple(name for name in EARLIER if name not in ("mgda", "famo"))


def _ahead(method: str, delta: Callable[..., float], by: float = 0.0) -> PrintedCheck:
    """The method is ahead of all earlier ones by more than ``by`` (percent), recomputed from the printed cells."""

    def check(numbers: Printed) -> Outcome:
        single = values_of(numbers.table7, "stl")
        found = {name: delta(values_of(numbers.table7, name), single, DIRECTIONS) for name in (*EARLIER, method)}
        own = found.pop(method)
        best = min(found, key=lambda name: found[name])
        ahead = [balancer_name(name) for name, value in found.items() if value - by <= own]
        text = f"{balancer_name(method)} {own:.2f} %, the best earlier method {balancer_name(best)} {found[best]:.2f} %"
        text += f"; not ahead of {', '.join(ahead)}" if ahead else ""
        return printed("pub_table7", not ahead, text)

    return check


def _normals(numbers: Printed) -> Outcome:
    values = scene_values(numbers)[NORMAL]
    ahead = pd.concat([values.loc[name] > values.loc[list(OTHERS)] for name in ("mgda", "famo")])
    return printed("pub_table7", bool(ahead.all(axis=None)), f"{ahead.sum(axis=None)} of {ahead.size} cells better")


def _segmentation(numbers: Printed) -> Outcome:
    values = scene_values(numbers)[SEGMENTATION]
    change = values.loc["mgda"] - values.loc["stl"]
    text = ", ".join(f"{TITLES[name].title} {value:+.2f}" for name, value in change.items())
    return printed("pub_table7", bool((change < 0).all()), f"MGDA − STL: {text}")


def _only(numbers: Printed) -> Outcome:
    values = scene_values(numbers)
    found = [name for name in EARLIER if (values.loc[name] > values.loc["stl"]).all()]
    return printed("pub_table7", not found, f"{', '.join(map(balancer_name, found)) or 'none'} of the earlier methods")


CLAIMS = (
    Claim(
        "pub-scenes-best",
        PUB,
        "VI-E (1), Table VII",
        "significant improvement at overall performance metric compared to SOTA",
        "PUB has a better Δm, as the paper defines it (first within a task), than every earlier method",
        NEEDS,
        better(["pub"], EARLIER, "delta_m_by_task"),
        _ahead("pub", delta_m_by_task),
    ),
    Claim(
        "pub-scenes-best-standard",
        PUB,
        "VII, Table VII",
        "outperforms state-of-the-art general MTO baselines on both ranking and scene",
        "PUB has a better Δm over the nine metrics, as the field defines it, than every earlier method",
        NEEDS,
        better(["pub"], EARLIER, "delta_m"),
        _ahead("pub", delta_m),
    ),
    Claim(
        "pub-scenes-normals",
        PUB,
        "VI-E (1)",
        "MGDA and FAMO outperform other baselines at surface normal",
        "MGDA and FAMO are better than every other earlier method in all five metrics of normals",
        NEEDS,
        ahead_in(["mgda", "famo"], OTHERS, NORMAL, lambda number, of: number == of),
        _normals,
    ),
    Claim(
        "pub-scenes-seesaw",
        PUB,
        "VI-E (1)",
        "it still experiences seesaw problem",
        "MGDA is worse than STL in segmentation",
        NEEDS,
        ahead_in(["mgda"], [ALONE], SEGMENTATION, lambda number, of: number == 0),
        _segmentation,
    ),
    Claim(
        "pub-scenes-clippy",
        PUB,
        "VI-E (2)",
        "Clippy enhances PUB at 7 out of 9 metrics",
        "PUB with Clippy is better than PUB in at least seven metrics",
        NEEDS,
        best_in("pub_clippy", ["pub"], METRICS, 7),
        scenes_above("pub_clippy", ["pub"], METRICS, 7),
    ),
    Claim(
        "pub-scenes-clippy-segmentation",
        PUB,
        "VI-E (2)",
        "achieves best performance at all metrics of the task",
        "PUB with Clippy is better than every other method in both metrics of segmentation",
        NEEDS,
        best_in("pub_clippy", [*EARLIER, "pub", "pub_adatask"], SEGMENTATION, 2),
        scenes_above("pub_clippy", [*EARLIER, "pub", "pub_adatask"], SEGMENTATION, 2),
    ),
    Claim(
        "pub-scenes-adatask-metrics",
        PUB,
        "VI-E (3)",
        "outperforming SOTA at 6 out of 9 metrics",
        "PUB with AdaTask is better than every earlier method in at least six metrics",
        NEEDS,
        best_in("pub_adatask", EARLIER, METRICS, 6),
        scenes_above("pub_adatask", EARLIER, METRICS, 6),
    ),
    Claim(
        "pub-scenes-adatask-percent",
        PUB,
        "VI-E (3)",
        "the best overall performance, over 1% improvement",
        "PUB with AdaTask leads every earlier method by more than 1 % of Δm, as the paper defines it",
        NEEDS,
        better(["pub_adatask"], EARLIER, "delta_m_by_task", by=1.0),
        _ahead("pub_adatask", delta_m_by_task, 1.0),
    ),
    Claim(
        "pub-scenes-adatask-stl",
        PUB,
        "VI-E (3)",
        "the first method outperforming STL at all metrics",
        "PUB with AdaTask is better than STL in all nine metrics",
        NEEDS,
        best_in("pub_adatask", [ALONE], METRICS, 9),
        scenes_above("pub_adatask", ["stl"], METRICS, 9),
    ),
    Claim(
        "pub-scenes-only-adatask",
        PUB,
        "VI-E (3)",
        "the first method outperforming STL at all metrics",
        "No earlier method is better than STL in all nine metrics",
        "",
        printed=_only,
    ),
)
