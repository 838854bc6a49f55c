"""PUB, section VI-D: the A/B test (Table VI)."""

from __future__ import annotations

from mtbalance.reporting.audit.market import average
from mtbalance.reporting.claims.by_print import audited, printed
from mtbalance.reporting.claims.claim import PUB, Claim, Outcome
from mtbalance.reporting.claims.measured import lifts
from mtbalance.reporting.printed import Printed

NEEDS = "a simulated market of an experiment with LS and PUB, two seeds or more (preset demo)"


def _days(numbers: Printed) -> Outcome:
    days = numbers.table6[numbers.table6["day"] != "average"]["gain_percent"]
    text = f"{(days > 0).sum()} of {len(days)} days positive, {days.min():.2f} to {days.max():.2f} %"
    return printed("pub_table6", bool((days > 0).all()), f"{text}; no interval is printed")


CLAIMS = (
    Claim(
        "pub-ecpm",
        PUB,
        "VI-D, Table VI",
        "outperform the baseline method on both eCPM and CTR",
        "PUB's expected revenue per thousand impressions is above LS's",
        NEEDS,
        lifts("pub", "rpm"),
        _days,
    ),
    Claim(
        "pub-online-ctr",
        PUB,
        "VI-D, Table VI",
        "outperform the baseline method on both eCPM and CTR",
        "PUB's expected click-through rate is above LS's (the table has one gain a day and does not say of which)",
        NEEDS,
        lifts("pub", "ctr"),
    ),
    Claim(
        "pub-average-gain",
        PUB,
        "Table VI",
        "+4.06%",
        "The gain on average over the days",
        "the traffic of a store: a simulation says nothing about the size of a gain there",
        printed=audited(average, "pub_table6"),
    ),
)
