"""How often a verdict is false where nothing differs, and how often a planted difference of the stated size is seen."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from mtbalance.reporting.claims.association import reverse_association, share_seen
from mtbalance.reporting.claims.checks import all_ahead, better, better_over_groups, same_over_groups, sees
from mtbalance.reporting.claims.claim import Verdict
from mtbalance.reporting.claims.measured import value
from mtbalance.reporting.claims.paired import Comparison, compare
from mtbalance.reporting.claims.ranking import CLAIMS
from mtbalance.reporting.pairs import within_groups
from mtbalance.reporting.power import detectable
from mtbalance.reporting.statistics import paired_test, standard_deviation
from planted_claims import cells, evidence

LEVEL = 0.05


def most(draws, rate):
    """The largest number that is no surprise at this rate."""
    return stats.binom.ppf(0.999, draws, rate)


def comparisons(differences):
    """A comparison for each row of differences [comparisons, seeds]."""
    found = []
    for values in differences:
        test = paired_test(dict(enumerate(values)), dict.fromkeys(range(len(values)), 0.0))
        same = ("e", "d", True, "mmoe", "pub", "ls", "mean_auc", "mean")
        found.append(Comparison(*same, test, standard_deviation(list(values)), 1, 0.0, False, 0))
    return found


@pytest.mark.parametrize("number", [1, 4, 10])
def test_without_an_effect_a_verdict_is_as_rare_as_the_level(number):
    random, draws = np.random.default_rng(number), 1000
    verdicts = [all_ahead(comparisons(random.normal(0, 1e-3, (number, 5))), LEVEL) for _ in range(draws)]
    false = sum(verdict in (Verdict.HELD, Verdict.FAILED) for verdict in verdicts)
    assert false <= most(draws, LEVEL)


def test_one_comparison_is_false_as_often_as_the_level_says():
    """Not less often: a check that never decides would pass the test above."""
    random, draws = np.random.default_rng(0), 1000
    verdicts = [all_ahead(comparisons(random.normal(0, 1e-3, (1, 5))), LEVEL) for _ in range(draws)]
    low, high = stats.binom.interval(0.999, draws, LEVEL)
    assert low <= draws - verdicts.count(Verdict.OPEN) <= high


@pytest.mark.parametrize("sign", [1, -1])
def test_a_difference_of_the_stated_size_is_seen_in_four_of_five_experiments(sign):
    spread, seeds, draws = 1e-3, 5, 500
    size = sign * detectable(spread, seeds, LEVEL)
    random = np.random.default_rng(1)
    verdicts = [all_ahead(comparisons(random.normal(size, spread, (1, seeds))), LEVEL) for _ in range(draws)]
    low, high = stats.binom.interval(0.999, draws, 0.8)
    assert low <= verdicts.count(Verdict.HELD if sign > 0 else Verdict.FAILED) <= high


def test_no_difference_holds_where_both_one_sided_tests_say_so():
    """Schuirmann's two tests, by SciPy, of groups whose differences are more and more apart."""
    margin, expected, found = 0.01, [], []
    for scale in np.linspace(0.1, 1.5, 15):
        differences = scale * margin * np.array([1.4, -0.8, 0.9, -0.5, 0.6])
        rows = []
        for number, difference in enumerate(differences):
            place = {"metric": "mean_auc", "backbone": f"backbone{number}", "noise": 0.0}
            rows += cells(0.7, balancer="ls", **place) + cells(0.7 + difference, balancer="pub", **place)
        sides = (
            stats.ttest_1samp(differences, -margin, alternative="greater").pvalue,
            stats.ttest_1samp(differences, margin, alternative="less").pvalue,
        )
        expected.append(Verdict.HELD if max(sides) <= LEVEL else Verdict.OPEN)
        found.append(same_over_groups(["pub"], "ls", "mean_auc", margin)(evidence(rows)).verdict)
    assert found == expected and set(expected) == {Verdict.HELD, Verdict.OPEN}


def test_the_printed_power_is_that_of_the_spread_in_the_frame():
    rows = cells(0.7, balancer="ls", metric="mean_auc") + cells(0.7, balancer="pub", metric="mean_auc", noise=2e-3)
    (found,) = compare(evidence(rows), "pub", ["ls"], "mean_auc")
    ours, theirs = (np.array([row["value"] for row in rows if row["balancer"] == name]) for name in ("pub", "ls"))
    size = detectable(float(np.std(ours - theirs, ddof=1)), 5, LEVEL)
    assert sees([found], LEVEL) == f"{size:.2g} (n = 5)"


