"""PUB, abstract and sections I and II: what the paper promises, and what it says of the problem."""

from __future__ import annotations

from mtbalance.reporting.claims.by_print import above_alone, all_above, gains, printed
from mtbalance.reporting.claims.checks import better, trades
from mtbalance.reporting.claims.claim import PUB, Claim, Outcome
from mtbalance.reporting.claims.measured import value
from mtbalance.reporting.claims.paired import ALONE
from mtbalance.reporting.names import balancer_name
from mtbalance.reporting.printed import Printed

EARLIER = (
    "mgda",
    "nashmtl",
    "imtl_g",
    "pcgrad",
    "cagrad",
    "uncertainty",
    "bandit_mtl",
    "famo",
    "clippy_adam",
    "adatask",
)
"""The methods of Table III that are neither PUB nor a plain backbone."""
FAR = 0.5
"""A cosine below it is an angle of more than 60 degrees."""


def _opposite(numbers: Printed) -> Outcome:
    """Rows of Table III with one task above the plain backbone and the other below."""
    ctr, ctcvr = ({name: gains(numbers.table3, name, "ls", column) for name in EARLIER} for column in ("ctr", "ctcvr"))
    count = {name: int((ctr[name] * ctcvr[name] < 0).sum()) for name in EARLIER}
    most = max(count, key=lambda name: count[name])
    text = f"{sum(count.values())} of {sum(map(len, ctr.values()))} rows of earlier methods trade CTR for CTCVR"
    return printed("pub_table3", sum(count.values()) > 0, f"{text}; most often {balancer_name(most)} ({count[most]})")


def _far(numbers: Printed) -> Outcome:
    cosines = numbers.table1.set_index("balancer")["shared_cosine"]
    return printed("pub_table1", bool(cosines.max() < FAR), f"shared cosines {cosines.min():g} to {cosines.max():g}")


CLAIMS = (
    Claim(
        "pub-state-of-the-art",
        PUB,
        "abstract, VI-B",
        "achieves state-of-the-art performance",
        "PUB's mean AUC is above that of every earlier method of Table III, on each backbone and data set",
        "an experiment with PUB and the earlier methods on one backbone, two seeds or more (presets demo, paper)",
        better(["pub"], EARLIER, "mean_auc"),
        all_above("table3", [("pub", name) for name in EARLIER], ["average"]),
    ),
    Claim(
        "pub-update-deviates",
        PUB,
        "abstract, I",
        "actual update … may deviates significantly from gradients",
        f"Under Adam with LS the mean cosine of gradient and change of the shared parameters is below {FAR}",
        "an experiment with measure: [cosines] (presets section3, section3_real), two seeds or more",
        value("ls", "cosine_shared", -1, FAR),
        _far,
    ),
    Claim(
        "pub-mtl-potential",
        PUB,
        "I",
        "MTL has demonstrated significant potential for enhancing the accuracy",
        "LS on a sharing backbone has a higher mean AUC than single-task learning",
        "an experiment with single_task and a sharing backbone, two seeds or more",
        better(["ls"], [ALONE], "mean_auc"),
        above_alone,
    ),
    Claim(
        "pub-seesaw",
        PUB,
        "I",
        "improving performance in one task comes at the expense of other tasks",
        "An earlier method is above LS in one task and below in the other",
        "an experiment with LS and earlier methods on one backbone, several seeds",
        trades(EARLIER, "ls", "auc"),
        _opposite,
    ),
    Claim(
        "pub-beyond-gradients",
        PUB,
        "I",
        "PUB is able to overcome the limitations of conventional methods",
        "The same rule gives a higher mean AUC on updates than on gradients, with steps of one length",
        "the level study (preset level_study)",
        better(["nash_update"], ["nash_gradient"], "mean_auc"),
        all_above("table3", [("pub", "nashmtl")], ["average"]),
    ),
)
