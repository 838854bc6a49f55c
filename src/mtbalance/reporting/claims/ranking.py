"""PUB, section VI-B: two tasks in recommendation ranking (Table III)."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import stats

from mtbalance import places
from mtbalance.reporting.audit.ranking import baselines_above
from mtbalance.reporting.claims.by_print import all_above, audited, gains, printed
from mtbalance.reporting.claims.checks import Found, ahead_in, better, not_always, outcome
from mtbalance.reporting.claims.claim import PUB, Claim, Outcome, Verdict
from mtbalance.reporting.claims.evidence import NAMED_GROUP, Evidence
from mtbalance.reporting.claims.introduction import EARLIER
from mtbalance.reporting.claims.paired import compare
from mtbalance.reporting.names import dataset_heading
from mtbalance.reporting.power import detectable
from mtbalance.reporting.printed import Printed

BOTH = ("mmoe", "ple")
THIRD_DECIMAL = 0.001
SEEDS = 5
"""Of each cell of Table III."""
SHARE_ABOVE = 2 / 80
LOSS_RATIO = 23
ROUNDED = 0.1
"""Relative error that "approximately" allows."""


def _pub_marked(numbers: Printed) -> Outcome:
    found = all_above("table3", [("pub", "ls")], ["average"])(numbers)
    marked = numbers.table3.loc[numbers.table3["balancer"] == "pub", "average_mark"]
    text = f"{found.evidence}; {int(marked.sum())} of {len(marked)} carry the mark of significance"
    return printed("pub_table3", found.verdict is Verdict.HELD and bool(marked.all()), text)


def _inconsistent(numbers: Printed) -> Outcome:
    found = [gain for name in ("nashmtl", "imtl_g") for gain in gains(numbers.table3, name, "ls", "average")]
    below = sum(gain < 0 for gain in found)
    return printed("pub_table3", below > 0, f"{below} of {len(found)} averages are below their backbone")


def _resolution(evidence: Evidence) -> Outcome | None:
    """What as many seeds as the paper's find, with bounds from the chi-square law of the spread of PUB minus LS."""
    found: Found = compare(evidence, "pub", [evidence.baseline], "mean_auc")
    tested = [each for each in found if not each.test.untested]
    if not tested:
        return outcome(found, Verdict.UNTESTED, evidence.level)
    freedom = [each.test.pairs - 1 for each in tested]
    spread = math.sqrt(float(np.average([each.spread**2 for each in tested], weights=freedom)))
    total = sum(freedom)
    low, high = (spread * math.sqrt(total / stats.chi2.ppf(1 - tail, total)) for tail in (0.025, 0.975))
    sizes = [detectable(value, SEEDS, evidence.level) for value in (low, spread, high)]
    verdict = (
        Verdict.HELD if sizes[2] <= THIRD_DECIMAL else Verdict.FAILED if sizes[0] > THIRD_DECIMAL else Verdict.OPEN
    )
    judged = outcome(found, verdict, evidence.level)
    text = f"{SEEDS} seeds find a true difference of {sizes[1]:.4f} [{sizes[0]:.4f}, {sizes[2]:.4f}] with 80 % power"
    return judged and replace(judged, evidence=f"{text}; pooled spread of PUB − LS {spread:.4f}")


def _loss_ratio(evidence: Evidence) -> Outcome | None:
    """LS's test log loss of clicks over that of conversions; a stand-in's rates are made up and say nothing."""
    rows = evidence.final[
        (evidence.final["metric"] == "log_loss")
        & (evidence.final["balancer"] == evidence.baseline)
        & evidence.final["dataset"].str.startswith("aliexpress")
        & ~evidence.final["synthetic"]
    ]
    losses = rows.pivot_table(index=[*NAMED_GROUP, "seed"], columns="task", values="value")
    if not {"click", "conversion"} <= set(losses.columns):
        return None
    found = (losses["click"] / losses["conversion"]).groupby(level="dataset", sort=False).mean()
    fits = abs(found.mean() / LOSS_RATIO - 1) <= ROUNDED
    text = f"{found.mean():.1f} on average; " + ", ".join(f"{name} {ratio:.1f}" for name, ratio in found.items())
    data = tuple(dataset_heading(str(name), False) for name in found.index)
    trace = ({"file": places.METRICS.format(experiment=name)} for name in dict.fromkeys(rows["experiment"]))
    return Outcome(Verdict.HELD if fits else Verdict.FAILED, text, data=data, trace=tuple(trace))


CLAIMS = (
    Claim(
        "pub-improves-backbones",
        PUB,
        "VI-B (1), Table III",
        "significantly improves average AUC with both MMOE and PLE backbones",
        "PUB's mean AUC is above LS's on MMOE and on PLE, on every data set",
        "an experiment with LS and PUB on MMOE and PLE, two seeds or more (presets demo, paper)",
        better(["pub"], ["ls"], "mean_auc", backbones=BOTH),
        _pub_marked,
    ),
    Claim(
        "pub-two-of-eighty",
        PUB,
        "VI-B (1)",
        "only 2 out of 80 average AUC of baselines outperform MTL backbones",
        "At most that share of the earlier methods' mean AUCs is above LS's",
        "an experiment with LS and the earlier methods on MMOE and PLE, two seeds or more",
        ahead_in(EARLIER, ["ls"], ["mean_auc"], lambda number, of: number <= SHARE_ABOVE * of),
        audited(baselines_above, "pub_table3"),
    ),
    Claim(
        "pub-all-task-metrics",
        PUB,
        "VI-B (2)",
        "PUB outperforms SOTA baselines at all task metrics",
        "PUB's AUC is above that of every earlier method in each task",
        "an experiment with PUB and the earlier methods on one backbone, two seeds or more",
        better(["pub"], EARLIER, "auc"),
        all_above("table3", [("pub", name) for name in EARLIER], ["ctr", "ctcvr"]),
    ),
    Claim(
        "pub-loss-ratio",
        PUB,
        "VI-B (3)",
        "the loss of CTR is approximately 23 times larger than CTCVR",
        f"LS's test log losses have that ratio, to {ROUNDED:.0%}",
        "the AliExpress data themselves (preset paper): the rates of a stand-in are made up",
        _loss_ratio,
    ),
    Claim(
        "pub-scale-free-inconsistent",
        PUB,
        "VI-B (3)",
        "NashMTL and IMTL-G, are unable to consistently improve backbones",
        "NashMTL or IMTL-G is below LS in mean AUC somewhere",
        "an experiment with LS, NashMTL and IMTL-G on one backbone, two seeds or more",
        not_always(better(["nashmtl", "imtl_g"], ["ls"], "mean_auc")),
        _inconsistent,
    ),
    Claim(
        "pub-third-decimal",
        PUB,
        "VI-B",
        "AUC improvement on the third decimal place can be considered as significant",
        f"At the spread seen here, the {SEEDS} seeds of Table III find a true {THIRD_DECIMAL} with 80 % power",
        "an experiment with LS and PUB, several seeds",
        _resolution,
    ),
)
