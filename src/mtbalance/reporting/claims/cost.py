"""PUB, section VI-C: what training costs (Table V)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from mtbalance.reporting.audit import cost as audit
from mtbalance.reporting.claims.by_print import audited, printed
from mtbalance.reporting.claims.checks import better
from mtbalance.reporting.claims.claim import PUB, Claim, Outcome, PrintedCheck
from mtbalance.reporting.claims.introduction import EARLIER
from mtbalance.reporting.claims.measured import faster
from mtbalance.reporting.names import backbone_name
from mtbalance.reporting.printed import Printed

NEEDS = "an experiment that times LS, NashMTL and PUB on MMOE or PLE"
CLAIMED = {"mmoe": 1.5294, "ple": 1.679}
"""Speed of PUB over NashMTL's, as printed."""
LONGER = 1.17
"""Seconds over those of LS from which on the text, which cuts 16.7 % down, could not say 16 %."""


def _each(ratio: Callable[[pd.Series], float], holds: Callable[[float], bool]) -> PrintedCheck:
    """A ratio of the seconds of Table V, and what must be true of it on each backbone."""

    def check(numbers: Printed) -> Outcome:
        found = {row["backbone"]: ratio(row) for _, row in numbers.table5.iterrows()}
        text = ", ".join(f"{backbone_name(name)} {value:.3f}" for name, value in found.items())
        return printed("pub_table5", all(map(holds, found.values())), f"ratio of seconds: {text}")

    return check


CLAIMS = (
    Claim(
        "pub-shorter-than-nashmtl",
        PUB,
        "VI-C, Table V",
        "training time of PUB is significantly shorter than NashMTL",
        "PUB's steps are faster than NashMTL's",
        NEEDS,
        faster("pub", ["nashmtl"]),
        _each(lambda row: row["pub"] / row["nashmtl"], lambda value: value < 1),
    ),
    *(
        Claim(
            f"pub-speed-{backbone}",
            PUB,
            "VI-C",
            "The speed of PUB is 52.94% and 67.9% higher than NashMTL",
            f"On {backbone.upper()} PUB's steps are {factor:.3f} times as fast as NashMTL's",
            NEEDS,
            faster("pub", ["nashmtl"], factor, [backbone]),
            audited(partial(audit.faster, backbone=backbone), "pub_text"),
        )
        for backbone, factor in CLAIMED.items()
    ),
    Claim(
        "pub-sixteen-percent",
        PUB,
        "VI-C",
        "the training time is increased only by 16%",
        f"A step of PUB takes less than {LONGER} times as long as one of LS",
        NEEDS,
        faster("pub", ["ls"], 1 / LONGER),
        _each(lambda row: row["pub"] / row["base"], lambda value: value < LONGER),
    ),
    Claim(
        "pub-all-take-longer",
        PUB,
        "VI-C",
        "All MTO methods … certainly leads to longer training time",
        "LS's steps are faster than those of every other method",
        "an experiment that times LS and other methods",
        faster("ls", [*EARLIER, "pub"]),
        _each(lambda row: min(row["pub"], row["nashmtl"]) / row["base"], lambda value: value > 1),
    ),
    *(
        Claim(
            f"pub-search-seconds-{backbone}",
            PUB,
            "VI-C",
            "weight searching time is 0.17s for MMOE and 0.256s for PLE",
            f"Seconds of a search on {backbone.upper()} follow from Table V",
            "the paper's device, which is not named: seconds do not carry over",
            printed=audited(partial(audit.search, backbone=backbone), "pub_text"),
        )
        for backbone in CLAIMED
    ),
    Claim(
        "pub-every-hundred",
        PUB,
        "VI-C",
        "noticeable drop … when decrease the searching frequency to every 100 steps",
        "PUB that searches every 10 steps has a higher mean AUC than every 100",
        "an experiment with pub and pub@every=100 (preset dissect), two seeds or more",
        better(["pub"], ["pub@every=100"], "mean_auc"),
    ),
)
