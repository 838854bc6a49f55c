"""PUB, section III: cosines of gradient and update, and their relation to the AUC."""

from __future__ import annotations

import pandas as pd
from scipy import stats

from mtbalance.reporting.audit import relation
from mtbalance.reporting.audit.relation import GROUPS, METHODS, PAIRS
from mtbalance.reporting.claims.association import reverse_association
from mtbalance.reporting.claims.by_print import audited, printed
from mtbalance.reporting.claims.checks import better_over_groups, same_over_groups
from mtbalance.reporting.claims.claim import PUB, Claim, Outcome, PrintedCheck
from mtbalance.reporting.names import balancer_name
from mtbalance.reporting.pairs import within_groups
from mtbalance.reporting.printed import Printed

NEEDS = "an experiment with measure: [cosines] and the methods of Table I (presets section3, section3_real)"
GRADIENT = ("mgda", "imtl_g", "nashmtl")
SAME = 0.014
"""The largest difference to LS in Table I that the text calls none, of the task-specific cosine."""
LEVEL = 0.05


def _task_p(numbers: Printed) -> Outcome:
    p = numbers.table1.set_index("balancer").loc[list(GRADIENT), "task_p"]
    return printed("pub_table1", bool((p > LEVEL).all()), f"p = {', '.join(map(str, p))}: not seen to differ")


def _shared(methods: tuple[str, ...], sign: int) -> PrintedCheck:
    def check(numbers: Printed) -> Outcome:
        table = numbers.table1.set_index("balancer")
        change = sign * (table.loc[list(methods), "shared_cosine"] - table.loc["ls", "shared_cosine"])
        p = table.loc[list(methods), "shared_p"]
        text = "; ".join(f"{sign * change[name]:+.4f}, p = {p[name]:g}" for name in methods)
        return printed("pub_table1", bool((change > 0).all() and (p < LEVEL).all()), text)

    return check


def _diffs(numbers: Printed) -> Outcome:
    """Diff of the printed means; the mean of absolute differences, which is not printed, is at least that."""
    table = numbers.table1.set_index("balancer")
    diff: pd.Series = (table["task_cosine"] - table["shared_cosine"]).abs()
    text = ", ".join(f"{balancer_name(str(name))} {value:.4f}" for name, value in diff.items())
    return printed("pub_table1", bool((diff[list(GRADIENT)] > diff["ls"]).all()), f"difference of means: {text}")


def _reverse(numbers: Printed) -> Outcome:
    """The printed share, with each pair counted once."""
    reverse = round(numbers.says("reverse_percent") / 100 * PAIRS)
    once = within_groups(reverse, [METHODS] * GROUPS, PAIRS)
    test = stats.binomtest(reverse, PAIRS).pvalue
    text = f"{reverse} of {PAIRS} pairs: p = {once:.2g}, or {test:.2g} if pairs of a group were independent"
    return printed("pub_text", bool(once <= LEVEL), text)


CLAIMS = (
    Claim(
        "pub-144-experiments",
        PUB,
        "III-A",
        "144 experiments are conducted in total",
        "Methods, backbones, data sets and seeds give that number",
        "",
        printed=audited(relation.experiments, "pub_text"),
    ),
    Claim(
        "pub-144-pairs",
        PUB,
        "III-A",
        "we obtain a total of 144 … pairs",
        "Methods on one data set and backbone give that number of pairs",
        "",
        printed=audited(relation.pairs, "pub_text"),
    ),
    Claim(
        "pub-diff-and-auc",
        PUB,
        "III-A",
        "a statistically significant association between the two variables",
        "More pairs of methods than by chance have the lower Diff and the higher mean AUC",
        NEEDS,
        reverse_association(),
        _reverse,
    ),
    Claim(
        "pub-two-thirds-reverse",
        PUB,
        "III-A",
        "The 67.36% of the results demonstrate a reverse correlation",
        "That share of pairs, and more than chance explains; in print an even number, since each pair counts twice",
        NEEDS,
        reverse_association(0.6736),
        audited(relation.reverse_pairs, "pub_text"),
    ),
    Claim(
        "pub-cosine-task-same",
        PUB,
        "III-A, Table I",
        "no significant difference … between tested GBMs and LS",
        f"Task-specific cosines are LS's: within {SAME}, the largest difference that Table I calls none",
        NEEDS,
        same_over_groups(GRADIENT, "ls", "cosine_task_specific", SAME),
        _task_p,
    ),
    Claim(
        "pub-cosine-shared-lower",
        PUB,
        "III-A, Table I",
        "average … of MGDA and IMTL-G are significant lower than LS",
        "Shared cosines are lower than LS's",
        NEEDS,
        better_over_groups(("mgda", "imtl_g"), "ls", "cosine_shared", -1),
        _shared(("mgda", "imtl_g"), -1),
    ),
    Claim(
        "pub-cosine-shared-higher",
        PUB,
        "III-A, Table I",
        "the average … of NashMTL is significant higher than LS",
        "Shared cosines are higher than LS's",
        NEEDS,
        better_over_groups(("nashmtl",), "ls", "cosine_shared", 1),
        _shared(("nashmtl",), 1),
    ),
    Claim(
        "pub-diff-higher",
        PUB,
        "III-A",
        "tested GBMs cause significant higher Diff than backbones",
        "Diff of each of the three is above LS's",
        NEEDS,
        better_over_groups(GRADIENT, "ls", "diff", 1),
        _diffs,
    ),
)
