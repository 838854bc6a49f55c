"""MultiBalance: its abstract. Its data are internal, and its tables are not at hand."""

from __future__ import annotations

from mtbalance.reporting.claims.checks import better, trades
from mtbalance.reporting.claims.claim import MULTIBALANCE, Claim, Outcome
from mtbalance.reporting.claims.evidence import Evidence
from mtbalance.reporting.claims.measured import faster
from mtbalance.reporting.claims.paired import ALONE

NEEDS = "an experiment with LS and MultiBalance on one backbone, two seeds or more"
TIMED = "an experiment that times LS, MultiBalance and balancers of parameter gradients"
GAIN = 0.738
NEUTRAL = 0.95
"""Share of LS's throughput that counts as neutral; the paper gives no number."""
PARAMETERS = ("mgda", "pcgrad", "cagrad", "graddrop", "gradnorm", "moco", "imtl_g")
"""Methods that balance gradients of the shared parameters at every step."""
LEFT = 0.3
"""Throughput that is left after a loss of 70 %."""
FIXED = "fixed@"
"""Begins the name of every variant of fixed weights."""


def _ahead_of_fixed(evidence: Evidence) -> Outcome | None:
    """The best fixed weights are not known beforehand, so all of them are compared."""
    methods = {name for found in evidence.cells.get("mean_auc", {}).values() for name in found}
    fixed = sorted(name for name in methods if name.startswith(FIXED))
    return better(["multibalance"], fixed, "mean_auc")(evidence) if len(fixed) > 1 else None


CLAIMS = (
    Claim(
        "multibalance-negative-transfer",
        MULTIBALANCE,
        "abstract",
        "one or several tasks are less optimized than training them separately",
        "LS on a sharing backbone has one task better and another worse than single-task learning",
        "an experiment with single_task and a sharing backbone, several seeds",
        trades(["ls"], ALONE, "ne"),
    ),
    Claim(
        "multibalance-alleviates",
        MULTIBALANCE,
        "abstract",
        "balances the per-task gradients to alleviate the negative transfer",
        "MultiBalance has at most single-task learning's NE in every task",
        "an experiment with single_task and MultiBalance, two seeds or more",
        better(["multibalance"], [ALONE], "ne"),
    ),
    Claim(
        "multibalance-ne",
        MULTIBALANCE,
        "abstract",
        "MultiBalance achieves significant gains",
        "MultiBalance has a lower NE than LS in every task",
        NEEDS,
        better(["multibalance"], ["ls"], "ne", relative=True),
    ),
    Claim(
        "multibalance-ne-size",
        MULTIBALANCE,
        "abstract",
        "0.738% improvement for normalized entropy (NE)",
        f"MultiBalance's NE is lower than LS's by more than {GAIN} % in every task",
        f"{NEEDS}; the size was measured on the authors' own data",
        better(["multibalance"], ["ls"], "ne", by=GAIN, relative=True),
    ),
    Claim(
        "multibalance-qps",
        MULTIBALANCE,
        "abstract",
        "with neutral training cost in Queries Per Second (QPS)",
        f"MultiBalance has at least {NEUTRAL:.0%} of LS's throughput",
        TIMED,
        faster("multibalance", ["ls"], NEUTRAL),
    ),
    Claim(
        "multibalance-more-efficient",
        MULTIBALANCE,
        "abstract",
        "compared with prior work … MultiBalance is more efficient",
        "MultiBalance's steps are faster than those of methods that balance gradients of the shared parameters",
        TIMED,
        faster("multibalance", PARAMETERS),
    ),
    Claim(
        "multibalance-prior-loss",
        MULTIBALANCE,
        "abstract",
        "prior methods that balance per-task gradients of shared parameters with 70~80% QPS degradation",
        f"MGDA at the shared parameters has at most {LEFT:.0%} of LS's throughput",
        f"{TIMED}; the loss grows with the number of tasks (preset multibalance)",
        faster("ls", ["mgda"], 1 / LEFT),
    ),
    Claim(
        "multibalance-no-search",
        MULTIBALANCE,
        "abstract",
        "saving the huge cost for grid search or manual explorations for appropriate task weights",
        "MultiBalance has a higher mean AUC than each of several fixed weights",
        "an experiment with MultiBalance and variants fixed@weights=[…] (preset census_front), two seeds or more",
        _ahead_of_fixed,
    ),
)