def test_the_stated_share_of_pairs_is_seen_in_four_of_five_experiments():
    """AUC and Diff of methods are normal with the correlation that gives this share of reverse pairs (arcsine law)."""
    sizes, draws = [4] * 12, 500
    share = share_seen(sizes, LEVEL)
    correlation = -np.sin(np.pi * (share - 0.5))
    random = np.random.default_rng(3)
    found = 0
    for _ in range(draws):
        auc = random.standard_normal((12, 4))
        diff = correlation * auc + np.sqrt(1 - correlation**2) * random.standard_normal((12, 4))
        reverse = sum(_inversions(d[np.argsort(a)]) for a, d in zip(auc, diff, strict=True))
        found += within_groups(reverse, sizes, 72) <= LEVEL and reverse > 36
    low, high = stats.binom.interval(0.999, draws, 0.8)
    assert low <= found <= high


def test_the_level_is_the_one_that_is_asked_for():
    rows = cells(0.7, balancer="ls", metric="mean_auc", noise=0.0)
    rows += [row | {"balancer": "pub", "value": 0.7 + step} for row, step in zip(rows, (1, 2, 1, 3, -0.2), strict=True)]
    found = evidence(rows)
    (only,) = compare(found, "pub", ["ls"], "mean_auc")
    assert 0.01 < only.test.p < 0.1
    verdicts = {level: all_ahead([only], replace(found, level=level).level) for level in (0.01, 0.1)}
    assert verdicts == {0.01: Verdict.OPEN, 0.1: Verdict.HELD}


def _inversions(order):
    first, second = np.triu_indices(len(order), 1)
    return int((order[first] > order[second]).sum())


@pytest.fixture
def repeated():
    """LS and PUB on MMOE, with measured cosines, in two experiments that share their runs."""
    first = []
    for name, auc, shared in (("ls", 0.7, 0.12), ("pub", 0.705, 0.1), ("mgda", 0.702, 0.11)):
        for metric, number in (("mean_auc", auc), ("cosine_shared", shared), ("cosine_task_specific", 0.2)):
            first += cells(number, balancer=name, metric=metric, task="mean" if metric == "mean_auc" else "")
    again = [row | {"experiment": "again"} for row in first if row["balancer"] != "mgda"]
    return evidence(first), evidence(first + again)


def test_runs_that_another_experiment_repeats_are_no_further_evidence(repeated):
    (third_decimal,) = [claim for claim in CLAIMS if claim.id == "pub-third-decimal"]
    checks = {"association": reverse_association(), "bound": value("ls", "cosine_shared", -1, 0.5)}
    checks |= {"pairs": better(["pub"], ["ls"], "mean_auc"), "spread": third_decimal.here}
    checks |= {"groups": better_over_groups(["pub"], "ls", "cosine_shared", -1)}
    for name, check in checks.items():
        once, twice = (check(found) for found in repeated)
        assert (once.evidence, once.verdict) == (twice.evidence, twice.verdict), name


def test_other_runs_of_another_experiment_are_evidence():
    rows = cells(0.7, balancer="ls", metric="mean_auc") + cells(0.7, balancer="pub", metric="mean_auc")
    others = [row | {"experiment": "again", "value": row["value"] + 1e-6} for row in rows]
    assert len(compare(evidence(rows + others), "pub", ["ls"], "mean_auc")) == 2


def test_methods_that_failed_or_are_equal_are_neither_ahead_nor_behind():
    rows = [row for name in ("ls", "pub", "mgda") for row in cells(0.7, balancer=name, metric="mean_auc", noise=0.0)]
    failed = [row | {"status": "diverged", "value": None} for row in cells(0.7, balancer="famo", metric="mean_auc")]
    lower = [row for name in ("si", "rlw") for row in cells(0.6, balancer=name, metric="mean_auc")]
    found = better(["pub"], ["ls", "mgda", "famo", "si", "rlw"], "mean_auc")(evidence(rows + failed + lower))
    assert found.evidence.startswith("PUB: ahead in 2 of 5 comparisons (2 seen), behind in 0 (0 seen;")
